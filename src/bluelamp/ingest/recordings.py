"""What a complete upload becomes: footage's facts of the new recording, from the camera's manifest or an Arrival."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    if upload.origin == Upload.Origin.DOCK:
        return _docked(upload)
    (arrived,) = of_arrived([upload])
    return arrived


def of_arrived(uploads: Iterable[Upload]) -> list[NewRecording]:
    """The recordings that complete uploads become, in the same order; none of them from a dock."""
    arriving = [(upload, Arrival.from_json(upload.arrival)) for upload in uploads]
    people = {pk for _, arrival in arriving for pk in (arrival.added_by, arrival.wearer) if pk}
    units = {arrival.unit for _, arrival in arriving if arrival.unit}
    known = Person.objects.in_bulk(people) if people else {}
    known_units = Unit.objects.in_bulk(units) if units else {}
    return [_arrived(upload, arrival, known, known_units) for upload, arrival in arriving]


def _docked(upload: Upload) -> NewRecording:
    signed = SignedEntry.from_json(upload.manifest)
    entry = signed.entry
    times = rules.corrected(entry, rules.measured(upload))
    plain: dict[str, Any] = entry.to_dict()
    wearer = fleet.wearer_at(upload.camera, times.started_at)
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
        wearer=wearer,
        unit=fleet.unit_of(upload.camera, wearer),
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


def _arrived(upload: Upload, arrival: Arrival, people: Mapping[int, Person], units: Mapping[int, Unit]) -> NewRecording:
    camera = upload.camera
    adder = people.get(arrival.added_by) if arrival.added_by else None
    wearer = people.get(arrival.wearer) if arrival.wearer else None
    unit = units.get(arrival.unit) if arrival.unit else None
    if camera is not None and (wearer is None or unit is None):
        issued_to = fleet.wearer_at(camera, arrival.started_at)
        wearer = wearer or issued_to
        unit = unit or fleet.unit_of(camera, issued_to)
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
