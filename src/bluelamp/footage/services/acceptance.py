"""A recording becomes one of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.fleet.models import Camera
from bluelamp.footage import hooks, search
from bluelamp.footage.events import RecordingCollected
from bluelamp.footage.models import Incident, Recording
from bluelamp.footage.services import locking
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.people.models import Person, Unit


@dataclass(frozen=True, kw_only=True)
class NewRecording:
    """Everything known of a recording at acceptance. Times are aware UTC; `started_at` and `ended_at` corrected.

    `original` names the sealed object, which stands in the store already, under the data key `str(id)`.
    """

    id: UUID
    filename: str
    sha256: str
    size: int
    original: str
    started_at: datetime
    ended_at: datetime
    camera: Camera | None = None
    sequence: int | None = None
    wearer: Person | None = None
    unit: Unit | None = None
    added_by: Person | None = None
    incident: UUID | None = None
    part: int = 1
    device_started_at: datetime | None = None
    device_ended_at: datetime | None = None
    clock_offset_ms: int = 0
    clock_status: str = Recording.ClockStatus.GOOD
    received_at: datetime | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    track: list[dict[str, Any]] = field(default_factory=list)
    mount: str = ""
    told: bool | None = None
    pre_event_seconds: int = 0
    place: str = ""
    review_until: datetime | None = None


@custody.service
def accept(new: NewRecording, actor: str = "system:intake") -> Recording:
    """Create the row, say so in the ledger, let retention set the due date, and queue the preparation: one transaction.

    The recording's `collected` is the custody record, whose entry goes into the receipt. Raises Conflict where the
    camera's sequence number, or the object, is known already. A file of a locked incident is locked from the start.
    """
    _refuse_known(new)
    if new.incident is not None:
        Incident.objects.get_or_create(id=new.incident)
        locking.hold_still(new.incident)
    recording = Recording.objects.create(
        id=new.id,
        camera=new.camera,
        sequence=new.sequence,
        filename=new.filename,
        wearer=new.wearer,
        unit=new.unit,
        added_by=new.added_by,
        incident_id=new.incident,
        part=new.part,
        started_at=new.started_at,
        ended_at=new.ended_at,
        device_started_at=new.device_started_at,
        device_ended_at=new.device_ended_at,
        clock_offset_ms=new.clock_offset_ms,
        clock_status=new.clock_status,
        received_at=new.received_at or clock.now(),
        sha256=new.sha256,
        size=new.size,
        original=new.original,
        manifest=new.manifest,
        events=new.events,
        track=new.track,
        mount=new.mount or (new.camera.mount if new.camera else ""),
        told=new.told,
        pre_event_seconds=new.pre_event_seconds,
        place=new.place,
        review_until=new.review_until,
    )
    recording.collected = custody.record(_collected(recording, actor))
    locking.join(recording, actor=actor)
    search.index(recording)
    hooks.accepted.call(recording)
    # By name: the job's module imports this package.
    app.configure_task("footage.prepare").defer(recording_id=str(recording.id))
    return recording


def _refuse_known(new: NewRecording) -> None:
    known = Recording.objects.filter(original=new.original)
    if new.camera is not None and new.sequence is not None:
        known = known | Recording.objects.filter(camera=new.camera, sequence=new.sequence)
    if known.exists():
        raise Conflict(
            "This recording has been received before.",
            "The copy that is here stays as it is; nothing was stored twice.",
            "Compare its SHA-256 with the one on the camera.",
        )


def _collected(recording: Recording, actor: str) -> RecordingCollected:
    return RecordingCollected(
        actor=actor,
        subject=recording.custody_id,
        sha256=recording.sha256,
        size=recording.size,
        camera=recording.camera.serial if recording.camera else None,
        sequence=recording.sequence,
        started_at=recording.started_at,
        ended_at=recording.ended_at,
        received_at=recording.received_at,
        wearer=recording.wearer.custody_id if recording.wearer else None,
        unit=recording.unit.code if recording.unit else None,
        incident=recording.incident_id,
        part=recording.part,
        clock_status=recording.clock_status,
        clock_offset_ms=recording.clock_offset_ms,
    )
