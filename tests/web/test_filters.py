from datetime import UTC, date, datetime, timedelta

import pytest

from bluelamp.web import filters


def test_a_summer_instant_is_shown_in_london_time_with_utc_on_hover():
    shown = filters.london(datetime(2026, 7, 1, 6, 19, 30, tzinfo=UTC))
    assert shown == '<time datetime="2026-07-01T06:19:30Z" title="1 Jul 2026, 06:19:30 UTC">1 Jul 2026, 07:19</time>'


def test_an_instant_is_shown_with_its_seconds_where_they_were_asked_for():
    shown = filters.london_seconds(datetime(2026, 7, 1, 6, 19, 5, tzinfo=UTC))
    assert shown == '<time datetime="2026-07-01T06:19:05Z" title="1 Jul 2026, 06:19:05 UTC">1 Jul 2026, 07:19:05</time>'
    assert ">25 Oct 2026, 01:30:00 GMT<" in filters.london_seconds(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))


def test_both_passes_through_the_repeated_autumn_hour_are_told_apart():
    first = filters.london(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    second = filters.london(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert ">25 Oct 2026, 01:30 BST<" in first
    assert ">25 Oct 2026, 01:30 GMT<" in second


def test_a_naive_datetime_is_refused_rather_than_guessed():
    with pytest.raises(ValueError, match="naive"):
        filters.london(datetime(2026, 7, 1, 6, 19))  # noqa: DTZ001  the naive time is the point


def test_the_date_of_an_instant_is_the_date_in_london():
    assert ">2 Jul 2026<" in filters.date(datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert filters.date(date(2026, 7, 1)) == '<time datetime="2026-07-01">1 Jul 2026</time>'


def test_utc_is_written_as_the_camera_burns_it_in():
    assert filters.utc(datetime(2026, 11, 22, 7, 19, 30, tzinfo=UTC)) == "2026-11-22T07:19:30Z"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (timedelta(hours=26, minutes=4), "26 h 04 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds, shown):
    assert filters.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.25, "250 ms"),
        (9.5, "9.5 s"),
        (90, "90.0 s"),
        (245, "4 min 05 s"),
        (3 * 3600 + 240, "3 h 04 min"),
        (2_764_800, "32 days"),
    ],
)
def test_how_far_clocks_are_apart_reads_as_people_say_it(seconds, shown):
    assert filters.clock_difference(seconds) == shown


@pytest.mark.parametrize(
    ("offset_ms", "shown"),
    [
        (-180_000, "3 minutes fast"),
        (180_000, "3 minutes slow"),
        (-1000, "1 second fast"),
        (55, "0.06 seconds slow"),
        (-9_512, "9.5 seconds fast"),
        (-61_900, "1 minute 1 second fast"),
        (59_960, "1 minute slow"),
        (90_061_000, "1 day 1 hour 1 minute 1 second slow"),
        (-172_800_000, "2 days fast"),
    ],
)
def test_how_wrong_a_clock_was_reads_as_people_say_it(offset_ms, shown):
    assert filters.clock_error(offset_ms) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (14_230_000, "14.2 MB"),
        (999_499, "999 kB"),
        (999_999, "1.00 MB"),
        (2_413_000_000, "2.41 GB"),
        (240_000_000_000_000, "240 TB"),
        (5_000_000_000_000_000_000, "5000 PB"),
    ],
)
def test_sizes_are_in_decimal_units(size, shown):
    assert filters.filesize(size) == shown


def test_what_is_not_known_is_an_en_dash():
    every = (
        filters.london,
        filters.london_seconds,
        filters.date,
        filters.utc,
        filters.duration,
        filters.filesize,
        filters.number,
    )
    assert {str(show(None)) for show in every} == {"–"}


def test_counts_agree_with_their_noun():
    assert filters.count(1, "recording") == "1 recording"
    assert filters.count(22000, "recording") == "22,000 recordings"
    assert filters.count(0, "enquiry", "enquiries") == "0 enquiries"
