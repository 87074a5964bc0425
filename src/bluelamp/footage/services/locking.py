"""The lock after a death or serious injury: nobody watches before the post-incident manager says so.

It acts on every file of the incident. The incident's row is locked first, as acceptance does, so that a file which
arrives at the same moment is either among them or finds the lock when it comes (`join`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.events import RecordingLocked, RecordingUnlocked, WatchReleased
from bluelamp.footage.models import Incident, Recording
from bluelamp.footage.services import locked
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.footage.services.viewing import close_viewings_of
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.models import Person

_LOCK_FIELDS = ["locked_at", "lock_reason", "locked_by"]


@custody.service
def lock(recording: Recording, *, reason: str, by: Person) -> None:
    """From now on nobody watches any file of the incident, the wearer included, and views that stand open end.

    Raises Conflict where all of it is locked already or the recording has been deleted, Invalid without a reason.
    """
    reason = required(reason, "a reason for the lock", LONGEST_REASON)
    files = [file for file in _files(recording) if file.locked_at is None]
    if not files:
        raise Conflict("The recording is locked already.", "Nothing was changed.")
    now = clock.now()
    for file in files:
        file.locked_at, file.lock_reason, file.locked_by = now, reason, by
        file.save(update_fields=_LOCK_FIELDS)
        file.released_to.clear()
        custody.record(RecordingLocked(actor=by.custody_id, subject=file.custody_id, reason=reason))
    for file in files:
        hooks.facts_changed.call(file)


@custody.service
def unlock(recording: Recording, *, reason: str, by: Person) -> None:
    """End the lock on every file of the incident.

    Raises Conflict where there is none, Invalid without a reason, NotAllowed where `by` recorded one of the files.
    """
    reason = required(reason, "a reason for ending the lock", LONGEST_REASON)
    files = _locked_files(recording, by)
    for file in files:
        file.locked_at, file.lock_reason, file.locked_by = None, "", None
        file.save(update_fields=_LOCK_FIELDS)
        file.released_to.clear()
        custody.record(RecordingUnlocked(actor=by.custody_id, subject=file.custody_id, reason=reason))
    for file in files:
        hooks.facts_changed.call(file)


@custody.service
def let_watch(recording: Recording, *, person: Person, reason: str, by: Person) -> None:
    """Let one person watch the files of the incident in spite of the lock.

    Raises Conflict where there is no lock, Invalid without a reason, NotAllowed where `by` recorded one of the files.
    """
    reason = required(reason, "a reason for letting somebody watch", LONGEST_REASON)
    files = _locked_files(recording, by)
    if not person.is_active:
        raise Invalid("That person's account is closed.", "Nobody was let in.", "Choose somebody else.")
    for file in files:
        # What stood open before the lock does not come back to life: whoever is let in gives a reason anew.
        close_viewings_of(file, actor=by.custody_id, reason="The recording was locked since.")
        file.released_to.add(person)
        custody.record(
            WatchReleased(
                actor=by.custody_id,
                subject=file.custody_id,
                also=(person.custody_id,),
                reason=reason,
                person=person.custody_id,
            )
        )


@custody.unrecorded("part of acceptance, which records the lock")
def join(recordings: Iterable[Recording], met: Collection[UUID]) -> dict[UUID, Recording]:
    """Give files that are just being accepted the lock under which the others of their incidents stand.

    Nothing is written yet. `met` are the incidents that had files before; the caller has locked their rows
    (`hold_still`). Returns the file whose lock each got, by the id of the one that got it.
    """
    if not met:
        return {}
    under_lock = Recording.objects.filter(incident__in=met, locked_at__isnull=False)
    standing = {file.incident_id: file for file in under_lock.order_by("-locked_at")}
    now, joined = clock.now(), {}
    for recording in recordings:
        if recording.incident_id in standing:
            first = joined[recording.pk] = standing[recording.incident_id]
            recording.locked_at, recording.lock_reason, recording.locked_by_id = (
                now,
                first.lock_reason,
                first.locked_by_id,
            )
    return joined


@custody.unrecorded("takes a row lock, changes nothing")
def hold_still(incident: UUID | None) -> None:
    """No file joins the incident of this id, and no lock on it is set or ended, until the transaction ends."""
    if incident is not None:
        # Not FOR UPDATE, which would wait for every transaction that merely refers to the incident.
        Incident.objects.select_for_update(no_key=True).filter(pk=incident).first()


def _files(recording: Recording) -> list[Recording]:
    hold_still(recording.incident_id)
    return locked.incident(recording)


def _locked_files(recording: Recording, by: Person) -> list[Recording]:
    files = _files(recording)
    if recording.locked_at is None:
        raise Conflict("The recording is not locked.", "Nothing was changed.")
    if any(file.wearer_id == by.pk for file in files if file.pk != recording.pk):
        raise NotAllowed(
            "You recorded another file of this incident.",
            "It stays locked: nobody unlocks own footage.",
            "Ask another post-incident manager.",
        )
    return [file for file in files if file.locked_at is not None]
