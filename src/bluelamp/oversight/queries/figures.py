"""The figures of the oversight page: what was recorded, went, was shared, and whether the seven promises hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bluelamp.kernel import clock
from bluelamp.oversight import rules
from bluelamp.oversight.queries import promises, sql
from bluelamp.oversight.queries.sql import Asked, Shown
from bluelamp.rights import queries as rights
from bluelamp.rights.models import Request

MONTHS = 12
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Month:
    """Recordings shared in one London month: with the Crown Prosecution Service, and with everybody."""

    first: date
    cps: int
    everybody: int


@dataclass(frozen=True)
class Figures:
    """Where the force's footage stands at `at` (Bluelamp's clock). Instants are aware; counts are of what is there now.

    `past_limit` counts recordings that nothing keeps and that are older than the default period of `limit_days`.
    `shown` are the queries that were run, in order, those of the promises apart.
    """

    at: datetime
    milliseconds: int
    first_at: datetime | None
    recorded: int
    recorded_lately: int
    kept: int
    quarantined: int
    flagged: int
    waiting: int
    failed: int
    oldest_unflagged_at: datetime | None
    past_limit: int
    limit_days: int
    months: tuple[Month, ...]
    shared: int
    requests_open: int
    requests_unconfirmed: int
    requests_overdue: int
    cameras_planned: int
    cameras_issued: int
    missing: int
    discrepancies: int
    missing_since: datetime | None
    holds: int
    held_recordings: int
    refused_this_month: int
    promises: tuple[promises.Promise, ...]
    shown: tuple[Shown, ...]

    @property
    def deleted(self) -> int:
        """Gone under policy: there is no other way out."""
        return self.recorded - self.kept

    @property
    def shared_with_cps_this_month(self) -> int:
        return self.months[-1].cps

    @property
    def discs_saved(self) -> int:
        """One disc a share: what used to be burnt and driven to its recipient."""
        return self.shared

    @property
    def oldest_unflagged_age(self) -> timedelta | None:
        return self.at - self.oldest_unflagged_at if self.oldest_unflagged_at else None


def figures() -> Figures:
    """All figures, computed now from the data; none of them is stored beforehand."""
    with sql.modestly():
        return _figures(clock.now())


def shares_by_month(asked: Asked, today: date) -> tuple[tuple[Month, ...], int]:
    """The last MONTHS London months, that of `today` last; and the number of all shares ever."""
    firsts = rules.months_to(today, MONTHS)
    rows = asked.all(sql.SHARES, months=[rules.month_start(first) for first in firsts])
    found = {row["month"]: row for row in rows}
    nothing = {"cps": 0, "everybody": 0}
    months = [(first, found.get(number, nothing)) for number, first in enumerate(firsts, 1)]
    return (
        tuple(Month(first, row["cps"], row["everybody"]) for first, row in months),
        sum(row["everybody"] for row in rows),
    )


def _figures(now: datetime) -> Figures:
    begun = time.perf_counter()
    today = now.astimezone(rules.LONDON).date()
    asked = Asked()
    recordings = asked.one(sql.RECORDINGS, lately=now - LATELY)
    unreserved = asked.one(sql.UNRESERVED, now=now)
    flagged = asked.one(sql.FLAGGED)
    months, shared = shares_by_month(asked, today)
    requests = asked.one(sql.REQUESTS)
    cameras = asked.one(sql.CAMERAS)
    missing = asked.one(sql.MISSING)
    holds = asked.one(sql.HOLDS)
    refusals = asked.one(sql.REFUSALS, month=rules.month_start(today))
    kept = promises.promises(now, (asked.shown[0], recordings), (asked.shown[1], unreserved))
    overdue = requests_overdue() if requests["open"] else 0
    return Figures(
        at=now,
        milliseconds=round((time.perf_counter() - begun) * 1000),
        first_at=recordings["first_at"],
        recorded=recordings["recorded"],
        recorded_lately=recordings["recorded_lately"],
        kept=recordings["kept"],
        quarantined=recordings["quarantined"],
        flagged=flagged["flagged"],
        waiting=recordings["waiting"],
        failed=recordings["failed"],
        oldest_unflagged_at=unreserved["oldest_at"],
        past_limit=unreserved["past_limit"],
        limit_days=unreserved["limit_days"],
        months=months,
        shared=shared,
        requests_open=requests["open"],
        requests_unconfirmed=requests["unconfirmed"],
        requests_overdue=overdue,
        cameras_planned=cameras["planned"],
        cameras_issued=cameras["issued"],
        missing=missing["missing"],
        discrepancies=missing["discrepancies"],
        missing_since=missing["since"],
        holds=holds["standing"],
        held_recordings=holds["recordings"],
        refused_this_month=refusals["refused"],
        promises=kept,
        shown=tuple(asked.shown),
    )


def requests_overdue() -> int:
    """Open requests whose last day for an answer has passed, by the law's calendar."""
    return sum(row.days_left is not None and row.days_left < 0 for row in rights.desk([Request.State.OPEN]))
