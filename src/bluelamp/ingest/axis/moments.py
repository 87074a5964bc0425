"""Times in metadata, and from when to when a clip lasts. Pure.

Each time is given twice, as epoch and as RFC 3339. The epoch counts; where the two disagree the recording is marked as
having a clock that cannot be trusted, for footage is not refused over its label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bluelamp.ingest.axis.errors import Unstorable

# A camera without a clock tells 1970 or 2000; no system that speaks this protocol is older than 2018.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=2)
MUST_BE_WRONG = timedelta(days=1)
LONGEST = timedelta(days=2)
_DISAGREE = timedelta(seconds=2)
_MILLISECONDS = 10**11
_EPOCH = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class ClipTimes:
    """When a clip was made. `started_at` and `ended_at` count; the device's own values stand beside them."""

    started_at: datetime
    ended_at: datetime
    device_started_at: datetime
    device_ended_at: datetime
    status: str  # stated, doubtful, unset: footage's Recording.ClockStatus


def moment(metadata: Mapping[str, str], key: str) -> datetime | None:
    """The time under `key` (lower case), from its epoch or else its ISO form; None where neither can be read."""
    return epoch(metadata.get(key, "")) or iso(metadata.get(key, "")) or iso(metadata.get(f"{key}iso", ""))


def agree(metadata: Mapping[str, str], key: str) -> bool:
    """Whether the two forms of a time say the same, where both are there."""
    one, other = epoch(metadata.get(key, "")), iso(metadata.get(f"{key}iso", ""))
    return one is None or other is None or abs(one - other) <= _DISAGREE


def clip_times(metadata: Mapping[str, str], now: datetime) -> ClipTimes:
    """From when to when a clip lasts. Raises Unstorable without a duration, or for times that cannot be."""
    started, ended = moment(metadata, "starttime"), moment(metadata, "stoptime")
    if started is None:
        raise Unstorable("The clip does not say when it begins.")
    if ended is None or ended <= started:
        raise Unstorable("The clip has no duration.")
    if started < EARLIEST or ended > now + MUST_BE_WRONG or ended - started > LONGEST:
        raise Unstorable(f"The clip's times are out of bounds: {started.isoformat()} to {ended.isoformat()}.")
    if ended > now + AHEAD:
        # Its clock is ahead of ours: it ended at the latest now, and lasted as long as it says.
        return ClipTimes(now - (ended - started), now, started, ended, "unset")
    sure = agree(metadata, "starttime") and agree(metadata, "stoptime")
    return ClipTimes(started, ended, started, ended, "stated" if sure else "doubtful")


def rejected_times(metadata: Mapping[str, str], container: Mapping[str, str], now: datetime) -> ClipTimes:
    """The same for rejected content, which is never refused: what cannot be said is taken to be now."""
    try:
        return clip_times(metadata, now)
    except Unstorable:
        at = moment(metadata, "starttime") or moment(container, "rejectedcontenttime")
        if at is not None and EARLIEST <= at <= now:
            return ClipTimes(at, at, at, at, "doubtful")
        return ClipTimes(now, now, now, now, "unset")


def epoch(text: str) -> datetime | None:
    """Seconds (or, where the number is that large, milliseconds) since 1970."""
    if not _EPOCH.fullmatch(text):
        return None
    number = float(text)
    try:
        return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso(text: str) -> datetime | None:
    """RFC 3339; the compact form of container names as well. Without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None
