"""Pure rules of intake: when a recording really was made, and what is wrong with what a camera offers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bluelamp.formats import iso8601
from bluelamp.formats.manifest import ManifestEntry


@dataclass(frozen=True)
class ClockPolicy:
    """What a force takes for a plausible clock.

    A recording is marked when its camera's clock was further than `drift` from the dock's. Its time counts as
    implausible when it ended more than `ahead` after the docking, began more than `behind` before it, or lasted
    longer than `longest`.
    """

    drift: timedelta = timedelta(seconds=5)
    ahead: timedelta = timedelta(minutes=2)
    behind: timedelta = timedelta(days=366)
    longest: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class Measured:
    """What the first docking that offered a recording measured: its time, and server minus device in milliseconds."""

    docked_at: datetime
    clock_offset_ms: int
    clock_set: bool


@dataclass(frozen=True)
class Times:
    """Corrected start and end (aware UTC), the offset that was added, and how far to trust them."""

    started_at: datetime
    ended_at: datetime
    clock_offset_ms: int
    status: str  # good, drifting, doubtful, unset: footage's Recording.ClockStatus


def corrected(entry: ManifestEntry, measured: Measured, policy: ClockPolicy | None = None) -> Times:
    """When the recording was made, by the dock's clock.

    Device time plus the measured offset. A camera whose clock was set while it recorded and lost since has no offset
    that fits: its times are taken as they are, and marked. Where the clock was unset or the result is implausible, the
    recording counts as having ended when it was docked.
    """
    policy = policy or ClockPolicy()
    device_start, device_end = iso8601.parse(entry.started_at), iso8601.parse(entry.ended_at)
    if entry.clock_set:
        offset_ms = measured.clock_offset_ms if measured.clock_set else 0
        started, ended = _shifted(device_start, offset_ms), _shifted(device_end, offset_ms)
        if started and ended and _plausible(started, ended, measured.docked_at, policy):
            agrees = abs(offset_ms) <= policy.drift / timedelta(milliseconds=1)
            status = "doubtful" if not measured.clock_set else "good" if agrees else "drifting"
            # The measurement itself is as coarse as a request takes: nothing ends after it was docked.
            ended = min(ended, measured.docked_at)
            return Times(min(started, ended), ended, offset_ms, status)
    lasted = device_end - device_start
    if lasted > policy.longest:
        lasted = timedelta()
    return Times(measured.docked_at - lasted, measured.docked_at, 0, "unset")


class _Clocked(Protocol):
    docked_at: Any
    clock_offset_ms: int
    clock_set: bool


def measured(upload: _Clocked) -> Measured:
    """The measurement that was noted with an upload."""
    return Measured(upload.docked_at, upload.clock_offset_ms, upload.clock_set)


def offset_ms(server: datetime, device: datetime) -> int:
    """Server time minus device time in milliseconds: what to add to the device's clock."""
    return round((server - device) / timedelta(milliseconds=1))


def incident_id(entry: ManifestEntry) -> uuid.UUID:
    """The incident that the parts of one split recording share.

    Derived from the camera's own number and its serial, so that no camera can put footage into another's incident.
    """
    return uuid.uuid5(uuid.UUID(entry.incident), entry.serial)


def repeated_sequences(entries: Iterable[ManifestEntry]) -> set[int]:
    """Sequence numbers that stand for more than one recording in one inventory."""
    hashes: dict[int, set[str]] = {}
    for entry in entries:
        hashes.setdefault(entry.sequence, set()).add(entry.hash())
    return {sequence for sequence, different in hashes.items() if len(different) > 1}


def _plausible(started: datetime, ended: datetime, docked_at: datetime, policy: ClockPolicy) -> bool:
    return (
        ended <= docked_at + policy.ahead and started >= docked_at - policy.behind and ended - started <= policy.longest
    )


def _shifted(moment: datetime, by_ms: int) -> datetime | None:
    try:
        return moment + timedelta(milliseconds=by_ms)
    except OverflowError:  # a device time at the end of the calendar
        return None
