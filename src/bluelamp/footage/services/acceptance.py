"""Recordings become ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from procrastinate.contrib.django import app
from psycopg.errors import UniqueViolation

from bluelamp import custody
from bluelamp.fleet.models import Camera
from bluelamp.footage import hooks, search
from bluelamp.footage.events import RecordingCollected, RecordingLocked
from bluelamp.footage.models import Recording
from bluelamp.footage.services import due, locking
from bluelamp.kernel import clock, statements
from bluelamp.kernel.errors import Conflict
from bluelamp.people.models import Person, Unit

# Sorted, so that two who accept many never wait for each other. What it returns was not there before.
_INCIDENTS = """
INSERT INTO footage_incident (id, name) SELECT id, '' FROM unnest(%s::uuid[]) AS given (id) ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""


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
    """`accept_all` for one recording."""
    (recording,) = _accept([new], actor)
    return recording


@custody.service
def accept_all(news: Sequence[NewRecording], actor: str = "system:intake") -> list[Recording]:
    """Create the rows, say so in the ledger, let retention set the due dates, queue the preparation: one transaction.

    Any number of recordings takes the same few statements. A recording's `collected` is the custody record, whose entry
    goes into the receipt. Raises Conflict, having accepted none, where the sequence number of one's camera, or its
    object, is known already. A file of a locked incident is locked from the start.
    """
    if not news:
        custody.nothing_changed()
        return []
    return _accept(news, actor)


def _accept(news: Sequence[NewRecording], actor: str) -> list[Recording]:
    recordings = [_row(new) for new in news]
    met = _incidents({new.incident for new in news if new.incident is not None})
    joined = locking.join(recordings, met)
    said: dict[UUID, list[custody.Event]] = {}
    for answer in hooks.arriving.call(recordings, met):
        for recording_id, events in answer.items():
            said.setdefault(recording_id, []).extend(events)
    _insert(recordings)
    for recording in recordings:
        if recording.pk in joined:
            recording.released_to.set(joined[recording.pk].released_to.all())
    _record([_story(each, actor, each.pk in joined, said.get(each.pk, [])) for each in recordings], recordings)
    hooks.accepted.call(recordings)
    # By name: the job's module imports this package.
    app.configure_task("footage.prepare").batch_defer(*({"recording_id": str(each.pk)} for each in recordings))
    return recordings


def _row(new: NewRecording) -> Recording:
    recording = Recording(
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
    recording.search = search.of_new(recording)
    return recording


def _incidents(wanted: set[UUID]) -> set[UUID]:
    """Make those that are not there yet, and lock the rows of the others. Returns the others."""
    if not wanted:
        return set()
    met = wanted - {made for (made,) in statements.ask(_INCIDENTS, [list(wanted)])}
    for incident in sorted(met):
        locking.hold_still(incident)
    return met


def _insert(recordings: list[Recording]) -> None:
    try:
        Recording.objects.bulk_create(recordings)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise Conflict(
            "This recording has been received before.",
            "The copy that is here stays as it is; nothing was stored twice.",
            "Compare its SHA-256 with the one on the camera.",
        ) from error
    for recording in recordings:
        del recording.search  # read from the row by whoever wants it


def _story(recording: Recording, actor: str, locked: bool, said: list[custody.Event]) -> list[custody.Event]:
    story: list[custody.Event] = [_collected(recording, actor)]
    if locked:
        why = "Another file of the same incident is locked"
        story.append(RecordingLocked(actor=actor, subject=recording.custody_id, reason=why))
    story += said
    if recording.due_rule:
        story.append(due.first_set(recording))
    return story


def _record(stories: list[list[custody.Event]], recordings: list[Recording]) -> None:
    records = iter(custody.record_all(list(chain.from_iterable(stories))))
    for recording, story in zip(recordings, stories, strict=True):
        recording.collected, *_ = islice(records, len(story))


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
