"""Who looked at one recording, from the ledger alone: it knows of recordings that have gone, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from bluelamp.custody import words

# Ranges are merged by the database: what two requests cover both was watched once.
_VIEWERS = """
SELECT d.fields->>'actor',
       count(*) FILTER (WHERE e.tag = 'recording.viewed'),
       count(*) FILTER (WHERE e.tag = 'recording.viewed' AND d.fields->>'detail.purpose' = 'download'),
       count(*) FILTER (WHERE e.tag = 'recording.viewed' AND d.fields->>'reason' = ''),
       count(*) FILTER (WHERE e.tag = 'recording.consulted'),
       coalesce(sum((d.fields->>'detail.last_byte')::bigint - (d.fields->>'detail.first_byte')::bigint + 1)
                FILTER (WHERE e.tag = 'recording.range_served'), 0),
       range_agg(int8range((d.fields->>'detail.from_ms')::bigint, (d.fields->>'detail.to_ms')::bigint))
           FILTER (WHERE e.tag = 'recording.range_served'
                   AND (d.fields->>'detail.from_ms')::bigint <= (d.fields->>'detail.to_ms')::bigint),
       min(e.at), max(e.at)
FROM custody_detail d JOIN custody_event e ON e.id = d.event_id
WHERE d.fields->>'subject' = %s AND e.tag IN ('recording.viewed', 'recording.range_served', 'recording.consulted')
GROUP BY 1 ORDER BY max(e.at) DESC
"""
_STATED = """
SELECT e.id, e.at, d.fields->>'actor', e.tag = 'access.refused',
       CASE WHEN e.tag = 'access.refused' THEN d.fields->>'detail.why' ELSE d.fields->>'reason' END,
       CASE WHEN e.tag = 'access.refused' THEN d.fields->>'detail.action' ELSE d.fields->>'detail.purpose' END
FROM custody_detail d JOIN custody_event e ON e.id = d.event_id
WHERE d.fields->>'subject' = %s
  AND (e.tag = 'access.refused' OR (e.tag = 'recording.viewed' AND d.fields->>'reason' <> ''))
ORDER BY e.id DESC LIMIT %s
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
    with connection.cursor() as cursor:
        cursor.execute(_VIEWERS, [recording])
        viewers = cursor.fetchall()
        cursor.execute(_STATED, [recording, MOST_STATED])
        stated = cursor.fetchall()
    names = words.names({row[0] for row in viewers} | {row[2] for row in stated})
    return Looking(
        viewers=[
            Viewer(
                custody_id=viewer,
                name=names[viewer],
                openings=openings,
                downloads=downloads,
                without_reason=without_reason,
                facts_read=facts_read,
                bytes_sent=int(sent),
                stretches=tuple((part.lower, part.upper) for part in watched or ()),
                first_at=first_at,
                last_at=last_at,
            )
            for viewer, openings, downloads, without_reason, facts_read, sent, watched, first_at, last_at in viewers
        ],
        stated=[
            Stated(event_id, at, names[actor], refused, text or "", what or "")
            for event_id, at, actor, refused, text, what in stated
        ],
    )
