"""When a recording goes, and its going. Called by retention, which decides; nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.events import (
    DueSet,
    RecordingDeleted,
    RecordingQuarantined,
    RecordingRestored,
)
from bluelamp.footage.models import Derivative, EvidenceFlag, Note, Recording, Reference, Viewing
from bluelamp.footage.services.locked import changeable, fresh
from bluelamp.kernel.among import among
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
    _quarantine([fresh(recording)], {recording.pk: reason}, actor)


@custody.service
def mark_all_quarantined(recordings: Sequence[Recording], reasons: Mapping[UUID, str]) -> None:
    """The same for many, each with its reason, by a few statements; the caller has locked their rows and read them."""
    _quarantine(recordings, reasons, RETENTION)


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
    _close([changeable(recording)], {recording.pk: reason}, actor)


@custody.service
def mark_all_deleted(recordings: Sequence[Recording], reasons: Mapping[UUID, str]) -> None:
    """The same for many, each with its reason, by a few statements; the caller has locked their rows and read them."""
    _close(recordings, reasons, RETENTION)


def _quarantine(recordings: Sequence[Recording], reasons: Mapping[UUID, str], actor: str) -> None:
    ids = [recording.pk for recording in recordings]
    live = Recording.objects.filter(pk__in=among(ids), state=Recording.State.LIVE)
    if live.update(state=Recording.State.QUARANTINED) != len(ids):
        raise Conflict("Only a live recording can go into quarantine.", "Nothing was changed.")
    events = []
    for recording in recordings:
        recording.state = Recording.State.QUARANTINED
        events.append(
            RecordingQuarantined(
                actor=actor,
                subject=recording.custody_id,
                reason=reasons[recording.pk],
                due_at=recording.due_at,
                rule=recording.due_rule,
            )
        )
    custody.record_all(events)


# What a person wrote or a device said about the content goes with it; hashes and times stay for reconciliation.
_TOMBSTONE: dict[str, Any] = {
    "state": Recording.State.DELETED,
    **dict.fromkeys(("filename", "place", "processing_error", "lock_reason"), ""),
    **{field: {} for field in ("manifest", "media", "storyboard")},
    **{field: [] for field in ("events", "track", "waveform")},
    "search": None,
}


def _close(recordings: Sequence[Recording], reasons: Mapping[UUID, str], actor: str) -> None:
    ids = [recording.pk for recording in recordings]
    standing = Recording.objects.filter(pk__in=among(ids)).exclude(state=Recording.State.DELETED)
    if standing.update(**_TOMBSTONE) != len(ids):
        raise Conflict("A recording of these has been deleted already.", "Nothing was changed.")
    Note.objects.filter(recording__in=among(ids)).delete()
    Reference.objects.filter(recording__in=among(ids)).delete()
    EvidenceFlag.objects.filter(recording__in=among(ids)).update(reason="", release_reason="")
    Derivative.objects.filter(recording__in=among(ids)).delete()
    Recording.released_to.through.objects.filter(recording__in=among(ids)).delete()
    Viewing.objects.filter(recording__in=among(ids)).update(reason="")
    for recording in recordings:
        for field, cleared in _TOMBSTONE.items():
            setattr(recording, field, copy(cleared))
    hooks.deleted.call(recordings)
    custody.record_all(
        [
            RecordingDeleted(
                actor=actor,
                subject=recording.custody_id,
                reason=reasons[recording.pk],
                rule=recording.due_rule,
                due_at=recording.due_at,
            )
            for recording in recordings
        ]
    )
