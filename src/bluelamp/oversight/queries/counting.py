"""How many events there were: by the six operations, by type, and over time; for a question that an auditor asks.

A stretch without actor or subject is counted from the index of types and times alone. One with either reads the events
themselves, so there the newest MOST_COUNTED are counted and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection

from bluelamp.custody.event import registered_types
from bluelamp.oversight.queries.ledger import Wanted, tags_wanted
from bluelamp.oversight.rules import LONDON, OPERATIONS

MOST_COUNTED = 100_000
LATELY = timedelta(days=30)
_MOST_DAYS = 62
_MOST_WEEKS = 400

_BY_INDEX = """
SELECT tag, width_bucket(at, %(edges)s::timestamptz[]) AS place, count(*) FROM custody_event
WHERE tag = ANY(%(tags)s) AND at >= %(since)s AND at < %(until)s GROUP BY 1, 2
"""
_BY_READING = """
WITH found AS (
    SELECT e.tag, e.at FROM custody_detail d JOIN custody_event e ON e.id = d.event_id
    WHERE (%(actors)s::text[] IS NULL OR d.actor = ANY(%(actors)s))
      AND (%(subjects)s::text[] IS NULL OR d.subject = ANY(%(subjects)s)
           OR (d.also && %(subjects)s AND d.also <> '{}'))
      AND e.tag = ANY(%(tags)s) AND e.at >= %(since)s AND e.at < %(until)s
    ORDER BY d.event_id DESC LIMIT %(most)s
)
SELECT tag, width_bucket(at, %(edges)s::timestamptz[]) AS place, count(*) FROM found GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Column:
    """One day, or the week or month that begins with it: events by operation (code)."""

    first: date
    last: date
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Summary:
    """The counts of a period of London days, first and last included; `unit` is "day", "week" or "month"."""

    first: date
    last: date
    unit: str
    columns: tuple[Column, ...]
    operations: dict[str, int]
    types: tuple[tuple[str, int], ...]
    complete: bool

    @property
    def total(self) -> int:
        return sum(self.operations.values())


def summary(wanted: Wanted, now: datetime) -> Summary:
    """Count what is wanted, within LATELY where no first day was given. Six operations, each type, each column."""
    until = wanted.until or now + timedelta(seconds=1)
    since = wanted.since or until - LATELY
    until = max(until, since + timedelta(hours=1))  # a first day that is still to come
    first, last = _day(since), _day(until - timedelta(microseconds=1))
    unit, firsts = _columns(first, last)
    kinds = registered_types()
    tags = tags_wanted(wanted)
    parameters = {
        "tags": list(kinds) if tags is None else tags,
        "since": since,
        "until": until,
        "edges": [datetime.combine(day, time(), LONDON).astimezone(UTC) for day in firsts],
        "actors": None if wanted.actors is None else list(wanted.actors),
        "subjects": None if wanted.subjects is None else list(wanted.subjects),
        "most": MOST_COUNTED,
    }
    reads = wanted.actors is not None or wanted.subjects is not None
    with connection.cursor() as cursor:
        cursor.execute(_BY_READING if reads else _BY_INDEX, parameters)
        rows = cursor.fetchall()
    operations = {operation.code: 0 for operation in OPERATIONS}
    types: dict[str, int] = {}
    columns: list[dict[str, int]] = [{} for _ in firsts]
    for tag, place, found in rows:
        code = kinds[tag].operation.value
        operations[code] += found
        types[tag] = types.get(tag, 0) + found
        column = columns[max(place - 1, 0)]
        column[code] = column.get(code, 0) + found
    ends = [*(day - timedelta(days=1) for day in firsts[1:]), last]
    return Summary(
        first=first,
        last=last,
        unit=unit,
        columns=tuple(Column(*each) for each in zip(firsts, ends, columns, strict=True)),
        operations=operations,
        types=tuple(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
        complete=not reads or sum(types.values()) < MOST_COUNTED,
    )


def _columns(first: date, last: date) -> tuple[str, list[date]]:
    days = (last - first).days + 1
    if days <= _MOST_DAYS:
        return "day", [first + timedelta(days=number) for number in range(days)]
    if days <= _MOST_WEEKS:
        return "week", [first + timedelta(days=number) for number in range(0, days, 7)]
    firsts = [first]
    while (following := (firsts[-1].replace(day=1) + timedelta(days=32)).replace(day=1)) <= last:
        firsts.append(following)
    return "month", firsts


def _day(instant: datetime) -> date:
    return instant.astimezone(LONDON).date()
