"""Pure rules of the fleet: fingerprints of keys, what needs attention, and when a roll-out will be complete."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import linear_regression

RECENT_WEEKS = 8
_FEWEST_ISSUES = 5
_FEWEST_DAYS = 14
_FURTHEST_DAYS = 10 * 365


@dataclass(frozen=True)
class Limits:
    """From when on a camera needs a look. A force's own values replace these defaults."""

    clock_offset_ms: int = 5_000
    quiet: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class Projection:
    """When the last planned camera will be issued, and on which basis; `on` is None where that cannot be said."""

    on: date | None
    sentence: str
    per_week: float = 0.0
    complete: bool = False


def fingerprint(public_key: str) -> str:
    """SHA-256 of a public key's 32 raw bytes, as eight groups of eight hex digits that two people can compare."""
    digest = hashlib.sha256(base64.b64decode(public_key)).hexdigest()
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def token_sha256(token: str) -> str:
    """The hex SHA-256 under which a dock's token is kept; 256 random bits need no slow, salted hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def attention(
    now: datetime,
    *,
    in_service: bool,
    last_docked_at: datetime | None,
    clock_offset_ms: int | None,
    limits: Limits = Limits(),
) -> list[str]:
    """What somebody should look at about a camera, in words; empty where all is well."""
    found = []
    if last_docked_at is not None and clock_offset_ms is None:
        found.append("clock not set")
    elif clock_offset_ms is not None and abs(clock_offset_ms) > limits.clock_offset_ms:
        found.append("clock differs")
    if in_service and last_docked_at is not None and now - last_docked_at > limits.quiet:
        found.append(f"not docked for {(now - last_docked_at).days} days")
    return found


def project(issued_on: Sequence[date], planned: int, today: date, weeks: int = RECENT_WEEKS) -> Projection:
    """When the roll-out will be complete, from the days of the first issues up to `today`.

    The pace is the slope of a straight line fitted (least squares) to the number issued at the end of each day of the
    last `weeks` weeks. With fewer than five issues or two weeks to look at, or a pace that would take more than ten
    years, nothing is projected.
    """
    days = sorted(day for day in issued_on if day <= today)
    if not planned:
        return Projection(None, "Nothing is planned yet.")
    if len(days) >= planned:
        return Projection(days[planned - 1], "Every planned camera has been issued.", complete=True)
    start = today - timedelta(weeks=weeks)
    recent = sum(day > start for day in days)
    if recent < _FEWEST_ISSUES:
        first_issues = {0: "no first issue", 1: "one first issue"}.get(recent, f"{recent} first issues")
        return Projection(
            None, f"Cannot be projected yet: {first_issues} in the last {weeks} weeks; a pace takes {_FEWEST_ISSUES}."
        )
    start = max(start, days[0] - timedelta(days=1))
    span = (today - start).days
    if span < _FEWEST_DAYS:
        return Projection(None, f"Cannot be projected yet: the first camera was issued {_days_ago(span - 1)}.")
    counts = [sum(day <= start + timedelta(days=after) for day in days) for after in range(span + 1)]
    per_day = linear_regression(range(span + 1), counts).slope
    remaining = planned - len(days)
    if per_day <= 0 or remaining / per_day > _FURTHEST_DAYS:
        return Projection(
            None, f"Cannot be projected: at the pace of the last {weeks} weeks it would take over ten years."
        )
    per_week = per_day * 7
    return Projection(
        today + timedelta(days=math.ceil(remaining / per_day)),
        f"Projected from {recent} first issues in the last {weeks} weeks: {per_week:.1f} cameras a week, "
        f"{remaining:,} to go.",
        per_week,
    )


def _days_ago(days: int) -> str:
    return {0: "today", 1: "only one day ago"}.get(days, f"only {days} days ago")
