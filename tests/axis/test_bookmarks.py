"""Bookmarks and tracks reach their clips, whichever came first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.axis.conftest import connect, recordings, settle
from tests.axis.system import System, bookmark, meta, trail


def _flag(recording):
    from bluelamp.footage import queries

    return queries.standing_flag(recording)


@pytest.mark.parametrize("clip_first", [True, False])
def test_a_bookmark_becomes_a_marker_and_its_category_a_flag(system: System, officer, mkv, clip_first: bool) -> None:
    at = system.began + timedelta(seconds=40)
    said = bookmark(
        at, "arrest", "Arrest", Tags="TriggerOn:Button;Odd", EndTime=(at + timedelta(seconds=9)).isoformat()
    )
    system.open()
    if clip_first:
        system.clip(mkv)
    assert system.put(f"{system.container}/bookmark_1_2", said, "Detained, zoë".encode()).status_code == 201
    if not clip_first:
        system.clip(mkv)
    settle()
    settle()
    (recording,) = recordings(system)
    markers = [event for event in recording.events if event["kind"] == "marker"]
    (marker,) = markers
    assert marker["at"] == at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "Arrest; Detained, zoë; TriggerOn: Button, Odd" in marker["note"]
    flag = _flag(recording)
    assert (flag.category.code, flag.flagged_by) == ("arrest", officer)
    assert recording.due_at is None


def test_a_bookmark_is_told_once_and_what_it_said_stays_only_with_the_recording(system: System, mkv) -> None:
    from bluelamp.ingest.models import AxisObject

    system.open()
    system.clip(mkv)
    system.put(f"{system.container}/bookmark_1_2", bookmark(system.began, "", ""), b"a word")
    settle()
    kept = AxisObject.objects.get(name="bookmark_1_2", container__name=system.container)
    assert (kept.applied, kept.content) == (True, None)


def test_a_category_that_has_gone_is_no_error(system: System, mkv) -> None:
    system.open()
    system.clip(mkv)
    said = bookmark(system.began, "no_such_category", "Something of last year")
    assert system.put(f"{system.container}/bookmark_1_2", said, b"").status_code == 201
    settle()
    (recording,) = recordings(system)
    assert _flag(recording) is None
    assert any("Something of last year" in event["note"] for event in recording.events)


def test_a_category_without_purpose_is_no_flag(system: System, mkv) -> None:
    system.open()
    system.clip(mkv)
    system.put(f"{system.container}/bookmark_1_2", bookmark(system.began, "training", "Training or test"), b"")
    settle()
    (recording,) = recordings(system)
    assert _flag(recording) is None
    assert recording.category.code == "training"


def test_the_category_that_keeps_longer_stands(system: System, mkv) -> None:
    system.open()
    system.clip(mkv)
    system.put(f"{system.container}/bookmark_1", bookmark(system.began, "arrest", "Arrest"), b"")
    system.put(f"{system.container}/bookmark_2", bookmark(system.began, "stop_search", "Stop and search"), b"")
    settle()
    (recording,) = recordings(system)
    assert _flag(recording).category.code == "arrest"


def test_what_an_unknown_officer_marked_is_held_until_somebody_says_who_that_is(entrance, unit, officer, mkv) -> None:
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisUser
    from tests import factories

    manager = factories.person(unit=unit)
    with connect(entrance, unit) as system:
        system.announce(user_id="")
        system.open()
        system.clip(mkv)
        system.put(f"{system.container}/bookmark_1", bookmark(system.began, "arrest", "Arrest"), b"")
        settle()
        (recording,) = recordings(system)
        assert recording.wearer is None
        assert recording.due_at is None
        assert recording.holds.filter(released_at=None).count() == 1
        linked = services.link_user(AxisUser.objects.get(uuid=system.user), officer, by=manager, reason="Asked him.")
        assert linked == 1
        (recording,) = recordings(system)
        assert (recording.wearer, recording.unit) == (officer, unit)
        assert _flag(recording).flagged_by == officer
        assert not recording.holds.filter(released_at=None)


def test_a_bookmark_goes_to_the_clip_of_its_moment(system: System, mkv, other_mkv) -> None:
    late = system.began + timedelta(seconds=90)
    system.open()
    system.clip(mkv)
    system.put(f"{system.container}/bookmark_1", bookmark(late, "", "Late"), b"")
    settle()
    assert not any(event["kind"] == "marker" for event in recordings(system)[0].events), "its clip is yet to come"
    system.clip(other_mkv, part=2)
    settle()
    first, second = recordings(system)
    assert not any(event["kind"] == "marker" for event in first.events)
    assert [event["note"] for event in second.events if event["kind"] == "marker"] == ["Late"]


def test_a_bookmark_without_its_clip_goes_to_the_nearest_when_the_recording_is_complete(system: System, mkv) -> None:
    system.open()
    system.clip(mkv)
    system.put(f"{system.container}/bookmark_1", bookmark(system.began + timedelta(hours=1), "", "Far"), b"")
    system.complete()
    settle()
    (recording,) = recordings(system)
    assert [event["note"] for event in recording.events if event["kind"] == "marker"] == ["Far"]


@pytest.mark.parametrize("clip_first", [True, False])
def test_a_track_is_split_among_the_clips(system: System, mkv, other_mkv, clip_first: bool) -> None:
    begin = system.began
    entries = [(begin + timedelta(seconds=second), 51.5 + second / 1000, -0.1) for second in (0, 30, 61, 119)]
    track = trail(*entries, start=begin)
    name = f"{system.container}/{begin:%Y%m%d_%H%M%S}_a1b2_{system.serial}_gpstrail.json"
    system.open(TriggerOnLocation="")
    if clip_first:
        system.clip(mkv)
    assert system.put(name, meta("Object", FileType="json"), track).status_code == 201
    if not clip_first:
        system.clip(mkv)
    system.clip(other_mkv, part=2)
    system.complete()
    settle()
    first, second = recordings(system)
    assert [(place["lat"], place["lon"]) for place in first.track] == [("51.5", "-0.1"), ("51.53", "-0.1")]
    assert [place["lat"] for place in second.track] == ["51.561", "51.619"]


def test_a_track_that_is_none_harms_nothing(system: System, mkv) -> None:
    system.open(TriggerOnLocation="")
    system.clip(mkv)
    for number, content in enumerate((b"", b"not json", b"[]", b'{"CoordinateEntries": 7}', b"[" * 100_000)):
        assert system.put(f"{system.container}/{number}_gpstrail.json", content=content).status_code == 201
    odd = b'{"CoordinateEntries": [null, {"LocationWKT": "POINT(200 95)"}, {"LocationWKT": "LINE"}]}'
    assert system.put(f"{system.container}/9_gpstrail.json", content=odd).status_code == 201
    settle()
    assert recordings(system)[0].track == []


def test_deleting_the_recording_clears_what_was_said_of_it(system: System, mkv) -> None:
    from bluelamp.footage import services as footage
    from bluelamp.ingest.models import AxisContainer, AxisObject

    system.open()
    system.clip(mkv)
    system.put(f"{system.container}/bookmark_1", bookmark(system.began + timedelta(hours=1), "", "Far"), b"secret")
    (recording,) = recordings(system)
    footage.mark_deleted(recording)
    container = AxisContainer.objects.get(name=system.container)
    assert (container.metadata, container.cleared) == ({}, True)
    for item in AxisObject.objects.filter(container=container):
        assert (item.metadata, item.content) == ({}, None)


def test_what_was_said_of_footage_that_never_came_goes_after_the_default_period(system: System) -> None:
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisContainer

    system.open()
    system.put(f"{system.container}/bookmark_1", bookmark(system.began, "", "Alone"), b"secret")
    assert services.tidy() == 0
    container = AxisContainer.objects.filter(name=system.container)
    container.update(created_at=system.began - timedelta(days=32))
    assert services.tidy() == 1
    assert container.get().metadata == {}
    assert container.get().objects_sent.get().content is None
