"""Who looked at one recording, from the ledger alone: it knows of recordings that have gone, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.custody import words
from bluelamp.formats.leaf import values

_SEEN = """
SELECT e.id, e.tag, e.at, d.actor, d.stored
FROM custody_detail d JOIN custody_event e ON e.id = d.event_id
WHERE d.subject = %s
  AND e.tag IN ('recording.viewed', 'recording.range_served', 'recording.consulted', 'access.refused')
ORDER BY e.id
"""
MOST_STATED = 200


@dataclass(frozen=True)
class Viewer:
    """Somebody who opened, watched or read about a recording. `stretches` are (ms, ms), merged, approximate."""

    custody_id: str
    name: str
    openings: int
    downloads: int
    without_reason: int
    facts_read: int
    bytes_sent: int
    stretches: tuple[tuple[int, int], ...]
    first_at: datetime
    last_at: datetime

    @property
    def milliseconds(self) -> int:
        return sum(end - start for start, end in self.stretches)


@dataclass(frozen=True)
class Stated:
    """A reason given on opening, or why something was refused; `what` is the purpose, or the action."""

    event_id: int
    at: datetime
    name: str
    refused: bool
    text: str
    what: str


@dataclass(frozen=True)
class Looking:
    """Everybody who looked, the latest first, and what was said about it; `stated` up to MOST_STATED, newest first."""

    viewers: list[Viewer]
    stated: list[Stated]

    @property
    def people(self) -> int:
        """How many opened it."""
        return sum(viewer.openings > 0 for viewer in self.viewers)

    @property
    def openings(self) -> int:
        return sum(viewer.openings for viewer in self.viewers)

    @property
    def reasons(self) -> list[Stated]:
        return [item for item in self.stated if not item.refused]

    @property
    def refusals(self) -> list[Stated]:
        return [item for item in self.stated if item.refused]


def looking(recording: str) -> Looking:
    """Who looked at a recording, named by its custody id."""
    viewers: dict[str, _Seen] = {}
    stated: list[tuple[int, datetime, str, bool, str, str]] = []
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [recording])
        for event_id, tag, at, actor, stored in cursor:
            said = values(bytes(stored))
            if tag == "access.refused":
                stated.append((event_id, at, actor, True, said.get("detail.why"), said.get("detail.action")))
                continue
            viewers.setdefault(actor, _Seen(at, at)).count(tag, at, said)
            if tag == "recording.viewed" and said.get("reason"):
                stated.append((event_id, at, actor, False, said["reason"], said.get("detail.purpose")))
    names = words.names(set(viewers) | {row[2] for row in stated})
    newest = sorted(viewers.items(), key=lambda found: found[1].last_at, reverse=True)
    return Looking(
        viewers=[seen.viewer(custody_id, names[custody_id]) for custody_id, seen in newest],
        stated=[
            Stated(event_id, at, names[actor], refused, text or "", what or "")
            for event_id, at, actor, refused, text, what in stated[: -MOST_STATED - 1 : -1]
        ],
    )


@dataclass
class _Seen:
    """What one person looked at, counted event by event."""

    first_at: datetime
    last_at: datetime
    openings: int = 0
    downloads: int = 0
    without_reason: int = 0
    facts_read: int = 0
    bytes_sent: int = 0
    stretches: list[tuple[int, int]] = field(default_factory=list)

    def count(self, tag: str, at: datetime, said: Mapping[str, Any]) -> None:
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)
        match tag:
            case "recording.viewed":
                self.openings += 1
                self.downloads += said.get("detail.purpose") == "download"
                self.without_reason += said.get("reason") == ""
            case "recording.consulted":
                self.facts_read += 1
            case "recording.range_served":
                self.bytes_sent += int(said["detail.last_byte"]) - int(said["detail.first_byte"]) + 1
                start, end = said.get("detail.from_ms"), said.get("detail.to_ms")
                if start is not None and end is not None and start < end:
                    self.stretches.append((start, end))

    def viewer(self, custody_id: str, name: str) -> Viewer:
        return Viewer(
            custody_id=custody_id,
            name=name,
            openings=self.openings,
            downloads=self.downloads,
            without_reason=self.without_reason,
            facts_read=self.facts_read,
            bytes_sent=self.bytes_sent,
            stretches=tuple(_merged(self.stretches)),
            first_at=self.first_at,
            last_at=self.last_at,
        )


def _merged(stretches: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches in order, without overlaps: what two requests cover both was watched once."""
    begin = end = -1
    for start, stop in sorted(stretches):
        if start > end:
            if end > begin:
                yield begin, end
            begin, end = start, stop
        end = max(end, stop)
    if end > begin:
        yield begin, end
