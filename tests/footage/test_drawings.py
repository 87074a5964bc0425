"""What stands under the player and beside it: reckoned from the camera's own words, whatever they are."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.footage import extent, timeline, track
from tests.footage.conftest import film

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def _at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def _event(seconds, kind, note=""):
    return {"at": _at(seconds), "kind": kind, "note": note}


# Timeline


def test_events_stand_at_their_moment_and_in_words():
    events = [_event(20, "marker", "knife"), _event(5, "start", "double press"), _event(60, "stop")]
    assert timeline.marks(events, START, 60_000) == [
        timeline.Mark(5000, "start", "Recording started: double press"),
        timeline.Mark(20_000, "marker", "Marker: knife"),
        timeline.Mark(60_000, "stop", "Recording stopped"),
    ]


def test_an_event_outside_the_recording_stands_at_its_edge_and_one_without_a_time_nowhere():
    events = [
        _event(-5, "marker"),
        _event(100, "marker"),
        {"kind": "marker"},
        {"at": "soon"},
        {"at": "2026-11-22T07:00:00"},
    ]
    assert [mark.at_ms for mark in timeline.marks(events, START, 60_000)] == [0, 60_000]


def test_mute_and_stealth_last_until_they_end_or_the_recording_does():
    events = [_event(5, "mute"), _event(9, "unmute"), _event(20, "stealth_on"), _event(30, "unmute")]
    bands = timeline.bands(timeline.marks(events, START, 60_000), 60_000, pre_event_seconds=3)
    assert [(band.kind, band.from_ms, band.to_ms) for band in bands] == [
        ("before", 0, 3000),
        ("mute", 5000, 9000),
        ("stealth_on", 20_000, 60_000),
    ]


def test_the_waveform_is_one_path_of_as_many_strokes_as_levels():
    path = timeline.waveform_path([0, 50, 100], height=40)
    assert path.count("M") == 3
    assert path.endswith("0.0V40.0")
    assert timeline.waveform_path([]) == ""


@pytest.mark.parametrize(("ms", "words"), [(0, "0:00"), (65_999, "1:05"), (3_725_000, "1:02:05")])
def test_moments_are_written_as_players_do(ms, words):
    assert timeline.clock(ms) == words


# Track


def _place(seconds, lat, lon):
    return {"at": _at(seconds), "lat": lat, "lon": lon}


def test_a_walk_north_is_drawn_upwards_and_measured():
    way = track.drawing([_place(0, "51.5000", "-0.1"), _place(60, "51.5010", "-0.1")], START)
    assert way.points[0].y > way.points[1].y
    assert way.points[0].x == way.points[1].x
    assert way.metres == pytest.approx(111, abs=1)
    assert way.scale_metres in (20, 50)
    assert [point.at_ms for point in way.points] == [0, 60_000]


def test_a_camera_that_stood_still_is_a_dot_not_a_storm():
    way = track.drawing([_place(n, f"51.50000{n}", "-0.1") for n in range(5)], START)
    assert max(p.y for p in way.points) - min(p.y for p in way.points) < 10


@given(st.lists(st.tuples(st.integers(-10, 10_000), st.floats(-90, 90), st.floats(-180, 180)), max_size=50))
def test_any_track_stays_inside_its_drawing(places):
    way = track.drawing([_place(at, str(lat), str(lon)) for at, lat, lon in places], START)
    if way is None:
        assert not places
        return
    assert all(0 <= point.x <= track.WIDTH and 0 <= point.y <= track.HEIGHT for point in way.points)
    assert way.scale_width > 0


def test_what_is_no_place_is_left_out():
    wrong = [
        {},
        _place(0, "north", "0"),
        _place(0, "91", "0"),
        {"at": "x", "lat": "1", "lon": "1"},
        _place(0, "nan", "0"),
    ]
    assert track.drawing(wrong, START) is None


def test_a_long_track_is_thinned():
    way = track.drawing([_place(n, f"{51 + n / 1e5:.5f}", "0") for n in range(20_000)], START)
    assert len(way.points) <= 500


# Where the media lie


def _box(kind, payload):
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _extent(data):
    file = io.BytesIO(data)

    def read(start, length):
        file.seek(start)
        return file.read(length)

    return extent.of_media(read, len(data))


def test_the_index_of_a_real_film_is_not_media():
    begin, end = _extent(film())
    assert 0 < begin < end < len(film())
    assert film()[begin + 4 : begin + 8] == b"mdat"
    assert film()[end + 4 : end + 8] == b"moov"


def test_fragments_and_large_boxes_are_measured_to_the_last():
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + 50) + bytes(50)
    data = _box(b"ftyp", bytes(8)) + _box(b"mdat", bytes(10)) + _box(b"moof", bytes(4)) + large + _box(b"mfra", b"")
    assert _extent(data) == (16, 16 + 18 + 12 + 66)
    assert _extent(_box(b"ftyp", b"") + struct.pack(">I4s", 0, b"mdat") + bytes(99)) == (8, 8 + 8 + 99)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_loop_or_leave_the_file(data):
    found = _extent(data)
    assert found is None or 0 <= found[0] < found[1] <= len(data)


def test_bytes_stand_for_their_share_of_the_media():
    assert extent.share(0, 999, 1000, None, 60_000) == (0, 60_000)
    assert extent.share(0, 499, 1000, (100, 900), 80_000) == (0, 40_000)
    assert extent.share(900, 999, 1000, (100, 900), 80_000) is None
    assert extent.share(0, 9, 10, None, 0) is None
