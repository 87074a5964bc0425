"""What the policy's page lists: categories, and what the sweep will do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from bluelamp.footage.models import Category
from bluelamp.kernel import clock
from bluelamp.retention import rules
from bluelamp.retention.queries.decisions import policy


@dataclass(frozen=True)
class CategoryLine:
    """A category as the policy's page lists it."""

    name: str
    kept: str
    special: str
    basis: str


def categories() -> list[CategoryLine]:
    """Every category with its period in words and its basis, in order."""
    default = policy().default.days

    def kept(days: int | None) -> str:
        if days is None:
            return "Until somebody decides"
        return "The default period" if days <= default else f"{rules.period(timedelta(days=days))} from recording"

    def special(days: int | None) -> str:
        return "The default" if days is None else rules.period(timedelta(days=days))

    return [
        CategoryLine(found.name, kept(found.keep_days), special(found.special_days), found.basis)
        for found in Category.objects.all()
    ]


@dataclass(frozen=True)
class Day:
    """What the sweep will do on one London day, as things stand."""

    day: date
    quarantined: int
    deleted: int


@dataclass(frozen=True)
class Outlook:
    """The next days of the sweep. What is overdue counts under today. `later` lies beyond the last day."""

    days: tuple[Day, ...]
    later: int
    without_end: int
    in_quarantine: int
    in_review: int

    @property
    def quarantined(self) -> int:
        return sum(day.quarantined for day in self.days)

    @property
    def deleted(self) -> int:
        return sum(day.deleted for day in self.days)


# The default's deletion begins a margin before its limit (rules.decide); London's days, as the force counts them.
_OUTLOOK = """
WITH going AS (
    SELECT state, due_at - CASE WHEN due_rule = 'default' THEN %(margin)s ELSE interval '0' END AS delete_at
    FROM footage_recording WHERE state <> 'deleted' AND due_at IS NOT NULL
), steps AS (
    SELECT 'deleted' AS step, delete_at AS at FROM going
    UNION ALL
    SELECT 'quarantined', delete_at - %(quarantine)s FROM going WHERE state = 'live'
)
SELECT step, greatest((at AT TIME ZONE 'Europe/London')::date, %(today)s) AS day, count(*) FROM steps GROUP BY 1, 2
"""
_STANDING = """
SELECT count(*) FILTER (WHERE state = 'quarantined'), count(*) FILTER (WHERE due_at IS NULL),
       count(*) FILTER (WHERE state = 'live' AND review_until > %(now)s AND review_until >= due_at)
FROM footage_recording WHERE state <> 'deleted'
"""


def outlook(days: int = 31) -> Outlook:
    """What the sweep will do today and on the `days` that follow, if nothing changes."""
    periods = policy()
    now = clock.now()
    today = now.astimezone(rules.LONDON).date()
    with connection.cursor() as cursor:
        cursor.execute(_OUTLOOK, {"margin": periods.margin, "quarantine": periods.quarantine, "today": today})
        found = {(step, day): count for step, day, count in cursor.fetchall()}
        cursor.execute(_STANDING, {"now": now})
        in_quarantine, without_end, in_review = cursor.fetchone()
    listed = [today + timedelta(days=ahead) for ahead in range(days + 1)]
    return Outlook(
        days=tuple(Day(day, found.get(("quarantined", day), 0), found.get(("deleted", day), 0)) for day in listed),
        later=sum(count for (step, day), count in found.items() if step == "deleted" and day > listed[-1]),
        without_end=without_end,
        in_quarantine=in_quarantine,
        in_review=in_review,
    )
