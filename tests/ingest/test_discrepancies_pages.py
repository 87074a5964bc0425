"""The pages of what is missing: who may see them, who may close, what they say."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.fleet import services as fleet
from bluelamp.fleet.models import Camera, Dock
from bluelamp.fleet.rules import fingerprint
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.ingest import missing
from bluelamp.ingest.models import Discrepancy, DockingSession, Offer
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.people.models import Unit
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.imports.sources import run_import, states
from tests.ingest import docks
from tests.pages import text_of

pytestmark = pytest.mark.django_db

LIST = "/fleet/docking/missing/"


@pytest.fixture
def unit() -> Unit:
    borough = factories.unit("Northgate", kind=Unit.Kind.BOROUGH)
    return factories.unit("Northgate Response", parent=borough)


@pytest.fixture
def camera(unit: Unit) -> Camera:
    return factories.camera(unit, serial="BL-7")


@pytest.fixture
def manager(client: Client, unit: Unit) -> Client:
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=unit))
    return client


def docking(camera: Camera, ago: timedelta = timedelta(hours=1)) -> DockingSession:
    dock, _ = Dock.objects.get_or_create(name="Northgate, room 1", token_sha256="x")
    at = clock.now() - ago
    return DockingSession.objects.create(
        dock=dock, camera=camera, opened_at=at, device_clock=at, clock_offset_ms=0, clock_set=True
    )


def gap(camera: Camera, *, ago: timedelta = timedelta(hours=1), **more: Any) -> Discrepancy:
    fields: dict[str, Any] = {"kind": "gap", "first": 3, "last": 7, "missing": 5, **more}
    at = clock.now() - ago
    return Discrepancy.objects.create(
        camera=camera,
        session=docking(camera, ago),
        first_seen_at=at,
        last_seen_at=at,
        found_at=at,
        detail="The camera offered recording 8, and never recordings 3 to 7.",
        **fields,
    )


def test_nobody_sees_what_is_missing_without_signing_in(client: Client, camera: Camera) -> None:
    address = f"{LIST}{gap(camera).pk}/"
    for response in (client.get(LIST), client.get(address), client.post(f"{address}close/", {"reason": "x"})):
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login/")
    assert Discrepancy.objects.get().is_open


@pytest.mark.parametrize("role", [Role.OFFICER, Role.INVESTIGATOR, Role.RIGHTS_OFFICER, Role.POST_INCIDENT_MANAGER])
def test_who_may_not_see_the_fleet_is_refused_and_the_refusal_is_in_the_ledger(
    client: Client, camera: Camera, role: Role
) -> None:
    person = factories.person(role, unit=camera.unit)
    signin.quickly(client, person)
    address = f"{LIST}{gap(camera).pk}/"
    for page in (LIST, address):
        assert client.get(page).status_code == 403
        assert custody.search(tag="access.refused")[0].details["path"] == page
    assert b"BL-7" not in client.get(address).content


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR, Role.OFFICER])
def test_only_the_manager_closes(client: Client, camera: Camera, role: Role) -> None:
    signin.quickly(client, factories.person(role, unit=camera.unit))
    address = f"{LIST}{gap(camera).pk}/"
    assert client.post(f"{address}close/", {"reason": "Because"}).status_code == 403
    assert Discrepancy.objects.get().is_open
    if role is not Role.OFFICER:
        page = client.get(address)
        assert page.status_code == 200
        assert b"Close it" not in page.content


def test_a_close_without_its_token_or_by_get_changes_nothing(camera: Camera) -> None:
    client = Client(enforce_csrf_checks=True)
    signin.quickly(client, factories.person(Role.BWV_MANAGER))
    address = f"{LIST}{gap(camera).pk}/close/"
    assert client.post(address, {"reason": "x"}).status_code == 403
    assert client.get(address).status_code == 405
    assert Discrepancy.objects.get().is_open


def test_one_that_there_is_not_is_a_designed_404(manager: Client) -> None:
    page = manager.get(f"{LIST}00000000-0000-7000-8000-000000000000/")
    assert page.status_code == 404
    assert b"There is no such discrepancy." in page.content


def test_the_list_is_narrowed_by_each_filter(manager: Client, camera: Camera, unit: Unit) -> None:
    gap(camera, ago=timedelta(days=2))
    other = factories.camera(factories.unit("Southbank"), serial="ZZ-1")
    gap(other, kind="clock_unset", first=None, last=None, missing=0)
    both = manager.get(LIST).content
    assert b"BL-7" in both
    assert b"ZZ-1" in both
    assert b"5 recordings that are not here" in both
    for query in ("kind=gap", f"unit={unit.parent.code}", "age=day"):
        page = manager.get(f"{LIST}?{query}").content
        assert b"BL-7" in page, query
        assert b"ZZ-1" not in page, query
    assert b"Nothing is like that" in manager.get(f"{LIST}?state=closed").content
    assert b"Nothing is like that" in manager.get(f"{LIST}?age=month").content


@pytest.mark.parametrize("query", ["kind=x", "unit=nowhere", "age=-1", "state=%00", "page=9999", "page=x"])
def test_a_filter_that_makes_no_sense_shows_a_page(manager: Client, camera: Camera, query: str) -> None:
    gap(camera)
    assert manager.get(f"{LIST}?{query}").status_code == 200


def test_the_page_says_when_it_was_made_who_had_the_camera_and_what_to_do(manager: Client, camera: Camera) -> None:
    now = clock.now()
    had, not_then = (factories.person(unit=camera.unit, name=name) for name in ("Amara Okafor", "Ben Smith"))
    fleet.issue(camera, had, actor="person:1", at=now - timedelta(hours=9))
    fleet.return_camera(camera, actor="person:1", state="stock", at=now - timedelta(hours=2))
    fleet.issue(camera, not_then, actor="person:1", at=now - timedelta(hours=1))
    factories.recording(had, camera=camera, sequence=2, started_at=now - timedelta(hours=8))
    factories.recording(had, camera=camera, sequence=8, started_at=now - timedelta(hours=4))
    page = manager.get(f"{LIST}{gap(camera).pk}/").content.decode()
    assert "Recordings 3 to 7" in page
    assert "After recording 2, which ended" in page
    assert "before recording 8, which began" in page
    assert "Amara Okafor" in page
    assert "Ben Smith" not in page
    assert "Dock the camera again." in page
    assert "What it means for the footage" in page


def offer(camera: Camera, sequence: int, **more: Any) -> Offer:
    session = docking(camera)
    return Offer.objects.create(
        camera=camera,
        sequence=sequence,
        entry_hash="h",
        signed=True,
        first_session=session,
        first_at=session.opened_at,
        last_session=session,
        last_at=session.opened_at,
        **more,
    )


def test_what_is_awaited_is_neither_missing_nor_here(manager: Client, camera: Camera) -> None:
    Discrepancy.objects.update(state="closed")  # what other tests left
    Offer.objects.all().delete()
    assert "Everything that cameras say they recorded is here" in text_of(manager.get(LIST))
    offer(camera, 3, state="needed")
    page = text_of(manager.get(LIST))
    assert "Nothing counts as missing. 1 recording that cameras showed has not arrived yet" in page
    assert "What has not arrived yet may still come." in page
    assert "is here, or" not in page


def folder_of(device: docks.Camera, folder: Path, *, without: set[int], erased: set[int] = frozenset()) -> Path:
    """The camera's folder as it appears over USB, with some recordings' files deleted and some let go of."""
    folder.mkdir()
    (folder / "device.json").write_text(json.dumps({"serial": device.serial}))
    (folder / "manifest.jsonl").write_text("".join(f"{each.to_json()}\n" for each in device.entries))
    (folder / "erased.jsonl").write_text("".join(json.dumps({"sequence": each}) + "\n" for each in erased))
    for each in device.entries:
        if each.entry.sequence not in without | erased:
            (folder / each.entry.filename).write_bytes(device.content[each.entry.sequence])
    return folder


def recorded(serial: str, many: int) -> docks.Camera:
    device = docks.Camera(serial)
    for number in range(many):
        device.record(f"{serial}, {number}".encode())
    return device


NOT_YET = "has not arrived yet"


@pytest.mark.parametrize("gone", [1, 2, 3], ids=["the first", "one between", "the last"])
def test_what_an_import_did_not_find_is_not_said_to_be_here(
    manager: Client, camera: Camera, tmp_path: Path, gone: int
) -> None:
    Discrepancy.objects.update(state="closed")  # what other tests left
    Offer.objects.all().delete()
    device = recorded(camera.serial, 3)
    assert states(run_import(folder_of(device, tmp_path / "camera", without={gone}))) == {"imported": 2, "missing": 1}
    page = text_of(manager.get(LIST))
    assert f"Nothing counts as missing. 1 recording that cameras showed {NOT_YET}" in page
    assert "Everything that cameras say they recorded is here" not in page
    assert f"1 recording that the camera showed {NOT_YET}" in text_of(manager.get("/fleet/cameras/BL-7/"))

    (tmp_path / "camera" / device.entries[gone - 1].entry.filename).write_bytes(device.content[gone])
    assert states(run_import(tmp_path / "camera")) == {"imported": 3}
    assert "Everything that cameras say they recorded is here" in text_of(manager.get(LIST))
    assert NOT_YET not in text_of(manager.get("/fleet/cameras/BL-7/"))


def test_what_an_imported_camera_let_go_of_before_is_not_said_to_be_here(
    manager: Client, camera: Camera, tmp_path: Path
) -> None:
    Discrepancy.objects.update(state="closed")
    Offer.objects.all().delete()
    run_import(folder_of(recorded(camera.serial, 6), tmp_path / "camera", without={6}, erased={1, 2, 4}))
    assert missing.recordings_awaited() == 4
    assert "4 recordings that the camera showed have not arrived yet" in text_of(manager.get("/fleet/cameras/BL-7/"))
    gap(camera, first=1, last=2, missing=2)
    assert missing.recordings_awaited() == 2, "a discrepancy tells of the others"
    gap(camera, first=4, last=4, missing=1, state="closed")
    assert missing.recordings_awaited() == 1, "somebody has answered for it"
    offer(camera, 6, state="needed")
    assert missing.recordings_awaited() == 1, "offered since, it is counted once"


def test_an_imported_manifest_of_another_key_shows_nothing_of_the_camera(camera: Camera, tmp_path: Path) -> None:
    Offer.objects.all().delete()
    fleet.pin_key(camera, public_key_text(Ed25519PrivateKey.generate()), actor="person:1")
    run_import(folder_of(recorded(camera.serial, 3), tmp_path / "camera", without={3}))
    assert missing.recordings_awaited() == 0
    assert missing.stretches(camera) == []


def test_counting_what_is_awaited_takes_the_same_queries_for_more_cameras(
    unit: Unit, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        serial = factories.camera(unit, serial=f"BL-7{number}").serial
        run_import(folder_of(recorded(serial, 5), tmp_path / serial, without={2, 5}))
    with django_assert_max_num_queries(7):
        assert missing.recordings_awaited() >= 8


def test_the_page_says_where_each_offered_one_stands(manager: Client, camera: Camera) -> None:
    offer(camera, 3, state="refused", why="It is too large.")
    page = manager.get(f"{LIST}{gap(camera, kind='refused', first=3, last=3, missing=1).pk}/").content.decode()
    assert "Where they stand now" in page
    assert "It is too large." in page
    assert "Northgate, room 1" in page


def test_closing_asks_for_a_reason_and_keeps_it(manager: Client, camera: Camera) -> None:
    found = gap(camera)
    address = f"{LIST}{found.pk}/"
    empty = manager.post(f"{address}close/", {"reason": " "})
    assert empty.status_code == 422
    assert b"govuk-error-summary" in empty.content
    done = manager.post(f"{address}close/", {"reason": "Used with the former system until May"})
    assert done["Location"] == LIST
    found.refresh_from_db()
    assert (found.state, found.ended_because) == ("closed", "Used with the former system until May")
    page = manager.get(address).content.decode()
    assert "Used with the former system until May" in page
    assert "Close it" not in page
    assert manager.post(f"{address}close/", {"reason": "Again"}).status_code == 409


SEVERAL = f"{LIST}close/"


def test_several_of_one_kind_are_closed_with_one_reason_each_in_the_ledger(manager: Client, camera: Camera) -> None:
    gaps = [gap(camera), gap(factories.camera(camera.unit, serial="BL-8"), first=1, last=56, missing=56)]
    clock_off = gap(camera, kind="clock_unset", first=None, last=None, missing=0)
    assert SEVERAL not in manager.get(LIST).content.decode()
    assert f"{SEVERAL}?kind=gap" in manager.get(f"{LIST}?kind=gap").content.decode()
    page = manager.get(f"{SEVERAL}?kind=gap")
    assert b"61 recordings stay missing" in page.content
    shown = dict(re.findall(r'name="(count|newest)" value="([^"]*)"', page.content.decode()))
    assert manager.post(f"{SEVERAL}?kind=gap", {**shown, "reason": ""}).status_code == 422
    done = manager.post(f"{SEVERAL}?kind=gap", {**shown, "reason": "In the former system"})
    assert done["Location"] == LIST
    for one in gaps:
        assert custody.history(one.custody_id)[-1].reason == "In the former system"
    clock_off.refresh_from_db()
    assert clock_off.is_open


def test_what_was_found_since_the_page_was_shown_is_not_closed_with_it(manager: Client, camera: Camera) -> None:
    first = gap(camera)
    page = manager.get(f"{SEVERAL}?kind=gap").content.decode()
    shown = dict(re.findall(r'name="(count|newest)" value="([^"]*)"', page))
    gap(factories.camera(camera.unit, serial="BL-8"))
    again = manager.post(f"{SEVERAL}?kind=gap", {**shown, "reason": "In the former system"})
    assert again.status_code == 422
    assert b"Meanwhile there are others among them." in again.content
    first.refresh_from_db()
    assert first.is_open


@pytest.mark.parametrize("query", ["", "?kind=", "?kind=nonsense", "?unit=nowhere"])
def test_everything_at_once_cannot_be_closed(manager: Client, camera: Camera, query: str) -> None:
    gap(camera)
    assert manager.post(f"{SEVERAL}{query}", {"reason": "x", "count": "1", "newest": ""})["Location"] == LIST
    assert Discrepancy.objects.get().is_open


@pytest.mark.parametrize(
    "role", [Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR, Role.OFFICER, Role.PROFESSIONAL_STANDARDS]
)
def test_nobody_else_closes_several(client: Client, camera: Camera, role: Role) -> None:
    found = gap(camera)
    signin.quickly(client, factories.person(role, unit=camera.unit))
    given = {"reason": "x", "count": "1", "newest": str(found.pk)}
    assert client.get(f"{SEVERAL}?kind=gap").status_code == 403
    assert client.post(f"{SEVERAL}?kind=gap", given).status_code == 403
    assert Discrepancy.objects.get().is_open
    if role is Role.SUPERVISOR:
        assert SEVERAL not in client.get(f"{LIST}?kind=gap").content.decode()


def test_the_camera_the_start_page_and_the_subnavigation_lead_there(manager: Client, camera: Camera) -> None:
    address = f"{LIST}{gap(camera).pk}/"
    factories.recording(factories.person(unit=camera.unit), camera=camera, sequence=8)
    for page in ("/fleet/cameras/BL-7/", "/"):
        assert address in manager.get(page).content.decode(), page
    assert LIST in manager.get("/fleet/").content.decode()
    assert "5 recordings are missing" in manager.get("/").content.decode()


def test_the_start_page_says_nothing_to_others(client: Client, camera: Camera) -> None:
    gap(camera)
    signin.quickly(client, factories.person(Role.OFFICER, unit=camera.unit))
    assert b"missing" not in client.get("/").content


def test_hostile_text_in_a_refusal_is_shown_as_text(manager: Client, camera: Camera) -> None:
    found = gap(camera)
    Discrepancy.objects.filter(pk=found.pk).update(detail="<script>alert(1)</script>")
    for page in (f"{LIST}{found.pk}/", "/fleet/cameras/BL-7/"):
        content = manager.get(page).content
        assert b"<script>alert(1)" not in content
        assert b"&lt;script&gt;alert(1)" in content


def turned_away(camera: Camera) -> tuple[Discrepancy, Dock, str, str]:
    """A camera that presented another key; with the dock and the fingerprints registered and presented."""
    dock, _ = fleet.add_dock("Northgate, room 2", camera.unit, "person:1")
    had, has = (public_key_text(Ed25519PrivateKey.generate()) for _ in range(2))
    before = clock.now()
    fleet.pin_key(camera, had, actor=dock.custody_id)
    with pytest.raises(Conflict):
        fleet.pin_key(camera, has, actor=dock.custody_id)
    found = Discrepancy.objects.create(
        camera=camera,
        kind="camera_refused",
        missing=0,
        first_seen_at=before,
        last_seen_at=before,
        found_at=before,
        detail="The camera was turned away when it was docked.",
    )
    return found, dock, fingerprint(had), fingerprint(has)


def test_a_camera_turned_away_is_decided_from_its_page(manager: Client, camera: Camera) -> None:
    found, dock, had, has = turned_away(camera)
    page = manager.get(f"{LIST}{found.pk}/").content.decode()
    for words in (had, has, dock.name):
        assert words in page, words
    step = re.search(r"<li>If it was repaired.*?</li>", page, re.DOTALL)[0]
    assert 'href="/fleet/cameras/BL-7/key/"' in step
    camera.refresh_from_db()
    fleet.forget_key(camera, actor="person:1", reason="Repair note 4711")
    page = manager.get(f"{LIST}{found.pk}/").content.decode()
    assert "/fleet/cameras/BL-7/key/" not in page, "there is no key left to give up"
    assert had in page


def test_whoever_may_not_give_up_keys_gets_no_link_to_it(client: Client, camera: Camera) -> None:
    found, _, had, _ = turned_away(camera)
    signin.quickly(client, factories.person(Role.SUPERVISOR, unit=camera.unit))
    page = client.get(f"{LIST}{found.pk}/").content.decode()
    assert had in page
    assert "/fleet/cameras/BL-7/key/" not in page


def test_another_kind_of_discrepancy_speaks_of_no_key(manager: Client, camera: Camera) -> None:
    turned_away(camera)
    assert "Key that it" not in manager.get(f"{LIST}{gap(camera).pk}/").content.decode()


def test_a_key_refused_after_it_ended_belongs_to_another_discrepancy(manager: Client, camera: Camera) -> None:
    found, dock, _, has = turned_away(camera)
    Discrepancy.objects.filter(pk=found.pk).update(state="resolved", ended_at=clock.now(), ended_because="Taken.")
    later = public_key_text(Ed25519PrivateKey.generate())
    with pytest.raises(Conflict):
        fleet.pin_key(camera, later, actor=dock.custody_id)
    page = manager.get(f"{LIST}{found.pk}/").content.decode()
    assert has in page
    assert fingerprint(later) not in page
