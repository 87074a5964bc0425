"""What bookmarks, tracks and locations say. Pure; strangers' text in, plain values out, never an exception."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bluelamp.formats import iso8601
from bluelamp.ingest.axis import moments

LONGEST_TEXT = 2000
MOST_POINTS = 100_000
_POINT = re.compile(r"\s*POINT\s*Z?\s*\(\s*(\S+)\s+(\S+?)(?:\s+\S+)?\s*\)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[0-9]{1,10}(?:\.[0-9]{1,12})?")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,12})?")


@dataclass(frozen=True)
class Bookmark:
    """A mark that an officer set. `at` None: none of its own, so it is about the whole recording, from the start."""

    at: datetime | None
    until: datetime | None
    category_id: str
    category_name: str
    text: str
    tags: tuple[tuple[str, str], ...]

    @property
    def note(self) -> str:
        """What it says, on one line."""
        tags = ", ".join(f"{key}: {value}" if value else key for key, value in self.tags)
        parts = (self.category_name, " ".join(self.text.split()), tags)
        return "; ".join(part for part in parts if part)[:LONGEST_TEXT]


def bookmark(metadata: Mapping[str, str], content: bytes) -> Bookmark:
    """The bookmark of an object's metadata and content."""
    text = content.decode("utf-8", "replace").replace("\x00", "\ufffd")
    return Bookmark(
        at=moments.moment(metadata, "starttime"),
        until=moments.moment(metadata, "endtime"),
        category_id=metadata.get("categoryid", ""),
        category_name=metadata.get("categoryname", ""),
        text=text.strip()[:LONGEST_TEXT],
        tags=tags(metadata.get("tags", "")),
    )


def tags(text: str) -> tuple[tuple[str, str], ...]:
    """`key:value;key:value`; a key without a value is one."""
    pairs = (part.partition(":") for part in text.split(";") if part.strip())
    return tuple((key.strip(), value.strip()) for key, _, value in pairs)


def track(content: bytes, started_at: datetime | None) -> list[tuple[datetime, str, str]] | None:
    """(time, latitude, longitude) of each entry that can be read, in order of time; None where it is no track at all.

    `started_at` is the recording's StartTime, from which entries without a time count their seconds.
    """
    try:
        entries = json.loads(content)["CoordinateEntries"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(entries, list):
        return None
    found = []
    for entry in entries[:MOST_POINTS]:
        place = _place(entry)
        at = _time(entry, started_at) if place is not None else None
        if place is not None and at is not None:
            found.append((at, *place))
    return sorted(found)


def points(found: list[tuple[datetime, str, str]]) -> list[dict[str, str]]:
    """Entries as a recording's track has them."""
    return [{"at": iso8601.to_text(at), "lat": lat, "lon": lon} for at, lat, lon in found]


def location(text: str) -> tuple[str, str, datetime | None] | None:
    """(latitude, longitude, time) of `<lat> <long> <accuracy> <epoch>`; None where there is none."""
    numbers = _NUMBER.findall(text)
    if len(numbers) < 2 or not _on_earth(numbers[0], numbers[1]):
        return None
    return numbers[0].lstrip("+"), numbers[1].lstrip("+"), moments.epoch(numbers[3]) if len(numbers) > 3 else None


def _place(entry: Any) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    found = _POINT.fullmatch(str(entry.get("LocationWKT", ""))[:200])
    # WKT has x before y: the longitude comes first.
    if found is None or not _on_earth(found[2], found[1]):
        return None
    return found[2].lstrip("+"), found[1].lstrip("+")


def _time(entry: dict[str, Any], started_at: datetime | None) -> datetime | None:
    at = moments.iso(str(entry.get("Timestamp", "")))
    seconds = entry.get("SecondsFromStart")
    if at is not None or started_at is None or not isinstance(seconds, int | float):
        return at
    return started_at + timedelta(seconds=seconds) if 0 <= seconds <= moments.LONGEST.total_seconds() else None


def _on_earth(lat: str, lon: str) -> bool:
    if not (_DECIMAL.fullmatch(lat) and _DECIMAL.fullmatch(lon)):
        return False
    return -90 <= float(lat) <= 90 and -180 <= float(lon) <= 180
