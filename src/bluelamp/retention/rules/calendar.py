"""Periods on the calendar and on the clock, in Europe/London.

A day is 24 hours on the clock that runs and one date on the calendar, and twice a year the two differ by an hour. No
period may be wrong by that hour in the wrong direction, so each is reckoned in both ways:

- A *limit* ("gone within 31 days") is the earlier of the two.
- A *floor* ("kept for a year from recording") is the later of the two.

What the law counts from a date (a conviction, a birthday) is counted in whole days: a floor lasts until the end of its
last day, which is midnight in London at the beginning of the next. Months end on the corresponding date, or on the last
day of a shorter month (Dodds v Walker [1981] 1 WLR 1027). Years from 29 February end on 1 March where there is no 29
February: as a floor the later day is the safe one.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

_DAY = timedelta(days=1)


def limit_after(instant: datetime, length: timedelta) -> datetime:
    """The end of a period that must not be exceeded, by the clock or by London's calendar. Aware; OverflowError."""
    return min(_both(instant, length))


def floor_after(instant: datetime, length: timedelta) -> datetime | None:
    """The end of a period that must not be cut short; None, which is never, where the calendar ends before."""
    try:
        return max(_both(instant, length))
    except (OverflowError, ValueError):
        return None


def later(instant: datetime, by: timedelta) -> datetime | None:
    """`by` later on the clock; None, which is never, where the calendar ends before."""
    try:
        return instant + by
    except OverflowError:
        return None


def add_months(day: date, months: int) -> date | None:
    """The corresponding date `months` later, or the last day of a shorter month; None beyond the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date | None:
    """The same date `years` later; 1 March for a 29 February that there is not. None beyond the calendar."""
    if day.year + years > date.max.year:
        return None
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def start_of(day: date | None) -> datetime | None:
    """Midnight in London at the beginning of `day`, in UTC."""
    return None if day is None else datetime.combine(day, time(), LONDON).astimezone(UTC)


def end_of(day: date | None) -> datetime | None:
    """Midnight in London at the end of `day`, in UTC; None beyond the calendar."""
    if day is None or day >= date.max - _DAY:
        return None
    return start_of(day + _DAY)


def when(instant: datetime) -> str:
    """An aware instant as a person in London reads it: "07:19 on 22 December 2026"."""
    local = instant.astimezone(LONDON)
    return f"{local:%H:%M} on {on(local.date())}"


def until(instant: datetime) -> str:
    """The same as the end of a time: "the end of 21 December 2026" where it is midnight."""
    local = instant.astimezone(LONDON)
    if local.time() == time():
        return f"the end of {on(local.date() - _DAY)}"
    return when(instant)


def on(day: date) -> str:
    """A date as people write it: "22 December 2026"."""
    return f"{day.day} {day:%B %Y}"


def period(length: timedelta) -> str:
    """A period in words: "10 years" where the days are those of whole years, else "40 days"."""
    years = round(length.days / 365.25)
    whole = years > 0 and abs(length.days - years * 365.25) <= 1
    return count(years, "year") if whole else count(length.days, "day")


def count(number: int, noun: str) -> str:
    """ "1 day", "1,204 days"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _both(instant: datetime, length: timedelta) -> tuple[datetime, datetime, datetime]:
    """The period's end on the clock, and both readings of its end on London's calendar.

    There are two of the latter where the hour comes twice (October) or not at all (March), and one otherwise.
    """
    wall = instant.astimezone(LONDON).replace(tzinfo=None) + length
    first, second = (wall.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1))
    return instant + length, first, second
