"""What a complete upload becomes: footage's facts of the new recording, from the camera's manifest or an Arrival."""

from __future__ import annotations

from typing import Any

from bluelamp.fleet import queries as fleet
from bluelamp.footage.models import Recording
from bluelamp.footage.services import NewRecording
from bluelamp.formats import iso8601
from bluelamp.formats.manifest import SignedEntry
from bluelamp.ingest import rules
from bluelamp.ingest.arrival import Arrival
from bluelamp.ingest.models import Upload
from bluelamp.kernel import clock
from bluelamp.people.models import Person, Unit


def of(upload: Upload) -> NewRecording:
    """The recording that a complete upload becomes."""
    return _docked(upload) if upload.origin == Upload.Origin.DOCK else _arrived(upload)


def _docked(upload: Upload) -> NewRecording:
    signed = SignedEntry.from_json(upload.manifest)
    entry = signed.entry
    times = rules.corrected(entry, rules.measured(upload))
    plain: dict[str, Any] = entry.to_dict()
    return NewRecording(
        id=upload.recording_id,
        filename=entry.filename,
        sha256=entry.sha256,
        size=entry.size,
        original=upload.object_name,
        started_at=times.started_at,
        ended_at=times.ended_at,
        camera=upload.camera,
        sequence=entry.sequence,
        wearer=fleet.wearer_at(upload.camera, times.started_at),
        unit=fleet.unit_at(upload.camera, times.started_at),
        incident=rules.incident_id(entry),
        part=entry.part,
        device_started_at=iso8601.parse(entry.started_at),
        device_ended_at=iso8601.parse(entry.ended_at),
        clock_offset_ms=times.clock_offset_ms,
        clock_status=Recording.ClockStatus(times.status),
        received_at=clock.now(),
        manifest=upload.manifest,
        events=plain["events"],
        track=plain["track"],
        mount=entry.mount,
        told=entry.told,
        pre_event_seconds=entry.pre_event_seconds,
    )


def _arrived(upload: Upload) -> NewRecording:
    arrival = Arrival.from_json(upload.arrival)
    camera = upload.camera
    adder = Person.objects.filter(pk=arrival.added_by).first() if arrival.added_by else None
    wearer = Person.objects.filter(pk=arrival.wearer).first() if arrival.wearer else None
    unit = Unit.objects.filter(pk=arrival.unit).first() if arrival.unit else None
    if camera is not None:
        wearer = wearer or fleet.wearer_at(camera, arrival.started_at)
        unit = unit or fleet.unit_at(camera, arrival.started_at)
    return NewRecording(
        id=upload.recording_id,
        filename=arrival.filename,
        sha256=upload.sha256,
        size=upload.length or 0,
        original=upload.object_name,
        started_at=arrival.started_at,
        ended_at=arrival.ended_at,
        camera=camera,
        sequence=upload.sequence,
        wearer=wearer,
        unit=unit,
        added_by=adder,
        incident=arrival.incident,
        part=arrival.part,
        device_started_at=arrival.device_started_at,
        device_ended_at=arrival.device_ended_at,
        clock_offset_ms=arrival.clock_offset_ms,
        clock_status=Recording.ClockStatus(arrival.clock_status),
        received_at=clock.now(),
        manifest=arrival.source,
        events=arrival.events,
        track=arrival.track,
        mount=arrival.mount,
        told=arrival.told,
        pre_event_seconds=arrival.pre_event_seconds,
        place=arrival.place,
    )
