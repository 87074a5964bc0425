"""The lock after a death or serious injury: nobody watches before the post-incident manager says so."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.events import RecordingLocked, RecordingUnlocked, WatchReleased
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import changeable
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Person


@custody.service
def lock(recording: Recording, *, reason: str, by: Person) -> None:
    """From now on nobody watches, the wearer included, and views that stand open end. Raises Conflict, Invalid."""
    reason = required(reason, "a reason for the lock", LONGEST_REASON)
    recording = changeable(recording)
    if recording.locked_at is not None:
        raise Conflict("The recording is locked already.", "Nothing was changed.")
    recording.locked_at, recording.lock_reason, recording.locked_by = clock.now(), reason, by
    recording.save(update_fields=["locked_at", "lock_reason", "locked_by"])
    recording.released_to.clear()
    custody.record(RecordingLocked(actor=by.custody_id, subject=recording.custody_id, reason=reason))
    hooks.facts_changed.call(recording)


@custody.service
def unlock(recording: Recording, *, reason: str, by: Person) -> None:
    """End the lock. Raises Conflict where there is none, Invalid without a reason."""
    reason = required(reason, "a reason for ending the lock", LONGEST_REASON)
    recording = _still_locked(recording)
    recording.locked_at, recording.lock_reason, recording.locked_by = None, "", None
    recording.save(update_fields=["locked_at", "lock_reason", "locked_by"])
    recording.released_to.clear()
    custody.record(RecordingUnlocked(actor=by.custody_id, subject=recording.custody_id, reason=reason))
    hooks.facts_changed.call(recording)


@custody.service
def let_watch(recording: Recording, *, person: Person, reason: str, by: Person) -> None:
    """Let one person watch in spite of the lock. Raises Conflict where there is no lock, Invalid without a reason."""
    reason = required(reason, "a reason for letting somebody watch", LONGEST_REASON)
    recording = _still_locked(recording)
    if not person.is_active:
        raise Invalid("That person's account is closed.", "Nobody was let in.", "Choose somebody else.")
    recording.released_to.add(person)
    custody.record(
        WatchReleased(
            actor=by.custody_id,
            subject=recording.custody_id,
            also=(person.custody_id,),
            reason=reason,
            person=person.custody_id,
        )
    )


def _still_locked(recording: Recording) -> Recording:
    recording = changeable(recording)
    if recording.locked_at is None:
        raise Conflict("The recording is not locked.", "Nothing was changed.")
    return recording
