from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.fleet.rules import Limits, attention, fingerprint, project

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def one_a_day(days: int, *, until: date = TODAY) -> list[date]:
    return [until - timedelta(days=back) for back in range(days)]


def test_at_one_a_day_the_last_fifty_take_fifty_days() -> None:
    projection = project(one_a_day(100), planned=150, today=TODAY)
    assert projection.on == TODAY + timedelta(days=50)
    assert projection.per_week == pytest.approx(7.0)
    assert "56 first issues in the last 8 weeks: 7.0 cameras a week, 50 to go" in projection.sentence


def test_only_the_recent_weeks_count_for_the_pace() -> None:
    slow = [TODAY - timedelta(days=day) for day in range(0, 56, 7)]
    fast_long_ago = [TODAY - timedelta(days=100 + day // 10) for day in range(500)]
    projection = project(slow + fast_long_ago, planned=508 + 8, today=TODAY)
    assert projection.per_week == pytest.approx(1.0, abs=0.1)
    assert projection.on is not None
    assert abs((projection.on - TODAY).days - 56) <= 6


def test_a_burst_that_has_stopped_is_not_taken_for_a_pace_that_goes_on_for_ever() -> None:
    burst = [TODAY - timedelta(days=50)] * 30
    projection = project(burst, planned=100, today=TODAY)
    assert projection.on is None or projection.per_week < 30 / 8 * 1.5


@pytest.mark.parametrize(
    ("issued", "planned", "words"),
    [
        ([], 0, "Nothing is planned yet"),
        ([], 10, "Cannot be projected yet: no first issue"),
        ([TODAY], 10, "Cannot be projected yet: one first issue in the last 8 weeks"),
        (one_a_day(4), 10, "Cannot be projected yet: 4 first issues"),
        (one_a_day(10), 50, "Cannot be projected yet: the first camera was issued only 9 days ago"),
        ([TODAY - timedelta(days=d) for d in range(0, 50, 10)], 100_000, "over ten years"),
        ([TODAY - timedelta(days=400)] * 50, 100, "Cannot be projected yet: no first issue in the last 8 weeks"),
    ],
)
def test_where_it_cannot_be_said_the_sentence_says_why(issued: list[date], planned: int, words: str) -> None:
    projection = project(issued, planned, TODAY)
    assert projection.on is None
    assert words in projection.sentence


def test_a_roll_out_that_is_complete_says_since_when() -> None:
    projection = project(one_a_day(10), planned=5, today=TODAY)
    assert projection.complete
    assert projection.on == TODAY - timedelta(days=5)


def test_issues_after_today_do_not_count() -> None:
    assert project([TODAY + timedelta(days=1)] * 50, planned=50, today=TODAY).on is None


@given(
    st.lists(st.integers(0, 400), max_size=60),
    st.integers(0, 500),
)
def test_a_projected_day_is_never_in_the_past_and_there_is_always_a_sentence(back: list[int], planned: int) -> None:
    projection = project([TODAY - timedelta(days=days) for days in back], planned, TODAY)
    assert projection.sentence
    if projection.on and not projection.complete:
        assert projection.on > TODAY


def test_a_fingerprint_is_eight_groups_of_eight_digits() -> None:
    groups = fingerprint("A" * 43 + "=").split()
    assert [len(group) for group in groups] == [8] * 8


@pytest.mark.parametrize(
    ("last", "offset", "in_service", "expected"),
    [
        (None, None, True, []),
        (NOW - timedelta(days=1), 100, True, []),
        (NOW - timedelta(days=1), None, True, ["clock not set"]),
        (NOW - timedelta(days=1), -60_000, True, ["clock differs"]),
        (NOW - timedelta(days=9), 0, True, ["not docked for 9 days"]),
        (NOW - timedelta(days=9), 0, False, []),
    ],
)
def test_a_camera_needs_a_look_for_its_clock_or_for_its_silence(
    last: datetime | None, offset: int | None, in_service: bool, expected: list[str]
) -> None:
    found = attention(NOW, in_service=in_service, last_docked_at=last, clock_offset_ms=offset)
    assert found == expected


def test_a_forces_own_limits_replace_the_defaults() -> None:
    strict = Limits(clock_offset_ms=10, quiet=timedelta(hours=1))
    found = attention(NOW, in_service=True, last_docked_at=NOW - timedelta(days=2), clock_offset_ms=50, limits=strict)
    assert found == ["clock differs", "not docked for 2 days"]
