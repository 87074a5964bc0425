"""How figures and instants read on a page. London time is shown; UTC stands in the title and in `datetime`."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from markupsafe import Markup

LONDON = ZoneInfo("Europe/London")
NONE = Markup("–")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ("kB", "MB", "GB", "TB", "PB")


def london(instant: dt.datetime | None) -> Markup:
    """An aware datetime as "22 Nov 2026, 07:19" in London, UTC in the title; an en dash for None.

    In the hour that autumn repeats the zone is written too, since the wall clock alone would be ambiguous.
    Raises ValueError for a naive datetime.
    """
    return NONE if instant is None else _london(instant, "%H:%M")


def london_seconds(instant: dt.datetime | None) -> Markup:
    """As `london`, with the seconds: "22 Nov 2026, 07:19:30"."""
    return NONE if instant is None else _london(instant, "%H:%M:%S")


def date(day: dt.date | dt.datetime | None) -> Markup:
    """A date, or the London date of an aware datetime, as "22 Nov 2026"; an en dash for None."""
    if day is None:
        return NONE
    if isinstance(day, dt.datetime):
        return _time(day, _day(_local(day)))
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), _day(day))


def utc(instant: dt.datetime | None) -> str:
    """An aware datetime as the camera burns it in: "2026-11-22T07:19:30Z"; an en dash for None."""
    return NONE if instant is None else f"{_aware(instant).astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration(seconds: float | dt.timedelta | None) -> str:
    """Seconds as "12 s", "4 min 05 s" or "1 h 04 min", rounded down to what is shown; an en dash for None."""
    if seconds is None:
        return NONE
    whole = int(seconds.total_seconds() if isinstance(seconds, dt.timedelta) else seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def clock_difference(seconds: float) -> str:
    """How far two clocks are apart: "250 ms", "9.5 s", "4 min 05 s", "1 h 04 min", "32 days"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return duration(seconds) if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"


def clock_error(offset_ms: int) -> str:
    """How wrong a clock was, from what was added to its time: "3 minutes fast", "9.5 seconds slow"."""
    exact = round(abs(offset_ms) / 1000, 1 if abs(offset_ms) >= 1000 else 2)
    if exact < 60:
        said = [_one_or_more(exact, "second")]
    else:
        seconds = int(exact)
        parts = (seconds // 86400, "day"), (seconds // 3600 % 24, "hour"), (seconds // 60 % 60, "minute")
        said = [_one_or_more(number, noun) for number, noun in (*parts, (seconds % 60, "second")) if number]
    return f"{' '.join(said)} {'fast' if offset_ms < 0 else 'slow'}"


def filesize(size: int | None) -> str:
    """Bytes in decimal units, as storage is sold: "812 bytes", "14.2 MB", "3.61 TB"; an en dash for None."""
    if size is None:
        return NONE
    if size < 1000:
        return count(size, "byte")
    value = float(size)
    for unit in _UNITS:
        value /= 1000
        if value < 999.5 or unit == _UNITS[-1]:
            break
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"


def number(value: float | None) -> str:
    """A figure with thousands separated: "22,000"; an en dash for None."""
    return NONE if value is None else f"{value:,}"


def count(value: int, noun: str, plural: str = "") -> str:
    """A figure with its noun: "1 recording", "22,000 recordings", "3 enquiries"."""
    return f"{number(value)} {noun if value == 1 else plural or noun + 's'}"


def _one_or_more(value: float, noun: str) -> str:
    return f"{value:,g} {noun}{'' if value == 1 else 's'}"


def _aware(instant: dt.datetime) -> dt.datetime:
    if instant.tzinfo is None:
        raise ValueError("A naive datetime reached a page; every instant is aware UTC.")
    return instant


def _local(instant: dt.datetime) -> dt.datetime:
    return _aware(instant).astimezone(LONDON)


def _london(instant: dt.datetime, clock: str) -> Markup:
    local = _local(instant)
    text = f"{_day(local)}, {local:{clock}}"
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        text = f"{text} {local.tzname()}"
    return _time(instant, text)


def _day(day: dt.date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _time(instant: dt.datetime, text: str) -> Markup:
    at = _aware(instant).astimezone(dt.UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(utc(at), f"{_day(at)}, {at:%H:%M:%S} UTC", text)
