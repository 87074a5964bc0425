"""What a day, a month and a year are where the clocks change and where February has 29 days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.retention import rules
from bluelamp.retention.rules import Facts, Flag, Policy, SpecialPeriod, calendar, decide

POLICY = Policy()
HOUR = timedelta(hours=1)


def london(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=rules.LONDON, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("recorded", "gone_by"),
    [
        (london(2026, 11, 21, 7, 19), london(2026, 12, 22, 7, 19)),
        # Spring: 31 days on the calendar are an hour less than 31 times 24 hours. The calendar is the earlier.
        (london(2027, 3, 1, 7, 19), london(2027, 4, 1, 7, 19)),
        (london(2027, 3, 28, 0, 59), london(2027, 4, 28, 0, 59)),
        # Autumn: 31 days on the calendar are an hour more. 31 times 24 hours are the earlier.
        (london(2027, 10, 10, 7, 19), london(2027, 11, 10, 6, 19)),
        (london(2028, 2, 29, 12, 0), london(2028, 3, 31, 12, 0)),
        # It would end in the hour that there is not: before that hour.
        (london(2027, 2, 25, 1, 30), london(2027, 3, 28, 0, 30)),
        # It would end in the hour that comes twice: at the first.
        (london(2027, 9, 30, 1, 30), london(2027, 10, 31, 1, 30)),
    ],
)
def test_the_limit_is_the_earlier_of_clock_and_calendar(recorded, gone_by):
    assert rules.default_due(recorded, POLICY) == gone_by
    assert gone_by - recorded <= timedelta(days=31)


@pytest.mark.parametrize(
    ("recorded", "days", "until"),
    [
        (london(2027, 3, 1, 7, 19), 31, london(2027, 4, 1, 8, 19)),
        (london(2027, 10, 10, 7, 19), 31, london(2027, 11, 10, 7, 19)),
        (london(2026, 11, 21, 7, 19), 365, london(2027, 11, 21, 7, 19)),
    ],
)
def test_what_is_promised_is_the_later_of_clock_and_calendar(recorded, days, until):
    flag = Flag("Violence", timedelta(days=days), "MoPI")
    assert rules.flagged_until(flag, recorded) == until
    decision = decide(Facts(recorded, recorded, flag=flag), POLICY)
    assert decision.quarantine_at == until


@given(
    st.timedeltas(timedelta(0), timedelta(days=7_300)).map(lambda since: datetime(2020, 1, 1, tzinfo=UTC) + since),
    st.timedeltas(timedelta(0), timedelta(days=4_000)),
)
def test_no_limit_is_later_and_no_promise_earlier_than_either_reckoning(started, length):
    limit, floor = calendar.limit_after(started, length), calendar.floor_after(started, length)
    assert started + length - HOUR <= limit <= started + length <= floor <= started + length + HOUR

    def shown(instant: datetime) -> datetime:
        return instant.astimezone(rules.LONDON).replace(tzinfo=None)

    assert shown(limit) <= shown(started) + length <= shown(floor)


def test_a_period_beyond_the_calendar_never_ends():
    started = london(2026, 11, 21, 7, 19)
    assert calendar.floor_after(started, timedelta(days=10_000_000)) is None
    assert calendar.later(started, timedelta(days=10_000_000)) is None
    assert calendar.add_years(date(9950, 1, 1), 100) is calendar.add_months(date(9999, 9, 1), 6) is None
    assert calendar.end_of(date.max) is None


@pytest.mark.parametrize(
    ("day", "months", "there"),
    [
        (date(2026, 11, 21), 6, date(2027, 5, 21)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2027, 8, 30), 6, date(2028, 2, 29)),
        (date(2028, 2, 29), 6, date(2028, 8, 29)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
        (date(2026, 6, 30), 6, date(2026, 12, 30)),
    ],
)
def test_months_end_on_the_corresponding_date_or_the_last_of_a_shorter_month(day, months, there):
    assert calendar.add_months(day, months) == there


def test_a_year_from_the_29th_of_february_ends_on_the_first_of_march():
    assert calendar.add_years(date(2028, 2, 29), 1) == date(2029, 3, 1)
    assert calendar.add_years(date(2028, 2, 29), 4) == date(2032, 2, 29)
    assert calendar.add_years(date(2000, 2, 29), 100) == date(2100, 3, 1)


def test_a_day_ends_at_londons_midnight_in_summer_and_in_winter():
    assert calendar.end_of(date(2027, 5, 21)) == datetime(2027, 5, 21, 23, tzinfo=UTC)
    assert calendar.end_of(date(2027, 2, 28)) == datetime(2027, 3, 1, tzinfo=UTC)
    assert calendar.end_of(date(2027, 3, 28)) - calendar.start_of(date(2027, 3, 28)) == timedelta(hours=23)
    assert calendar.end_of(date(2027, 10, 31)) - calendar.start_of(date(2027, 10, 31)) == timedelta(hours=25)


def test_the_end_of_a_day_is_said_as_such():
    assert calendar.until(datetime(2027, 5, 21, 23, tzinfo=UTC)) == "the end of 21 May 2027"
    assert calendar.until(datetime(2027, 5, 21, 22, 59, tzinfo=UTC)) == "23:59 on 21 May 2027"


def test_a_special_period_takes_the_defaults_place_as_the_limit():
    recorded = london(2026, 11, 21, 7, 19)
    facts = Facts(recorded, recorded, special=SpecialPeriod("Training", timedelta(days=28)))
    decision = decide(facts, POLICY)
    assert decision.due_at == recorded + timedelta(days=28)
    assert decision.governing.code == rules.DEFAULT
    assert decision.governing.title == "Special period"
    assert decision.sentence == (
        "Nothing keeps this recording beyond the period of 28 days from recording (Training): it will be gone by "
        "07:19 on 19 December 2026, the last 3 days in quarantine, from which it can be brought back. "
        "A flag as evidence, a hold or an extension would keep it longer."
    )


def test_a_special_period_is_a_limit_and_every_reason_still_goes_beyond_it():
    recorded = london(2026, 11, 21, 7, 19)
    facts = Facts(recorded, recorded, special=SpecialPeriod("Training", timedelta(days=28)))
    until = recorded + timedelta(days=40)
    assert decide(replace(facts, extensions=(until,)), POLICY).quarantine_at == until
    assert decide(replace(facts, locked=True), POLICY).due_at is None
    assert rules.arrived_late(replace(facts, received_at=recorded + timedelta(days=22)), POLICY)
    assert not rules.arrived_late(replace(facts, received_at=recorded + timedelta(days=21)), POLICY)


def test_the_decision_says_which_version_of_the_policy_it_was_made_under():
    recorded = london(2026, 11, 21, 7, 19)
    assert decide(Facts(recorded, recorded), replace(POLICY, version=7)).version == 7
    assert decide(Facts(recorded, recorded, locked=True), replace(POLICY, version=7)).version == 7


NOW = london(2026, 11, 21, 12)


@pytest.mark.parametrize(
    ("former", "new", "gone_by"),
    [
        (100, 50, 50),
        (100, 2, 7),
        (100, -3, 7),
        (5, 2, 5),  # never later than it would have gone without the edit
        (None, 2, 7),
        (None, 50, 50),
        (100, None, 100),
        (None, None, None),
    ],
)
def test_an_approved_edit_waits_for_the_cooling_period_and_never_beyond_the_former_date(former, new, gone_by):
    def at(days: int | None) -> datetime | None:
        return None if days is None else NOW + timedelta(days=days)

    assert rules.after_approval(at(former), at(new), NOW, POLICY) == at(gone_by)


@pytest.mark.parametrize(
    ("code", "editable"),
    [
        ("default", True),
        ("evidence", True),
        ("proceedings:7", True),
        ("mopi:7", True),
        ("proceedings_open:7", False),
        ("mopi_open:7", False),
        ("hold", False),
        ("case:7", False),
        ("", False),
    ],
)
def test_a_date_that_can_be_edited_is_known_by_its_rules_code(code, editable):
    assert rules.is_editable(code) is editable
