"""What will be stored and deleted in the next twelve months, if footage goes on arriving as it did lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from bluelamp.kernel import clock
from bluelamp.retention import rules
from bluelamp.retention.queries.decisions import policy

WEEKS = 8
"""How far back arrivals are counted."""
_MONTHS = 12

_STORED = "SELECT coalesce(sum(size), 0)::bigint FROM footage_recording WHERE state <> 'deleted'"
_GOING = """
SELECT greatest((due_at AT TIME ZONE 'Europe/London')::date, %(today)s) AS day, count(*), sum(size)::bigint
FROM footage_recording WHERE state <> 'deleted' AND due_at < %(until)s GROUP BY 1
"""
_ARRIVED = """
SELECT count(*), coalesce(sum(size), 0)::bigint, min(received_at) FROM footage_recording WHERE received_at >= %(since)s
"""
# Of what began in the weeks before the last default period: how much nobody keeps beyond it. What cools, is looked at
# once more, or had another category's limit lets go of itself too, a little later; an edit held back of anything else
# stands for what somebody keeps.
_LET_GO = """
WITH begun AS (
    SELECT size, split_part(due_rule, ':', 1) IN ('default', 'late_arrival', 'review', 'cooling') OR EXISTS (
               SELECT FROM retention_shortening s
               WHERE r.due_rule = 'held_back:' || s.id AND s.cause IN ('date', 'category')
           ) AS goes
    FROM footage_recording r WHERE started_at >= %(since)s AND started_at < %(until)s
)
SELECT coalesce(sum(size), 0)::bigint, coalesce(sum(size) FILTER (WHERE goes), 0)::bigint,
       count(*), count(*) FILTER (WHERE goes)
FROM begun
"""


@dataclass(frozen=True)
class Month:
    """One month of the projection, from `first`: what is deleted in it, and what is stored at its end, in bytes."""

    first: date
    deleted: int
    deleted_bytes: int
    stored: int


@dataclass(frozen=True)
class Projection:
    """Twelve months from today. `arrivals` and `arriving_bytes` are a day's, as in the last weeks (`days` of them).

    `let_go` is the share of the bytes that nobody keeps beyond the default; None where there is too little to tell, and
    all of it is taken to go.
    """

    stored: int
    days: int
    arrivals: float
    arriving_bytes: float
    let_go: float | None
    default_days: int
    months: tuple[Month, ...]

    @property
    def deleted(self) -> int:
        return sum(month.deleted for month in self.months)

    @property
    def is_empty(self) -> bool:
        return not self.stored and not self.arrivals


def projection() -> Projection:
    """The next twelve months, the rest of this month first."""
    now, default = clock.now(), policy().default
    today = now.astimezone(rules.LONDON).date()
    last = _next_month(today, _MONTHS)
    with connection.cursor() as cursor:
        cursor.execute(_STORED)
        (stored,) = cursor.fetchone()
        cursor.execute(_GOING, {"today": today, "until": now + timedelta(days=(last - today).days + 1)})
        going = {day: (count, size) for day, count, size in cursor.fetchall()}
        cursor.execute(_ARRIVED, {"since": now - timedelta(weeks=WEEKS)})
        count, size, earliest = cursor.fetchone()
        before = now - default
        cursor.execute(_LET_GO, {"since": before - timedelta(weeks=WEEKS), "until": before})
        known, known_let_go, known_count, known_count_let_go = cursor.fetchone()
    days = min(WEEKS * 7, (now - earliest).days + 1) if earliest else WEEKS * 7
    let_go = known_let_go / known if known else None
    share, share_count = (let_go, known_count_let_go / known_count) if let_go is not None else (1.0, 1.0)
    arrivals, arriving = count / days, size / days
    months = []
    held, first = float(stored), today
    while first < last:
        until = _next_month(first, 1)
        deleted = deleted_bytes = 0.0
        for ahead in range((first - today).days, (until - today).days):
            gone, gone_bytes = going.get(today + timedelta(days=ahead), (0, 0))
            if ahead > default.days:
                # What arrives from tomorrow on, and nobody keeps, begins to go a default period later.
                gone, gone_bytes = gone + arrivals * share_count, gone_bytes + arriving * share
            deleted, deleted_bytes = deleted + gone, deleted_bytes + gone_bytes
            held += (arriving if ahead else 0) - gone_bytes
        months.append(Month(first, round(deleted), round(deleted_bytes), round(held)))
        first = until
    return Projection(stored, days, arrivals, arriving, let_go, default.days, tuple(months))


def _next_month(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)
