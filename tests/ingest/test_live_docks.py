"""The page of what is uploading now: rates, what waits and why, docks that are silent, and who may look."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.fleet.models import Camera, Dock
from bluelamp.ingest import hooks, live, rates
from bluelamp.ingest.hooks import Hindrance
from bluelamp.ingest.models import DockingSession, Upload
from bluelamp.kernel import clock
from bluelamp.kernel.ids import new_id
from bluelamp.people.policy import Role
from tests import factories, signin

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAGE = "/fleet/docking/"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_rate_takes_two_samples_and_the_last_twenty_seconds() -> None:
    samples = rates.noted([], at(0), 0)
    assert rates.rate(samples, at(0)) is None
    samples = rates.noted(samples, at(2), 20_000_000)
    assert rates.rate(samples, at(2)) == 10_000_000
    for seconds in range(4, 60, 2):
        samples = rates.noted(samples, at(seconds), 20_000_000 + seconds * 1_000_000)
    assert rates.rate(samples, at(58)) == 1_000_000
    assert len(samples) <= 11


def test_a_rate_falls_to_nothing_when_nothing_comes() -> None:
    samples = rates.noted(rates.noted([], at(0), 0), at(2), 100)
    assert rates.rate(samples, at(12)) == 50
    assert rates.rate(samples, at(12.1)) == 0


def test_an_upload_that_began_anew_is_measured_anew() -> None:
    samples = rates.noted(rates.noted([], at(0), 900), at(2), 100)
    assert rates.rate(samples, at(2)) is None


def test_what_is_left_is_told_only_where_it_can_be() -> None:
    assert rates.left(25, 100, 25.0) == timedelta(seconds=3)
    assert rates.left(25, None, 25.0) is None
    assert rates.left(25, 100, 0.0) is None
    assert rates.left(25, 100, None) is None


def test_uploads_that_wait_for_a_turn_are_told_of() -> None:
    assert live.turns(0, 64) == []
    assert live.turns(1, 64)[0].what == "One upload waits for a turn: the server receives 64 at once."
    assert live.turns(1200, 64)[0].what.startswith("1,200 uploads wait")


@pytest.fixture(autouse=True)
def _no_samples() -> None:
    cache.clear()


def dock(name: str = "Northgate, room 1", **more: Any) -> Dock:
    return Dock.objects.create(name=name, token_sha256=name, last_seen_at=more.pop("last_seen_at", clock.now()), **more)


def coming(
    camera: Camera, where: Dock, sequence: int = 1, *, offset: int = 0, ago: float = 0, docked: float = 600, **more: Any
) -> Upload:
    """An upload whose last byte came `ago` seconds before now, of a camera docked `docked` seconds before now."""
    now = clock.now()
    opened = now - timedelta(seconds=docked)
    session = DockingSession.objects.create(
        dock=where, camera=camera, opened_at=opened, device_clock=opened, clock_offset_ms=0, clock_set=True
    )
    upload = new_id()
    fields: dict[str, Any] = {
        "owner": where.custody_id,
        "session": session,
        "camera": camera,
        "sequence": sequence,
        "length": 100_000_000,
        "created_at": opened,
        **more,
    }
    return Upload.objects.create(
        id=upload,
        offset=offset,
        object_name=f"recordings/{upload}/original",
        updated_at=now - timedelta(seconds=ago),
        expires_at=now + timedelta(days=7),
        **fields,
    )


def states(found: live.Live) -> dict[int, str]:
    return {each.upload.sequence or 0: each.state for place in found.places for each in place.uploads}


@pytest.mark.parametrize(
    ("states", "silent"),
    [
        (["silent", "silent"], True),
        (["silent", "lost"], True),
        (["lost", "lost"], False),
        (["silent", "lost", "uploading"], False),
        (["lost", "complete"], False),
    ],
)
def test_a_lost_file_neither_makes_its_dock_silent_nor_hides_that_it_is(states: list[str], silent: bool) -> None:
    place = live.Place("A dock", "", [SimpleNamespace(state=state) for state in states])  # type: ignore[misc]
    assert place.silent is silent


@pytest.mark.django_db
class TestWhatIsUploading:
    @pytest.fixture
    def camera(self) -> Camera:
        return factories.camera(factories.unit("Northgate Response"), serial="BL-7")

    def test_one_that_moves_is_uploading_and_the_next_look_knows_its_rate(self, camera: Camera) -> None:
        upload = coming(camera, dock(), offset=10_000_000, ago=4)
        (place,) = live.live().places
        assert (place.uploads[0].state, place.uploads[0].rate) == ("uploading", None)
        Upload.objects.filter(pk=upload.pk).update(
            offset=30_000_000, updated_at=upload.updated_at + timedelta(seconds=2)
        )
        found = live.live()
        (each,) = found.places[0].uploads
        assert (each.rate, each.left) == (10_000_000, timedelta(seconds=7))
        assert (found.rate, found.uploading, found.sentence) == (10_000_000, 1, "1 uploading.")

    def test_the_others_of_its_camera_wait_their_turn(self, camera: Camera) -> None:
        where = dock()
        coming(camera, where, 1, offset=5)
        coming(camera, where, 2)
        found = live.live()
        assert states(found) == {1: "uploading", 2: "waiting"}
        assert "turn" in found.places[0].uploads[1].why
        assert found.sentence == "1 uploading, 1 waiting."

    def test_one_that_stopped_makes_its_dock_silent(self, camera: Camera) -> None:
        coming(camera, dock(), offset=5, ago=90)
        found = live.live()
        assert states(found) == {1: "silent"}
        assert found.places[0].silent
        assert found.sentence == "Nothing uploading, 1 waiting, one dock silent."

    def test_one_just_docked_is_about_to_begin(self, camera: Camera) -> None:
        coming(camera, dock(), docked=5)
        assert states(live.live()) == {1: "waiting"}

    def test_a_complete_one_waits_for_acceptance(self, camera: Camera) -> None:
        coming(camera, dock(), offset=100_000_000, state=Upload.State.RECEIVED)
        assert states(live.live()) == {1: "complete"}

    def test_a_complete_one_that_stays_says_that_the_store_did_not_take_it(self, camera: Camera) -> None:
        coming(camera, dock(), offset=100_000_000, state=Upload.State.RECEIVED, ago=90)
        assert "the store did not take it yet" in live.live().places[0].uploads[0].why

    def test_those_of_a_camera_that_left_its_dock_are_only_counted(self, camera: Camera) -> None:
        where = dock()
        coming(camera, where, 1, offset=5, ago=4000, docked=4100)
        coming(camera, where, 2, ago=4000, docked=4100)
        found = live.live()
        assert found.places == []
        assert (found.elsewhere, found.elsewhere_cameras) == (2, 1)
        assert found.sentence == "Nothing is uploading."

    def test_the_unit_is_that_of_whoever_has_the_camera(self, camera: Camera) -> None:
        from bluelamp.fleet import services as fleet

        fleet.issue(camera, factories.person(unit=factories.unit("Dog Support")), actor="person:1")
        coming(camera, dock(), offset=5)
        assert live.live().places[0].uploads[0].unit == "Dog Support"

    def test_what_does_not_come_from_a_dock_stands_under_where_it_comes_from(self) -> None:
        upload = new_id()
        now = clock.now()
        Upload.objects.create(
            id=upload, origin="browser", owner="person:7", length=None, offset=10, created_at=now, updated_at=now,
            expires_at=now, object_name="x",
        )  # fmt: skip
        (place,) = live.live().places
        assert (place.name, place.uploads[0].unit) == ("Added on a page", "")

    def test_docks_without_a_camera_for_a_day_are_listed_longest_first(self, camera: Camera) -> None:
        now = clock.now()
        dock("B", last_seen_at=now - timedelta(days=2))
        dock("A", last_seen_at=now - timedelta(days=9))
        dock("Used", last_seen_at=now - timedelta(hours=23))
        dock("Gone", last_seen_at=None, active=False)
        dock("New", last_seen_at=None)
        assert [each.name for each in live.live().unheard] == ["A", "B", "New"]

    def test_what_holds_uploads_up_is_said(self) -> None:
        def store_down() -> list[Hindrance]:
            return [Hindrance("The store does not answer.", "Nothing is lost.")]

        hooks.hindrances.register(store_down)
        try:
            assert [each.what for each in live.live().hindrances] == ["The store does not answer."]
        finally:
            hooks.hindrances._functions.remove(store_down)

    def test_however_much_uploads_a_page_takes_few_queries_and_stays_short(
        self, camera: Camera, django_assert_max_num_queries: Any
    ) -> None:
        where = dock()
        for number in range(1, 230):
            coming(camera, where, number, offset=5)
        with django_assert_max_num_queries(12):
            found = live.live()
        assert sum(len(place.uploads) for place in found.places) == live.MOST
        assert found.more == 29


@pytest.mark.django_db
class TestThePage:
    @pytest.fixture
    def camera(self) -> Camera:
        return factories.camera(factories.unit("Northgate Response"), serial="BL-7")

    def test_nobody_sees_it_without_signing_in(self, client: Client) -> None:
        for address in (PAGE, f"{PAGE}now/", f"{PAGE}said/"):
            response = client.get(address)
            assert response.status_code == 302
            assert response["Location"].startswith("/account/login/")

    @pytest.mark.parametrize("role", [Role.OFFICER, Role.INVESTIGATOR, Role.PROFESSIONAL_STANDARDS])
    def test_who_may_not_see_the_fleet_is_refused(self, client: Client, camera: Camera, role: Role) -> None:
        coming(camera, dock(), offset=5)
        signin.quickly(client, factories.person(role, unit=camera.unit))
        for address in (PAGE, f"{PAGE}now/", f"{PAGE}said/"):
            response = client.get(address)
            assert response.status_code == 403
            assert b"BL-7" not in response.content
            assert custody.search(tag="access.refused")[0].details["path"] == address

    @pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BWV_MANAGER, Role.AUDITOR, Role.OPERATOR])
    def test_who_may_see_the_fleet_sees_it(self, client: Client, camera: Camera, role: Role) -> None:
        coming(camera, dock(), offset=25_000_000, ago=3)
        signin.quickly(client, factories.person(role))
        page = client.get(PAGE).content.decode()
        for said in ("BL-7", "Northgate, room 1", "recording 1", "25.0 MB of 100 MB", "1 uploading."):
            assert said in page, said
        assert client.post(PAGE).status_code in (403, 405)

    def test_it_follows_by_itself_and_can_be_made_to_stand_still(self, client: Client, camera: Camera) -> None:
        coming(camera, dock(), offset=5)
        signin.quickly(client, factories.person(Role.BWV_MANAGER))
        moving, still = client.get(PAGE).content.decode(), client.get(f"{PAGE}?still").content.decode()
        assert moving.count("hx-get") == 2
        assert "hx-get" not in still
        assert "<noscript>" in moving
        fragment = client.get(f"{PAGE}now/").content.decode()
        assert "<html" not in fragment
        assert 'hx-trigger="every 3s"' in fragment
        assert '<p class="bl-lead" aria-hidden="true">1 uploading.</p>' in fragment, (
            "the sentence never lags behind the docks below it"
        )

    def test_the_sentence_for_screen_readers_is_sent_only_when_it_changes(self, client: Client, camera: Camera) -> None:
        signin.quickly(client, factories.person(Role.BWV_MANAGER))
        first = client.get(f"{PAGE}said/")
        said = re.search(r'value="([^"]*)"', first.content.decode())
        assert said is not None
        assert client.get(f"{PAGE}said/", {"said": said[1]}).status_code == 204
        coming(camera, dock(), offset=5)
        assert b"1 uploading." in client.get(f"{PAGE}said/", {"said": said[1]}).content

    def test_hostile_names_are_shown_as_text(self, client: Client, camera: Camera) -> None:
        coming(camera, dock("<b>dock</b>"), offset=5)
        signin.quickly(client, factories.person(Role.BWV_MANAGER))
        assert b"&lt;b&gt;dock" in client.get(PAGE).content
