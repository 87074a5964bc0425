"""From a file and its manifest's facts to what the recording will be: times, wearer, unit, camera."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from bluelamp.fleet.models import Camera
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.formats.errors import FormatError
from bluelamp.formats.manifest import SignedEntry, verify_entry
from bluelamp.ingest import rules
from bluelamp.ingest.arrival import Arrival
from bluelamp.ingest.imports import judging, moments
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel import clock
from bluelamp.people.models import Person, Unit

ANY_AGE = rules.ClockPolicy(behind=timedelta(days=40 * 366))
"""Of signed recordings in a folder: an archive is old."""

_STATED, _INSIDE, _WRITTEN = "as the manifest says", "as the file itself says", "when the file was last written"
_INSTEAD = {_INSIDE: "the time in the file itself", _WRITTEN: "the time when it was last written"}
_UNREAD = ("unread_time", "unread_end", "early_end", "lone_end", "unread_length")
_AHEAD = timedelta(days=1)
"""How far in the future a list's times may lie: clocks and zones differ."""


@dataclass(frozen=True)
class Coming:
    """What a file becomes. `camera` and `sequence` where it is known which camera made it.

    `remark` says what the list tells of it that could not be used.
    """

    arrival: Arrival
    camera: Camera | None = None
    sequence: int | None = None
    remark: str = ""


class Directory:
    """The force's people, units and cameras by what exports call them; read once for a whole import."""

    def __init__(self, run: ImportRun) -> None:
        self._run = run
        people = Person.objects.exclude(warrant_number=None).values_list("warrant_number", "pk", "unit_id")
        self._people = {number.casefold(): (pk, unit) for number, pk, unit in people}
        self._units: dict[str, int] = {}
        for pk, code, name in Unit.objects.values_list("pk", "code", "name"):
            self._units.setdefault(name.casefold(), pk)
            self._units[code.casefold()] = pk
        self._cameras = {camera.serial.casefold(): camera for camera in Camera.objects.select_related("unit")}
        self._default_unit = self._units.get(str(run.options.get("unit", "")).casefold())

    def camera(self, serial: str) -> Camera | None:
        """The camera with that serial, whatever the case of its letters."""
        return self._cameras.get(serial.strip().casefold())

    def refusal(self, item: ImportItem) -> str:
        """Why a file must not be taken, whatever its bytes are; "" where nothing speaks against it."""
        facts: dict[str, Any] = item.facts
        if facts.get("refusal"):
            return str(facts["refusal"])
        if "signed" not in facts:
            return ""
        signed = SignedEntry.from_json(facts["signed"])
        camera = self.camera(signed.entry.serial)
        if camera is None:
            return f"The force has no camera with the serial {signed.entry.serial}; register it first."
        try:
            verify_entry(signed, camera.public_key)
        except FormatError as error:
            return str(error)
        return ""

    def coming(self, item: ImportItem, size: int, mtime_ns: int, file: BinaryIO) -> Coming:
        """What the file becomes. `file` is read for its own time where the manifest tells none."""
        if "signed" in item.facts:
            return self._signed(SignedEntry.from_json(item.facts["signed"]))
        facts: dict[str, Any] = item.facts
        camera = self.camera(facts.get("serial", ""))
        wearer, unit = self._people.get(_last_word(facts.get("officer", "")), (None, None))
        unit = self._units.get(facts.get("unit", "").casefold(), unit) or self._default_unit
        if unit is None and camera is not None:
            unit = camera.unit_id
        start, end, status, how = _times(facts, size, mtime_ns, file)
        unused = {**self._unknown(facts), **_unused_times(facts)}
        return Coming(
            Arrival(
                started_at=start,
                ended_at=end,
                filename=item.path.rpartition("/")[2][-200:],
                clock_status=status,
                wearer=wearer,
                unit=unit,
                place=facts.get("place", "")[:500],
                source={
                    "import": self._run.pk,
                    "source": self._run.source,
                    "path": item.path,
                    "time": how,
                    **{name: value for name, value in facts.items() if name not in ("refusal", "unused")},
                },
            ),
            camera,
            remark=judging.unused(unused, _INSTEAD.get(how, "")),
        )

    def _unknown(self, facts: dict[str, Any]) -> dict[str, str]:
        """What the list names that nobody and nothing here is called."""
        officer, unit, serial = (facts.get(name, "") for name in ("officer", "unit", "serial"))
        known = {
            "officer": not officer or _last_word(officer) in self._people,
            "unit": not unit or unit.casefold() in self._units,
            "serial": not serial or self.camera(serial) is not None,
        }
        return {name: facts[name] for name, is_known in known.items() if not is_known}

    def _signed(self, signed: SignedEntry) -> Coming:
        entry = signed.entry
        # No dock measured its clock: the camera's own times count where they can be, and are marked.
        times = rules.corrected(entry, rules.Measured(clock.now(), 0, False), ANY_AGE)
        plain: dict[str, Any] = entry.to_dict()
        return Coming(
            Arrival(
                started_at=times.started_at,
                ended_at=times.ended_at,
                filename=entry.filename,
                device_started_at=iso8601.parse(entry.started_at),
                device_ended_at=iso8601.parse(entry.ended_at),
                clock_offset_ms=times.clock_offset_ms,
                clock_status=times.status,
                incident=rules.incident_id(entry),
                part=entry.part,
                events=plain["events"],
                track=plain["track"],
                mount=entry.mount,
                told=entry.told,
                pre_event_seconds=entry.pre_event_seconds,
                source=signed.to_dict(),
            ),
            self.camera(entry.serial),
            entry.sequence,
        )


def _times(facts: dict[str, Any], size: int, mtime_ns: int, file: BinaryIO) -> tuple[datetime, datetime, str, str]:
    """Start, end, how far to trust them, and where they come from in words."""
    now = clock.now()
    if facts.get("started"):
        start, end = iso8601.parse(facts["started"]), iso8601.parse(facts["ended"])
        if end <= now + _AHEAD:
            return start, end, Recording.ClockStatus.STATED, _STATED
    inside = moments.in_mp4(file, size, now)
    if inside is not None:
        start, lasted = inside
        return start, min(start + lasted, now), Recording.ClockStatus.DOUBTFUL, _INSIDE
    try:
        written = datetime.fromtimestamp(mtime_ns / 1_000_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        written = now
    if written > now:
        written = now
    return written, written, Recording.ClockStatus.DOUBTFUL, _WRITTEN


def _unused_times(facts: dict[str, Any]) -> dict[str, str]:
    """The times of the list that do not count, by what is wrong with them."""
    found = {name: str(facts[name]) for name in _UNREAD if facts.get(name)}
    if facts.get("started"):
        latest = clock.now() + _AHEAD
        for late, name in (("late_start", "started"), ("late_end", "ended")):
            told = iso8601.parse(facts[name])
            if told > latest:
                return {**found, late: f"{told:%Y-%m-%d %H:%M} UTC"}
    return found


def _last_word(officer: str) -> str:
    """The number in "1234", "PC 1234" or "Brooks, A (1234)"."""
    words = officer.replace("(", " ").replace(")", " ").split()
    return words[-1].casefold() if words else ""
