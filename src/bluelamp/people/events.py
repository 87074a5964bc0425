"""Custody events about people, units, organisations, sign-in and access."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AccessRefused(Event):
    """Somebody asked for something that the policy refuses."""

    tag = "access.refused"
    operation = Operation.CONSULTATION
    action: str
    path: str
    why: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    """Somebody signed in, with password and, where one is set up, second factor."""

    tag = "session.started"
    operation = Operation.CONSULTATION
    address: str
    second_factor: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """A password or code was wrong. The username is kept only if it is an account's: people mistype passwords there.

    `unreported` is how many failures of the same kind before this one were counted only, see `note_failed_sign_in`.
    """

    tag = "session.refused"
    operation = Operation.CONSULTATION
    username: str
    step: str
    address: str
    unreported: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LockedOut(Event):
    """Sign-in for an account from one place was closed for a while after repeated failures."""

    tag = "session.locked_out"
    operation = Operation.CONSULTATION
    username: str
    address: str
    failures: int
    unreported: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SignedOut(Event):
    """A session ended: by the person, or because it was idle or a shift long."""

    tag = "session.ended"
    operation = Operation.CONSULTATION
    how: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PersonCreated(Event):
    """An account was made."""

    tag = "person.created"
    operation = Operation.ALTERATION
    username: str
    name: str
    warrant_number: str
    unit: str
    roles: list[str]


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PersonChanged(Event):
    """A person's name, number, e-mail address or unit was changed. Each change is [before, after]."""

    tag = "person.changed"
    operation = Operation.ALTERATION
    changes: dict[str, list[str]]


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RolesChanged(Event):
    """A person's roles were changed, and the person's sessions ended."""

    tag = "person.roles_changed"
    operation = Operation.ALTERATION
    before: list[str]
    after: list[str]


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PersonDeactivated(Event):
    """An account was closed and its sessions ended."""

    tag = "person.closed"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PersonReactivated(Event):
    """A closed account was opened again."""

    tag = "person.reopened"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PasswordReset(Event):
    """A temporary password was given out; it must be changed at the next sign-in."""

    tag = "person.password_reset"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """A person chose another password."""

    tag = "person.password_changed"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SecondFactorSet(Event):
    """A person set up one-time passwords."""

    tag = "person.second_factor_set"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SecondFactorReset(Event):
    """One-time passwords and recovery codes were removed, as after the loss of a phone."""

    tag = "person.second_factor_reset"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecoveryCodesMade(Event):
    """New recovery codes replaced the former ones."""

    tag = "person.recovery_codes_made"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LockoutEnded(Event):
    """A person who had been locked out after failed sign-ins may try again at once."""

    tag = "person.lockout_ended"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class UnitCreated(Event):
    """A unit was added to the force's tree."""

    tag = "unit.created"
    operation = Operation.ALTERATION
    name: str
    code: str
    kind: str
    parent: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class OrganisationCreated(Event):
    """An organisation was added, with which footage may be shared from now on."""

    tag = "organisation.created"
    operation = Operation.ALTERATION
    name: str
    kind: str
    email_domains: list[str]
