"""The figures that anybody may read: rounded, so that nobody can be recognised in them, and a minute old at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache

from bluelamp.kernel import clock
from bluelamp.oversight import rules
from bluelamp.oversight.queries import sql
from bluelamp.oversight.queries.figures import shares_by_month
from bluelamp.oversight.queries.sql import Asked
from bluelamp.rights import queries as rights
from bluelamp.rights.models import Request

_KEPT_SECONDS = 60
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class PublicFigures:
    """Counts in words (rules.told). `in_time` is the share of the last year's requests answered by the law's day."""

    at: datetime
    since: datetime | None
    recorded: str
    deleted: str
    kept: str
    shared: str
    shared_this_month: str
    requests: str
    in_time: str
    limit_days: int
    past_limit: bool


def public_figures() -> PublicFigures:
    """The figures, computed at most once a minute in each process, so that no crowd of readers loads the database."""
    found: PublicFigures | None = cache.get("oversight.public_figures")
    if found is None:
        with sql.modestly():
            found = _compute()
        cache.set("oversight.public_figures", found, _KEPT_SECONDS)
    return found


def _compute() -> PublicFigures:
    now = clock.now()
    asked = Asked()
    recordings = asked.one(sql.RECORDINGS, lately=now)
    unreserved = asked.one(sql.UNRESERVED, now=now)
    months, shared = shares_by_month(asked, now.astimezone(rules.LONDON).date())
    answered, in_time = _requests(now)
    return PublicFigures(
        at=now,
        since=recordings["first_at"],
        recorded=rules.told(recordings["recorded"]),
        deleted=rules.told(recordings["recorded"] - recordings["kept"]),
        kept=rules.told(recordings["kept"]),
        shared=rules.told(shared),
        shared_this_month=rules.told(months[-1].everybody),
        requests=rules.told(answered),
        in_time=rules.told_share(in_time, answered),
        limit_days=unreserved["limit_days"],
        past_limit=unreserved["past_limit"] > 0,
    )


def _requests(now: datetime) -> tuple[int, int]:
    """Requests closed with an answer or a refusal within a year, and how many of them by the law's day."""
    closed = Request.objects.filter(
        state__in=[Request.State.ANSWERED, Request.State.REFUSED], closed_at__gte=now - _YEAR
    ).prefetch_related("pauses")
    answered = in_time = 0
    for request in closed:
        last_day = rights.due(request).on
        answered += 1
        # Without proof of identity the month never began, so an answer cannot be late.
        in_time += last_day is None or request.closed_at.astimezone(rules.LONDON).date() <= last_day
    return answered, in_time
