"""Custody events about cases."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CaseOpened(Event):
    """An investigation was opened."""

    tag = "case.opened"
    operation = Operation.COLLECTION
    urn: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CaseClosed(Event):
    """An investigation was closed; its recordings are no longer kept for it."""

    tag = "case.closed"
    operation = Operation.ALTERATION
    outcome: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class MemberAdded(Event):
    """Somebody got a role in a case, and with it the right to watch its recordings."""

    tag = "case.member_added"
    operation = Operation.ALTERATION
    person: int
    role: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class MemberLeft(Event):
    """Somebody's role in a case ended."""

    tag = "case.member_left"
    operation = Operation.ALTERATION
    person: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingAdded(Event):
    """A recording was linked to a case."""

    tag = "case.recording_added"
    operation = Operation.COMBINATION
    recording: UUID


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SubjectAdded(Event):
    """A person whom the case is about was added; what the team calls the person stays in the case."""

    tag = "case.subject_added"
    operation = Operation.COLLECTION
    person: UUID


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ProceedingsRecorded(Event):
    """What happened to the proceedings against a person was recorded, or corrected; footage is kept accordingly.

    Dates are ISO 8601, "" where there is none. An appeal is "appeal 2027-09-10/2028-03-01", with "ccrc" for an
    application to the Criminal Cases Review Commission.
    """

    tag = "case.proceedings_recorded"
    operation = Operation.ALTERATION
    person: UUID
    stage: str
    on: str
    custodial: bool
    released_on: str
    appeals: list[str]
    correction: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class GroupRecorded(Event):
    """A person's MoPI review group was set or changed. The date of birth itself is not part of the ledger."""

    tag = "case.group_recorded"
    operation = Operation.ALTERATION
    person: UUID
    group: int
    clear_from: str
    years: int
    birth_known: bool
    correction: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class GroupReviewed(Event):
    """Somebody reviewed whether what belongs to a person is still needed: kept until `following`, or let go."""

    tag = "case.group_reviewed"
    operation = Operation.ALTERATION
    person: UUID
    keep: bool
    following: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class SubjectConsulted(Event):
    """Somebody read what is recorded of a person in a case (Data Protection Act 2018 s.62)."""

    tag = "case.subject_consulted"
    operation = Operation.CONSULTATION
    person: UUID
