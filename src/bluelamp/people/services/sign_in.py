"""What the ledger hears of sign-in, and the person's own password and one-time passwords."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from bluelamp import custody
from bluelamp.kernel import transaction
from bluelamp.kernel.limiter import Limiter
from bluelamp.people import events
from bluelamp.people.models import Person

NOBODY = "public"
DESK = "system:sign-in"

# What anybody can cause without knowing an account, or after its door is closed, must not fill the ledger.
_strangers, _knocking, _closings = Limiter(), Limiter(), Limiter()


@custody.service
def note_sign_in(person: Person, *, address: str, second_factor: bool) -> None:
    """Record that a session began."""
    custody.record(
        events.SignedIn(
            actor=person.custody_id, subject=person.custody_id, address=address, second_factor=second_factor
        )
    )


@custody.service
def note_failed_sign_in(username: str, *, step: str, address: str, closed: bool = False) -> None:
    """Record a wrong password or code (`step`), with the username only where an account has it.

    Every failure of an account's username is recorded until sign-in is closed for it. Attempts while it is `closed`,
    and at usernames that nobody has, are recorded once in ten minutes from each address, with the number of the rest.
    """
    person = _person(username)
    unreported: int | None = 0
    if person is None:
        unreported = _strangers.admit(address)
    elif closed:
        unreported = _knocking.admit(f"{person.pk} {address}")
    if unreported is None:
        custody.nothing_changed()
        return
    custody.record(
        events.SignInFailed(
            actor=NOBODY,
            subject=person.custody_id if person else DESK,
            username=person.username if person else "",
            step=step,
            address=address,
            unreported=unreported,
        )
    )


@custody.service
def note_lockout(username: str, *, address: str, failures: int) -> None:
    """Record that sign-in was closed for a while for this username from this address.

    For usernames that nobody has: once in ten minutes from each address, with the number of the rest.
    """
    person = _person(username)
    unreported = 0 if person else _closings.admit(address)
    if unreported is None:
        custody.nothing_changed()
        return
    custody.record(
        events.LockedOut(
            actor=NOBODY,
            subject=person.custody_id if person else DESK,
            username=person.username if person else "",
            address=address,
            failures=failures,
            unreported=unreported,
        )
    )


@custody.service
def note_sign_out(person: Person, *, how: str) -> None:
    """Record the end of a session: `how` is "signed out", "idle" or "too long"."""
    custody.record(events.SignedOut(actor=person.custody_id, subject=person.custody_id, how=how))


@custody.service
def set_own_password(person: Person, password: str) -> None:
    """Store the password that a person chose; the caller has checked it. Other sessions of the person end."""
    person.set_password(password)
    person.password_is_temporary = False
    person.save(update_fields=["password", "password_is_temporary"])
    custody.record(events.PasswordChanged(actor=person.custody_id, subject=person.custody_id))


@custody.service
def note_second_factor(person: Person) -> None:
    """Record that a person set up one-time passwords."""
    custody.record(events.SecondFactorSet(actor=person.custody_id, subject=person.custody_id))


@custody.service
def note_recovery_codes(person: Person) -> None:
    """Record that a person made new recovery codes."""
    custody.record(events.RecoveryCodesMade(actor=person.custody_id, subject=person.custody_id))


@custody.unrecorded("bookkeeping of the sign-in, which is recorded when it is complete")
def claim_code(authenticator: Authenticator, counter: int) -> bool:
    """Use up a one-time password's time step; False where it, or a later one, was used before.

    RFC 6238, 5.2: a code is accepted once. Kept in the database, so that it holds for every web process.
    """
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        if row.data.get("last_step", -1) >= counter:
            return False
        row.data["last_step"] = counter
        row.save(update_fields=["data"])
    authenticator.data = row.data
    return True


def _person(username: str) -> Person | None:
    return Person.objects.filter(username__iexact=username.strip()).first()
