"""Accounts: who there is, what they may do, and how they come back in when something was lost."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta

from allauth.mfa.models import Authenticator
from axes.utils import reset as reset_axes
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError

from bluelamp import custody
from bluelamp.custody import queries as ledger
from bluelamp.kernel import clock, transaction
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people import events
from bluelamp.people.models import Person, Unit
from bluelamp.people.policy import Role

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,79}")
# Between removing somebody's second factor and resetting the password, for one and the same manager.
_APART = timedelta(hours=24)
# Read out over a telephone: syllables without letters that are mistaken for others.
_SYLLABLES = tuple(first + vowel for first in "bdfghjkmnprstvwz" for vowel in "aeiou")


@custody.service
def create_person(
    *,
    username: str,
    name: str,
    actor: str,
    roles: Iterable[Role | str] = (),
    unit: Unit | None = None,
    warrant_number: str = "",
    email: str = "",
    password: str = "",
    reason: str = "",
) -> tuple[Person, str]:
    """Make an account. Returns it and its password, which is kept nowhere else in the clear.

    Without `password` a temporary one is made up, to be changed at the first sign-in. Raises Invalid for a username
    that is none, a missing name, an unknown role, a wrong e-mail address or a weak password; Conflict where username
    or warrant number is taken.
    """
    username, name = username.strip().lower(), name.strip()
    if not _USERNAME.fullmatch(username):
        raise Invalid(
            "A username has 2 to 80 letters, digits, dots, hyphens or underscores.",
            "No account was made.",
            "Choose something like a.okafor.",
        )
    if not name:
        raise Invalid("A person needs a name.", "No account was made.", "Give the name.")
    _check_email(email)
    person = Person(
        username=username,
        name=name,
        warrant_number=warrant_number.strip() or None,
        email=email.strip(),
        unit=unit,
        roles=_roles(roles),
        password_is_temporary=not password,
    )
    password = password or _temporary_password()
    _set_password(person, password)
    _save_unique(person)
    custody.record(
        events.PersonCreated(
            actor=actor,
            subject=person.custody_id,
            reason=reason.strip(),
            username=username,
            name=name,
            warrant_number=person.warrant_number or "",
            unit=unit.code if unit else "",
            roles=person.roles,
        )
    )
    return person, password


@custody.service
def update_person(
    person: Person,
    *,
    actor: str,
    reason: str,
    name: str,
    warrant_number: str,
    email: str,
    unit: Unit | None,
    roles: Iterable[Role | str],
) -> None:
    """Change who a person is to the force. Another unit or other roles end the person's sessions.

    Raises Invalid without a reason or for wrong values, Conflict for a warrant number that is taken, NotAllowed where
    somebody changes the own roles.
    """
    _need_reason(reason)
    _check_email(email)
    if not name.strip():
        raise Invalid("A person needs a name.", "Nothing was changed.", "Give the name.")
    _lock(person)
    before = _facts(person)
    person.name, person.email, person.unit = name.strip(), email.strip(), unit
    person.warrant_number = warrant_number.strip() or None
    after = _facts(person)
    changes = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
    if changes:
        if "unit" in changes:
            person.session_epoch += 1
        _save_unique(person)
        custody.record(
            events.PersonChanged(actor=actor, subject=person.custody_id, reason=reason.strip(), changes=changes)
        )
    else:
        custody.nothing_changed()
    set_roles(person, roles, actor=actor, reason=reason)


@custody.service
def set_roles(person: Person, roles: Iterable[Role | str], *, actor: str, reason: str) -> None:
    """Give a person exactly these roles; the person's sessions end, so that the new ones begin with them.

    Raises Invalid without a reason or for an unknown role, NotAllowed where somebody changes the own roles.
    """
    _need_reason(reason)
    wanted = _roles(roles)
    _lock(person)
    before = sorted(person.roles)
    if before == wanted:
        custody.nothing_changed()
        return
    if actor == person.custody_id:
        raise NotAllowed(
            "Nobody changes the own roles.", "Your roles stay as they are.", "Ask another body-worn video manager."
        )
    person.roles = wanted
    person.session_epoch += 1
    person.save(update_fields=["roles", "session_epoch"])
    custody.record(
        events.RolesChanged(actor=actor, subject=person.custody_id, reason=reason.strip(), before=before, after=wanted)
    )


@custody.service
def deactivate(person: Person, *, actor: str, reason: str) -> None:
    """Close an account and end its sessions; what the person did stays in the ledger under the name.

    Raises Invalid without a reason, NotAllowed for the own account.
    """
    _need_reason(reason)
    if actor == person.custody_id:
        raise NotAllowed(
            "Nobody closes the own account.", "Your account stays open.", "Ask another body-worn video manager."
        )
    _lock(person)
    if not person.is_active:
        custody.nothing_changed()
        return
    person.is_active = False
    person.session_epoch += 1
    person.save(update_fields=["is_active", "session_epoch"])
    custody.record(events.PersonDeactivated(actor=actor, subject=person.custody_id, reason=reason.strip()))


@custody.service
def reactivate(person: Person, *, actor: str, reason: str) -> None:
    """Open a closed account again. Raises Invalid without a reason."""
    _need_reason(reason)
    _lock(person)
    if person.is_active:
        custody.nothing_changed()
        return
    person.is_active = True
    person.save(update_fields=["is_active"])
    custody.record(events.PersonReactivated(actor=actor, subject=person.custody_id, reason=reason.strip()))


@custody.service
def reset_password(person: Person, *, actor: str, reason: str) -> str:
    """Give out a temporary password and end the person's sessions. Returns it: it is kept nowhere in the clear.

    The second factor stays: a temporary password alone opens nothing. The person is told by e-mail. Raises Invalid
    without a reason, NotAllowed for whoever removed the person's second factor within a day.
    """
    _need_reason(reason)
    _lock(person)
    _not_both(person, actor, events.SecondFactorReset.tag, "You removed this person’s authenticator app not long ago.")
    password = _temporary_password()
    _set_password(person, password)
    person.password_is_temporary = True
    person.save(update_fields=["password", "password_is_temporary"])
    custody.record(events.PasswordReset(actor=actor, subject=person.custody_id, reason=reason.strip()))
    _tell(person, "You have a temporary password", "A body-worn video manager gave you a temporary password.")
    return password


@custody.service
def reset_second_factor(person: Person, *, actor: str, reason: str) -> None:
    """Remove one-time passwords and recovery codes, as after the loss of a phone; sessions end.

    The person sets up new ones at the next sign-in, and is told by e-mail. Raises Invalid without a reason, NotAllowed
    for the own account and for whoever gave the person a temporary password within a day.
    """
    _need_reason(reason)
    if actor == person.custody_id:
        raise NotAllowed(
            "Nobody removes the own second factor.", "It stays as it is.", "Ask another body-worn video manager."
        )
    _lock(person)
    _not_both(person, actor, events.PasswordReset.tag, "You gave this person a temporary password not long ago.")
    removed, _ = Authenticator.objects.filter(user=person).delete()
    if not removed:
        custody.nothing_changed()
        return
    person.session_epoch += 1
    person.save(update_fields=["session_epoch"])
    custody.record(events.SecondFactorReset(actor=actor, subject=person.custody_id, reason=reason.strip()))
    _tell(
        person,
        "Your authenticator app was removed",
        "A body-worn video manager removed your authenticator app and your recovery codes. "
        "You set up an app again at your next sign-in.",
    )


@custody.service
def end_lockout(person: Person, *, actor: str, reason: str) -> None:
    """Let a person who was locked out after failed sign-ins try again at once. Raises Invalid without a reason."""
    _need_reason(reason)
    if not reset_axes(username=person.username):
        custody.nothing_changed()
        return
    custody.record(events.LockoutEnded(actor=actor, subject=person.custody_id, reason=reason.strip()))


def _not_both(person: Person, actor: str, other_step: str, what_happened: str) -> None:
    """Refuse `actor` the second of the two steps that together would let one manager sign in as somebody else."""
    since = clock.now() - _APART
    if ledger.search(tag=other_step, actor=actor, subject=person.custody_id, since=since, limit=1):
        raise NotAllowed(
            what_happened,
            "Nothing was changed. With both, one person could sign in under another’s name.",
            f"Ask another body-worn video manager, or wait until {_APART // timedelta(hours=1)} hours have passed.",
        )


def _tell(person: Person, subject: str, what_happened: str) -> None:
    """Say it by e-mail, if the person has an address; that it cannot be sent stops nothing."""
    if not person.email:
        return
    text = (
        f"Dear {person.name},\n\n{what_happened} You were signed out of Bluelamp.\n\n"
        "If you did not ask for this, tell professional standards at once: somebody may be about to use your name.\n"
    )
    transaction.on_commit(EmailMessage(subject, text, to=[person.email]).send, robust=True)


def _facts(person: Person) -> dict[str, str]:
    return {
        "name": person.name,
        "warrant_number": person.warrant_number or "",
        "email": person.email,
        "unit": person.unit.code if person.unit else "",
    }


def _roles(roles: Iterable[Role | str]) -> list[str]:
    try:
        return sorted({Role(role).value for role in roles})
    except ValueError as error:
        raise Invalid(f"{error.args[0]}.", "Nothing was changed.", "Choose among the roles that there are.") from error


def _lock(person: Person) -> None:
    """Lock the person's row until the transaction ends, and read it afresh."""
    person.refresh_from_db(from_queryset=Person.objects.select_for_update(of=("self",)))


def _save_unique(person: Person) -> None:
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        what = (
            f"warrant number {person.warrant_number}"
            if "warrant_number" in str(error)
            else f"username {person.username}"
        )
        raise Conflict(
            f"Somebody has the {what} already.", "Nothing was changed.", "Look the person up, or choose another."
        ) from error


def _set_password(person: Person, password: str) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), "The password was not set.", "Choose a longer, rarer one.") from error
    person.set_password(password)


def _temporary_password() -> str:
    # Four words of two syllables are 80^8, some 50 bits: enough for something that is changed at its first use.
    return "-".join("".join(secrets.choice(_SYLLABLES) for _ in range(2)) for _ in range(4))


def _check_email(email: str) -> None:
    if email.strip():
        try:
            validate_email(email.strip())
        except ValidationError as error:
            raise Invalid(
                f"{email} is not an e-mail address.", "Nothing was changed.", "Correct it, or leave it empty."
            ) from error


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why.", "Nothing was changed.", "Give the reason in a few words; the ledger keeps it.")
