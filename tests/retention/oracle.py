"""A naive reckoning of the rules: from when on may a recording be gone?

Slow, by walking hours and days, with nothing of the rules' arithmetic. One "not before" a rule; None is never.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bluelamp.retention.rules import Facts, Mopi, MopiPeriods, Policy, Proceedings, Stage

LONDON = ZoneInfo("Europe/London")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _walls(started: datetime, length: timedelta) -> list[datetime]:
    """When London's clocks show the start's time again after `length`; round an hour that is missing, both readings."""
    offset = started.astimezone(LONDON).utcoffset()
    wanted = started + offset + length
    shown = [wanted - one for one in (timedelta(0), HOUR) if (wanted - one).astimezone(LONDON).utcoffset() == one]
    return shown or [wanted, wanted - HOUR]


def _midnight_after(day: date) -> datetime:
    at = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
    while at.astimezone(LONDON).date() <= day:
        at += HOUR
    return at


def _months_later(day: date, months: int) -> date:
    wanted = (day.year * 12 + day.month - 1 + months) % 12 + 1
    at = day + (months * 31 - 7) * DAY - 30 * DAY
    while at.month != wanted:
        at += DAY
    while at.day < day.day and (at + DAY).month == wanted:
        at += DAY
    while at.day > day.day:
        at -= DAY
    return at


def _years_later(day: date, years: int) -> date:
    at = day + int(years * 365.2425 - 3) * DAY
    if (day.month, day.day) == (2, 29):
        while (at.month, at.day) not in ((2, 29), (3, 1)):
            at += DAY
        return at
    while (at.month, at.day) != (day.month, day.day):
        at += DAY
    return at


def _after_proceedings(known: Proceedings) -> datetime | None:
    if known.on is None or known.stage in (Stage.UNDECIDED, Stage.CHARGED):
        return None
    if [appeal for appeal in known.appeals if not appeal.closed_on]:
        return None
    days = [known.on, *[appeal.closed_on for appeal in known.appeals]]
    if known.stage is Stage.CONVICTED:
        days.append(_months_later(known.on, 6))
        if known.custodial:
            if known.released_on is None:
                return None
            days.append(known.released_on)
    return max(_midnight_after(day) for day in days)


def _after_mopi(known: Mopi, periods: MopiPeriods) -> datetime | None:
    kept = let_go = None
    for review in known.reviews:
        if review.on >= known.clear_from:
            if review.keep:
                kept = review.on if kept is None else max(kept, review.on)
            else:
                let_go = review.on if let_go is None else max(let_go, review.on)
    if let_go is not None and (kept is None or let_go > kept):
        return _midnight_after(let_go)
    if known.group == 1:
        if known.born is None:
            return None
        year = _years_later(known.born, periods.age).year
        return None if kept is not None and kept.year >= year else datetime(year + 1, 1, 1, tzinfo=UTC)
    if known.group == 2 or kept is not None:
        return None
    if known.group == 3:
        return _midnight_after(_years_later(known.clear_from, periods.other)) if periods.time_based else None
    if known.years is None:
        return None
    return _midnight_after(_years_later(known.clear_from, max(known.years, periods.other)))


def floors(facts: Facts, policy: Policy) -> list[datetime | None]:
    """Until when each thing that keeps the recording keeps it in use."""
    found: list[datetime | None] = [None for _ in facts.holds]
    if facts.locked:
        found.append(None)
    if facts.flag is not None:
        keep = facts.flag.keep
        found.append(None if keep is None else max([facts.started_at + keep, *_walls(facts.started_at, keep)]))
    found += facts.extensions
    found += [reason.until for reason in facts.reasons]
    found += [_after_proceedings(known) for known in facts.proceedings]
    found += [_after_mopi(known, policy.mopi) for known in facts.mopi]
    return found


def limit(facts: Facts, policy: Policy) -> datetime:
    """By when it must be gone if nothing keeps it."""
    length = policy.default if facts.special is None else facts.special.length
    return min([facts.started_at + length, *_walls(facts.started_at, length)])


def gone_by(facts: Facts, policy: Policy) -> datetime | None:
    """By when it is gone: the longest of all rules."""
    ends = [limit(facts, policy)]
    for floor in floors(facts, policy):
        if floor is None:
            return None
        ends.append(floor + policy.quarantine)
    if facts.review_until is not None:
        ends.append(facts.review_until)
    late = facts.received_at + policy.review_grace
    if late > ends[0]:
        ends.append(late)
    return max(ends)
