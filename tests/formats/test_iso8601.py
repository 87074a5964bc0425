from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats import iso8601
from bluelamp.formats.errors import FormatError


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_being_written(moment):
    assert iso8601.parse(iso8601.to_text(moment)) == moment


def test_a_time_of_another_zone_is_written_in_utc():
    summer = timezone(timedelta(hours=1))
    assert iso8601.to_text(datetime(2026, 7, 1, 12, 30, tzinfo=summer)) == "2026-07-01T11:30:00Z"


def test_fractions_of_a_second_are_read():
    assert iso8601.parse("2026-11-22T07:19:05.5Z").microsecond == 500_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T07:19:05",
        "2026-11-22T07:19:05+00:00",
        "2026-11-22 07:19:05Z",
        "2026-11-22T07:19:05Z\n",
        "2026-02-30T07:19:05Z",
        "2026-11-22T24:00:01Z",
        "٢٠26-11-22T07:19:05Z",
        "",
        None,
        5,
    ],
)
def test_other_spellings_are_refused(text):
    with pytest.raises(FormatError):
        iso8601.parse(text)


def test_a_time_without_a_zone_is_not_written():
    with pytest.raises(FormatError, match="zone"):
        iso8601.to_text(datetime(2026, 7, 1))  # noqa: DTZ001 - the naive time is the point
