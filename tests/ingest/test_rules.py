"""When a recording was made, and what a camera may say."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats.manifest import ManifestEntry
from bluelamp.ingest.imports.arrivals import ANY_AGE
from bluelamp.ingest.rules import ClockPolicy, Measured, corrected, incident_id, offset_ms, repeated_sequences
from tests.ingest.docks import Camera

DOCKED = datetime(2026, 11, 22, 7, 19, tzinfo=UTC)


def entry(started: str = "2026-11-22T06:00:00Z", ended: str = "2026-11-22T06:10:00Z", **more: object) -> ManifestEntry:
    return Camera("BL1").record(b"x", started_at=started, ended_at=ended, **more).entry


def test_a_small_offset_is_added_and_the_clock_is_good() -> None:
    times = corrected(entry(), Measured(DOCKED, 1500, True))
    assert times.started_at == datetime(2026, 11, 22, 6, 0, 1, 500_000, tzinfo=UTC)
    assert times.ended_at == datetime(2026, 11, 22, 6, 10, 1, 500_000, tzinfo=UTC)
    assert (times.clock_offset_ms, times.status) == (1500, "good")


def test_beyond_the_threshold_the_recording_is_marked_and_corrected() -> None:
    times = corrected(entry(), Measured(DOCKED, -3_600_000, True))
    assert times.started_at == datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
    assert times.status == "drifting"


def test_an_unset_clock_means_the_docking_time() -> None:
    times = corrected(entry(clock_set=False), Measured(DOCKED, 0, True))
    assert times.ended_at == DOCKED
    assert times.started_at == DOCKED - timedelta(minutes=10)
    assert (times.clock_offset_ms, times.status) == (0, "unset")


def test_a_clock_lost_since_leaves_the_recording_s_own_time_and_marks_it() -> None:
    times = corrected(entry(), Measured(DOCKED, 56 * 365 * 86_400_000, False))
    assert times.started_at == datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
    assert (times.clock_offset_ms, times.status) == (0, "doubtful")


def test_an_archive_of_signed_recordings_keeps_its_times_whatever_its_age() -> None:
    old = entry("2019-05-01T07:20:00Z", "2019-05-01T07:40:00Z")
    times = corrected(old, Measured(DOCKED, 0, False), ANY_AGE)
    assert times.started_at == datetime(2019, 5, 1, 7, 20, tzinfo=UTC)
    assert times.status == "doubtful"
    assert corrected(entry(clock_set=False), Measured(DOCKED, 0, False), ANY_AGE).status == "unset"


@pytest.mark.parametrize(
    ("started", "ended"),
    [
        ("2026-11-22T07:20:00Z", "2026-11-22T07:40:00Z"),  # ends after it was docked
        ("2024-11-22T07:20:00Z", "2024-11-22T07:40:00Z"),  # two years ago
        ("2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z"),  # lasts for weeks
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_an_implausible_time_means_the_docking_time(started: str, ended: str) -> None:
    times = corrected(entry(started, ended), Measured(DOCKED, 0, True))
    assert times.ended_at == DOCKED
    assert times.status == "unset"
    assert times.started_at >= DOCKED - ClockPolicy().longest


@given(
    start=st.datetimes(timezones=st.just(UTC)),
    lasts=st.timedeltas(timedelta(), timedelta(days=400)),
    offset=st.integers(-(2**45), 2**45),
    entry_set=st.booleans(),
    session_set=st.booleans(),
)
def test_whatever_a_camera_says_a_recording_ended_by_the_time_it_was_docked(
    start: datetime, lasts: timedelta, offset: int, entry_set: bool, session_set: bool
) -> None:
    end = min(start, datetime(9000, 1, 1, tzinfo=UTC)) + lasts
    start = end - lasts
    given_entry = entry(
        f"{start:%Y-%m-%dT%H:%M:%SZ}".zfill(20), f"{end:%Y-%m-%dT%H:%M:%SZ}".zfill(20), clock_set=entry_set
    )
    times = corrected(given_entry, Measured(DOCKED, offset, session_set))
    assert times.started_at <= times.ended_at <= DOCKED
    assert times.ended_at - times.started_at <= ClockPolicy().longest


def test_the_offset_is_server_minus_device() -> None:
    assert offset_ms(DOCKED, DOCKED - timedelta(seconds=2)) == 2000


def test_no_camera_can_put_footage_into_another_s_incident() -> None:
    number = str(uuid.uuid4())
    mine, theirs = Camera("A"), Camera("B")
    one = mine.record(b"1", incident=number).entry
    two = mine.record(b"2", incident=number, part=2).entry
    other = theirs.record(b"3", incident=number).entry
    assert incident_id(one) == incident_id(two) != incident_id(other)


def test_a_number_used_for_two_recordings_is_found() -> None:
    camera = Camera("A")
    entries = [camera.record(b"1").entry, camera.record(b"2").entry, camera.record(b"3", sequence=2).entry]
    assert repeated_sequences(entries) == {2}
    assert repeated_sequences([*entries[:2], entries[0]]) == set()
