"""When a request must be answered, and what it may stop; pure.

Subject access to law-enforcement footage: DPA 2018 s.45 and s.54. Freedom of information: FOIA 2000 s.10.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

LONGEST_WINDOW = timedelta(hours=6)
"""The longest stretch of time that one public request may name; longer ones come as several requests."""

MARGIN = timedelta(minutes=30)
"""Memories of times are vague: recordings this close to the stretch are held too."""

MOST_HELD = 60
"""Recordings that one request holds by itself; beyond that a person decides, so that no form freezes the force."""

PROVISIONAL = timedelta(hours=72)
"""How long somebody has to confirm the e-mail address from the sending of the link; what matches is kept so long."""

LONGEST_UNCONFIRMED = timedelta(days=7)
"""When a request lapses at the latest, should its link never be sent: an invented address keeps nothing for ever."""

FURTHEST_BACK_MONTHS = 13
"""How far back the public form reaches. Older footage is kept only as evidence, and asked for in writing."""


class Kind(StrEnum):
    SUBJECT_ACCESS = "subject_access"
    FOI = "foi"


@dataclass(frozen=True)
class Pause:
    """Days on which the clock stood while clarification was awaited, from `since` to the day before `until`.

    `until` None: it stands still.
    """

    since: date
    until: date | None


@dataclass(frozen=True)
class ClockFacts:
    """What bears on the due date. `identity_proved` None: not yet, so that a subject access clock has not begun."""

    kind: Kind
    received: date
    identity_proved: date | None = None
    extended: bool = False
    pauses: Sequence[Pause] = ()


@dataclass(frozen=True)
class Due:
    """When the answer is due (None: the clock does not run yet, or stands), and why in a sentence."""

    on: date | None
    why: str


def due(facts: ClockFacts, today: date, bank_holidays: Collection[date]) -> Due:
    """The last day for the answer, on the law's count."""
    if any(pause.until is None for pause in facts.pauses):
        return Due(None, "The clock stands while clarification is awaited.")
    if facts.kind is Kind.FOI:
        # FOIA 2000 s.10(1): promptly, and not later than the twentieth working day following receipt.
        last = add_working_days(facts.received, 20, bank_holidays, facts.pauses)
        return Due(last, "Twenty working days from receipt (FOIA s.10).")
    if facts.identity_proved is None:
        # DPA 2018 s.54(3): the period begins with the latest of receipt, identity and fee.
        return Due(None, "The month begins when identity is proved (DPA 2018 s.54).")
    begins = max(facts.received, facts.identity_proved)
    months = 3 if facts.extended else 1  # s.54(6): two further months for complexity or number
    last = add_months(begins, months)
    why = "Three months" if facts.extended else "One month"
    return Due(
        add_days_paused(last, facts.pauses, bank_holidays), f"{why} from proof of identity and receipt (DPA 2018 s.54)."
    )


def add_months(day: date, months: int) -> date:
    """The corresponding day `months` later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_working_days(day: date, count: int, bank_holidays: Collection[date], pauses: Sequence[Pause] = ()) -> date:
    """The `count`th working day after `day`, those not counted on which the clock stood."""
    while count:
        day += timedelta(days=1)
        if is_working_day(day, bank_holidays) and not any(_stands(pause, day) for pause in pauses):
            count -= 1
    return day


def add_days_paused(last: date, pauses: Sequence[Pause], bank_holidays: Collection[date]) -> date:
    """`last` moved on by the days that the clock stood, and then to a working day."""
    last += sum(((pause.until - pause.since) for pause in pauses if pause.until), timedelta())
    while not is_working_day(last, bank_holidays):
        last += timedelta(days=1)
    return last


def is_working_day(day: date, bank_holidays: Collection[date]) -> bool:
    """Monday to Friday, unless it is a bank holiday in England and Wales."""
    return day.weekday() < 5 and day not in bank_holidays


def lapses(received: datetime, link_sent: datetime | None) -> datetime:
    """When a request lapses unless its address is confirmed; `link_sent` None: the link has not been sent yet."""
    latest = received + LONGEST_UNCONFIRMED
    return latest if link_sent is None else min(link_sent + PROVISIONAL, latest)


def earliest_day(today: date) -> date:
    """The first day that the public form takes."""
    return add_months(today, -FURTHEST_BACK_MONTHS)


def extension_problem(facts: ClockFacts, today: date) -> str:
    """Why an extension is not possible, or "" where it is (DPA 2018 s.54(6): notice within the first month)."""
    if facts.kind is Kind.FOI:
        return "A freedom of information request cannot be extended this way."
    if facts.extended:
        return "It has been extended already; two further months are the most."
    if facts.identity_proved is None:
        return "Its month has not begun: identity is not proved yet."
    if today > add_months(max(facts.received, facts.identity_proved), 1):
        return "Notice of an extension must be given within the first month, and that has passed."
    return ""


def _stands(pause: Pause, day: date) -> bool:
    return pause.until is not None and pause.since <= day < pause.until
