"""The last restore of the database, for the page that has to say what it means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bluelamp.custody.queries import search
from bluelamp.formats import iso8601
from bluelamp.oversight.events import DatabaseRestored


@dataclass(frozen=True)
class LastRestored:
    """When it was restored, from a backup of when, and what was found and done (`events.DatabaseRestored`)."""

    at: datetime
    reason: str
    taken_at: datetime
    until: datetime
    closed: int
    given_time: int
    unknown: int
    missing: int


def last() -> LastRestored | None:
    """None where it never was."""
    found = next(iter(search(tag=DatabaseRestored.tag, limit=1)), None)
    if found is None:
        return None
    said = found.details
    return LastRestored(
        at=found.at,
        reason=found.reason,
        taken_at=iso8601.parse(said["taken_at"]),
        until=iso8601.parse(said["review_until"]),
        closed=said["closed"],
        given_time=said["given_time"],
        unknown=said["unknown"],
        missing=said["missing"],
    )
