"""When a recording goes, and its going. Called by retention, which decides; nothing here decides."""

from __future__ import annotations

from datetime import datetime

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.events import (
    DueSet,
    RecordingDeleted,
    RecordingQuarantined,
    RecordingRestored,
)
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import changeable, fresh
from bluelamp.kernel.errors import Conflict

RETENTION = "system:retention"


@custody.service
def set_due(recording: Recording, due_at: datetime | None, rule: str, *, actor: str = RETENTION) -> None:
    """The instant by which the recording must be gone, and the rule that says so; None: kept until decided."""
    recording = fresh(recording)
    if (recording.due_at, recording.due_rule) == (due_at, rule):
        custody.nothing_changed()
        return
    before, recording.due_at, recording.due_rule = recording.due_at, due_at, rule
    recording.save(update_fields=["due_at", "due_rule"])
    custody.record(DueSet(actor=actor, subject=recording.custody_id, before=before, after=due_at, rule=rule))


@custody.unrecorded("part of acceptance, which records what it answers")
def first_set(recording: Recording) -> DueSet:
    """What acceptance says of the due date with which `recording` begins."""
    due_at, rule = recording.due_at, recording.due_rule
    return DueSet(actor=RETENTION, subject=recording.custody_id, before=None, after=due_at, rule=rule)


@custody.service
def mark_quarantined(recording: Recording, *, actor: str = RETENTION, reason: str = "") -> None:
    """Take the recording out of use; views that stand open end. Raises Conflict unless it is live."""
    recording = fresh(recording)
    if recording.state != Recording.State.LIVE:
        raise Conflict("Only a live recording can go into quarantine.", "Nothing was changed.")
    recording.state = Recording.State.QUARANTINED
    recording.save(update_fields=["state"])
    custody.record(
        RecordingQuarantined(
            actor=actor,
            subject=recording.custody_id,
            reason=reason,
            due_at=recording.due_at,
            rule=recording.due_rule,
        )
    )


@custody.service
def mark_restored(recording: Recording, *, actor: str = RETENTION, reason: str = "") -> None:
    """Bring the recording back from quarantine. Raises Conflict unless it is there."""
    recording = fresh(recording)
    if recording.state != Recording.State.QUARANTINED:
        raise Conflict("The recording is not in quarantine.", "Nothing was changed.")
    recording.state = Recording.State.LIVE
    recording.save(update_fields=["state"])
    custody.record(RecordingRestored(actor=actor, subject=recording.custody_id, reason=reason))


@custody.service
def mark_deleted(recording: Recording, *, actor: str = RETENTION, reason: str = "") -> None:
    """Close the row to a tombstone: id, camera, sequence, SHA-256, size, times and the rule stay, content goes.

    The rooms above clear what they hold about the content in the same transaction (`hooks.deleted`). The caller erases
    the key and the objects afterwards. Raises Conflict where it is deleted already.
    """
    recording = changeable(recording)
    recording.state = Recording.State.DELETED
    # What a person wrote or a device said about the content goes with it; hashes and times stay for reconciliation.
    recording.filename = recording.place = recording.processing_error = recording.lock_reason = ""
    recording.manifest, recording.media, recording.storyboard = {}, {}, {}
    recording.events, recording.track, recording.waveform = [], [], []
    recording.search = None
    recording.save()
    recording.notes.all().delete()
    recording.references.all().delete()
    recording.flags.update(reason="", release_reason="")
    recording.derivatives.all().delete()
    recording.released_to.clear()
    recording.viewings.update(reason="")
    hooks.deleted.call(recording)
    custody.record(
        RecordingDeleted(
            actor=actor,
            subject=recording.custody_id,
            reason=reason,
            rule=recording.due_rule,
            due_at=recording.due_at,
        )
    )
