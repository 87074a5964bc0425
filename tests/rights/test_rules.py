"""The statutory clocks, on dates that can be checked with a calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.rights.queries import bank_holidays
from bluelamp.rights.rules import (
    LONGEST_UNCONFIRMED,
    PROVISIONAL,
    ClockFacts,
    Kind,
    Pause,
    add_months,
    add_working_days,
    due,
    extension_problem,
    is_working_day,
    lapses,
)

HOLIDAYS = bank_holidays()
TODAY = date(2026, 3, 2)


def _sar(received: date, proved: date | None = None, **more: object) -> ClockFacts:
    return ClockFacts(Kind.SUBJECT_ACCESS, received, proved, **more)


@pytest.mark.parametrize(
    ("received", "proved", "expected"),
    [
        (date(2026, 3, 3), date(2026, 3, 3), date(2026, 4, 7)),  # 3 April is Good Friday, 6 April Easter Monday
        (date(2026, 3, 3), date(2026, 3, 12), date(2026, 4, 13)),  # the later of the two; 12 April is a Sunday
        (date(2026, 1, 31), date(2026, 1, 31), date(2026, 3, 2)),  # 28 February is a Saturday
        (date(2028, 1, 31), date(2028, 1, 31), date(2028, 2, 29)),  # a leap year's February has the day
    ],
)
def test_a_subject_access_request_is_due_one_month_after_proof_of_identity(received, proved, expected):
    assert due(_sar(received, proved), TODAY, HOLIDAYS).on == expected


def test_the_month_does_not_begin_before_identity_is_proved():
    decision = due(_sar(date(2026, 3, 3)), TODAY, HOLIDAYS)
    assert decision.on is None
    assert "identity" in decision.why


def test_an_extension_gives_two_further_months():
    facts = _sar(date(2026, 3, 3), date(2026, 3, 3), extended=True)
    assert due(facts, TODAY, HOLIDAYS).on == date(2026, 6, 3)


def test_the_clock_stands_while_clarification_is_awaited():
    facts = _sar(date(2026, 3, 3), date(2026, 3, 3), pauses=[Pause(date(2026, 3, 5), None)])
    assert due(facts, TODAY, HOLIDAYS).on is None


def test_days_of_waiting_for_clarification_are_added():
    pauses = [Pause(date(2026, 3, 5), date(2026, 3, 15))]
    assert due(_sar(date(2026, 3, 3), date(2026, 3, 3), pauses=pauses), TODAY, HOLIDAYS).on == date(2026, 4, 13)


def test_freedom_of_information_has_twenty_working_days_over_easter():
    # Received on Monday 16 March 2026; Good Friday and Easter Monday do not count.
    facts = ClockFacts(Kind.FOI, date(2026, 3, 16))
    assert due(facts, TODAY, HOLIDAYS).on == date(2026, 4, 15)


@pytest.mark.parametrize(
    ("received", "since", "until", "expected"),
    [
        (date(2026, 11, 30), date(2026, 12, 23), date(2027, 1, 4), date(2027, 1, 7)),  # over Christmas and New Year
        (date(2026, 3, 16), date(2026, 4, 1), date(2026, 4, 7), date(2026, 4, 17)),  # over Easter: two working days
        (date(2026, 3, 16), date(2026, 3, 21), date(2026, 3, 22), date(2026, 4, 15)),  # a weekend stops nothing
    ],
)
def test_only_working_days_of_waiting_are_added_to_twenty_working_days(received, since, until, expected):
    facts = ClockFacts(Kind.FOI, received, pauses=[Pause(since, until)])
    assert due(facts, TODAY, HOLIDAYS).on == expected


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(0, 60), st.integers(0, 60))
def test_a_pause_never_gives_less_time_nor_more_working_days_than_it_lasted(received, after, length):
    since = received + timedelta(days=after)
    until = since + timedelta(days=length)
    plain, paused = (
        due(ClockFacts(Kind.FOI, received, pauses=pauses), TODAY, HOLIDAYS).on
        for pauses in ((), (Pause(since, until),))
    )
    assert paused >= plain
    gained = [plain + timedelta(days=n + 1) for n in range((paused - plain).days)]
    lost = [since + timedelta(days=n) for n in range(length)]
    working = [sum(is_working_day(day, HOLIDAYS) for day in days) for days in (gained, lost)]
    assert working[0] <= working[1]


def test_the_days_to_confirm_run_from_the_sending_and_end_within_a_week_of_the_asking():
    asked = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert lapses(asked, None) == asked + LONGEST_UNCONFIRMED
    assert lapses(asked, asked + timedelta(hours=5)) == asked + timedelta(hours=5) + PROVISIONAL
    assert lapses(asked, asked + timedelta(days=6)) == asked + LONGEST_UNCONFIRMED


@pytest.mark.parametrize(
    ("facts", "today", "words"),
    [
        (ClockFacts(Kind.FOI, TODAY), TODAY, "freedom of information"),
        (_sar(TODAY), TODAY, "not begun"),
        (_sar(TODAY, TODAY, extended=True), TODAY, "already"),
        (_sar(TODAY, TODAY), TODAY + timedelta(days=32), "first month"),
        (_sar(TODAY, TODAY), TODAY + timedelta(days=31), ""),
    ],
)
def test_an_extension_needs_notice_within_the_first_month(facts, today, words):
    problem = extension_problem(facts, today)
    assert words in problem
    assert bool(problem) == bool(words)


days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@given(days, st.integers(1, 36))
def test_months_keep_the_day_or_take_the_last_one(day, months):
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(days, st.integers(1, 60))
def test_a_count_of_working_days_ends_on_one_and_counts_each(day, count):
    last = add_working_days(day, count, HOLIDAYS)
    between = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert sum(is_working_day(item, HOLIDAYS) for item in between) == count
    assert is_working_day(last, HOLIDAYS)


@given(days, days)
def test_an_answer_is_never_due_on_a_day_when_nobody_works(received, proved):
    on = due(_sar(received, proved), TODAY, HOLIDAYS).on
    assert on is not None
    assert is_working_day(on, HOLIDAYS)
