from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.fleet import queries, services
from bluelamp.fleet.models import Assignment, Camera, Dock, RolloutPlan
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.kernel import clock
from bluelamp.people.models import Unit
from bluelamp.people.policy import Role
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit() -> Unit:
    force = factories.unit("Bluelamp Constabulary", kind=Unit.Kind.FORCE)
    borough = factories.unit("Northgate", parent=force, kind=Unit.Kind.BOROUGH)
    return factories.unit("Northgate Response", parent=borough)


@pytest.fixture
def manager(client: Client, unit: Unit) -> Client:
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=unit))
    return client


@pytest.fixture
def camera(unit: Unit) -> Camera:
    return services.register_camera(serial="BL-7", model="BW-1", unit=unit, actor="person:1", mount="cap")


READ = ["/fleet/", "/fleet/cameras/BL-7/", "/fleet/docks/", "/fleet/rollout/"]
CHANGE = [
    ("/fleet/cameras/new/", {"serial": "X1", "model": "M", "mount": "chest"}),
    ("/fleet/cameras/BL-7/issue/", {"person": "person1"}),
    ("/fleet/cameras/BL-7/return/", {"state": "stock"}),
    ("/fleet/cameras/BL-7/state/", {"state": "lost", "reason": "x"}),
    ("/fleet/cameras/BL-7/key/", {"reason": "x"}),
    ("/fleet/docks/new/", {"name": "D"}),
    ("/fleet/docks/1/revoke/", {"reason": "x"}),
    ("/fleet/rollout/U1/", {"planned": "5"}),
]


@pytest.mark.parametrize("address", READ + [address for address, _ in CHANGE])
def test_nobody_sees_the_fleet_without_signing_in(client: Client, camera: Camera, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


@pytest.mark.parametrize("address", READ)
def test_an_officer_is_refused_and_the_refusal_is_in_the_ledger(client: Client, camera: Camera, address: str) -> None:
    officer = factories.person(Role.OFFICER, unit=camera.unit)
    signin.quickly(client, officer)
    assert client.get(address).status_code == 403
    refusal = custody.search(tag="access.refused")[0]
    assert (refusal.actor, refusal.details["path"]) == (officer.custody_id, address)


@pytest.mark.parametrize(("address", "form"), CHANGE)
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR, Role.OFFICER])
def test_who_may_only_look_changes_nothing(
    client: Client, camera: Camera, role: Role, address: str, form: dict[str, str]
) -> None:
    dock, _ = services.add_dock("Dock", None, "person:1")
    signin.quickly(client, factories.person(role, unit=camera.unit))
    before = (Camera.objects.count(), Assignment.objects.count(), Dock.objects.count(), RolloutPlan.objects.count())
    response = client.post(address.replace("docks/1/", f"docks/{dock.pk}/"), form)
    assert response.status_code == 403, address
    after = (Camera.objects.count(), Assignment.objects.count(), Dock.objects.count(), RolloutPlan.objects.count())
    assert before == after
    camera.refresh_from_db()
    assert camera.state == Camera.State.STOCK
    assert Dock.objects.get().active


def test_a_form_without_its_token_changes_nothing(camera: Camera) -> None:
    client = Client(enforce_csrf_checks=True)
    signin.quickly(client, factories.person(Role.BWV_MANAGER))
    assert client.post("/fleet/docks/new/", {"name": "D"}).status_code == 403
    assert not Dock.objects.exists()


def test_the_manager_adds_a_camera_and_meets_words_for_a_serial_that_is_taken(manager: Client, unit: Unit) -> None:
    form = {"serial": "BL-9", "model": "BW-1", "mount": "chest", "unit": unit.code}
    assert manager.post("/fleet/cameras/new/", form)["Location"] == "/fleet/cameras/BL-9/"
    again = manager.post("/fleet/cameras/new/", form)
    assert again.status_code == 422
    assert b"There is a camera with the serial BL-9 already." in again.content
    assert b"govuk-error-summary" in again.content


def test_the_list_is_narrowed_by_each_filter(manager: Client, camera: Camera, unit: Unit) -> None:
    other = services.register_camera(serial="ZZ-1", model="BW-2", unit=factories.unit(), actor="person:1")
    services.change_state(other, "repair", actor="person:1", reason="Lens")
    for query in ("q=BL-", "model=BW-1", "mount=cap", f"unit={unit.parent.code}", "state=stock"):
        page = manager.get(f"/fleet/?{query}").content
        assert b"BL-7" in page, query
        assert b"ZZ-1" not in page, query
    assert b"No camera is like that" in manager.get("/fleet/?q=nothing").content


def test_a_camera_is_found_by_its_wearer(manager: Client, camera: Camera) -> None:
    services.issue(camera, factories.person(name="Amara Okafor"), actor="person:1")
    assert b"BL-7" in manager.get("/fleet/?q=okafor").content
    assert b"BL-7" not in manager.get("/fleet/?q=smith").content


def test_issue_and_return_from_the_cameras_page(manager: Client, camera: Camera, unit: Unit) -> None:
    officer = factories.person(Role.OFFICER, unit=unit, name="Amara Okafor")
    assert b"Issue it" in manager.get("/fleet/cameras/BL-7/").content
    manager.post("/fleet/cameras/BL-7/issue/", {"person": officer.warrant_number})
    page = manager.get("/fleet/cameras/BL-7/").content.decode()
    assert "Take back from Amara Okafor" in page
    assert queries.wearer_at(camera, clock.now()) == officer
    manager.post("/fleet/cameras/BL-7/return/", {"state": "repair", "reason": "Cracked"})
    camera.refresh_from_db()
    assert camera.state == "repair"
    assert queries.wearer_at(camera, clock.now()) is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [("nobody at all", "Nobody with an open account"), ("Smith", "Several people are"), ("", "Fill in “Officer”.")],
)
def test_an_officer_who_is_not_meant_clearly_is_asked_for_again(
    manager: Client, camera: Camera, typed: str, words: str
) -> None:
    factories.person(name="Ann Smith")
    factories.person(name="Bob Smith")
    response = manager.post("/fleet/cameras/BL-7/issue/", {"person": typed})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert "govuk-form-group--error" in response.content.decode()
    assert not Assignment.objects.exists()


def test_a_supervisor_issues_the_own_units_cameras_and_no_others(client: Client, camera: Camera, unit: Unit) -> None:
    elsewhere = services.register_camera(serial="ZZ-1", model="BW-1", unit=factories.unit(), actor="person:1")
    officer = factories.person(Role.OFFICER, unit=unit)
    signin.quickly(client, factories.person(Role.SUPERVISOR, unit=unit.parent))
    form = {"person": officer.warrant_number}
    assert client.post(f"/fleet/cameras/{elsewhere.serial}/issue/", form).status_code == 403
    assert b"Issue it" not in client.get("/fleet/cameras/ZZ-1/").content
    assert client.post("/fleet/cameras/BL-7/issue/", form).status_code == 302
    assert queries.wearer_at(camera, clock.now()) == officer


def test_the_cameras_page_shows_dockings_key_and_problems(manager: Client, camera: Camera, unit: Unit) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    dock, _ = services.add_dock("Northgate 1", unit, "person:1")
    services.pin_key(camera, public_key_text(Ed25519PrivateKey.generate()), actor=dock.custody_id)
    services.record_docking(camera, dock, battery_percent=81, clock_offset_ms=90_000, firmware="1.4.2")
    page = manager.get("/fleet/cameras/BL-7/").content.decode()
    for words in ("Northgate 1", "81 %", "90.0 s behind", "Clock differs", "1.4.2", "Key fingerprint"):
        assert words in page, words
    assert b"clock differs" in manager.get("/").content


def test_giving_up_a_key_needs_a_reason(manager: Client, camera: Camera) -> None:
    camera.public_key = "A" * 43 + "="
    camera.save()
    assert manager.post("/fleet/cameras/BL-7/key/", {"reason": " "}).status_code == 422
    manager.post("/fleet/cameras/BL-7/key/", {"reason": "Repair note 4711"})
    camera.refresh_from_db()
    assert camera.public_key == ""


def test_a_docks_token_is_shown_once_and_works_until_it_is_revoked(manager: Client, unit: Unit) -> None:
    page = manager.post("/fleet/docks/new/", {"name": "Northgate 1", "unit": unit.code})
    token = page.content.decode().split('id="dock-token">')[1].split("<")[0]
    assert page["Cache-Control"] == "no-store"
    dock = queries.authenticate_dock(token)
    assert dock is not None
    assert token not in manager.get("/fleet/docks/").content.decode()
    manager.post(f"/fleet/docks/{dock.pk}/revoke/", {"reason": "Stolen"})
    assert queries.authenticate_dock(token) is None
    assert b"Revoked" in manager.get("/fleet/docks/").content


def test_the_roll_out_adds_up_along_the_tree(manager: Client, unit: Unit) -> None:
    borough = unit.parent
    assert borough is not None
    assert borough.parent is not None
    services.plan_rollout(unit, 40, None, actor="person:1")
    now = clock.now()
    for number in range(30):
        camera = services.register_camera(serial=f"R-{number}", model="BW-1", unit=unit, actor="person:1")
        services.issue(camera, factories.person(), actor="person:1", at=now - timedelta(days=number))
    force, way, below = queries.rollout()
    assert force is not None
    assert (force.planned, force.issued, len(way)) == (40, 30, 1)
    assert [(each.unit, each.planned, each.issued) for each in below] == [(borough, 40, 30)]
    assert below[0].projection.on is not None
    page = manager.get("/fleet/rollout/").content.decode()
    assert "30 of 40" in page
    assert "projected completion" in page
    assert "Northgate Response" in manager.get(f"/fleet/rollout/?unit={borough.code}").content.decode()


def test_a_boroughs_own_plan_stands_above_the_sum_of_its_units(manager: Client, unit: Unit) -> None:
    borough = unit.parent
    assert borough is not None
    services.plan_rollout(unit, 40, None, actor="person:1")
    response = manager.post(f"/fleet/rollout/{borough.code}/", {"planned": "55", "due_on": "2027-03-31"})
    assert response.status_code == 302
    standing, _, below = queries.rollout(borough.code)
    assert standing is not None
    assert (standing.planned, below[0].planned) == (55, 40)
    assert "31 Mar 2027" in manager.get(f"/fleet/rollout/?unit={borough.code}").content.decode()


def test_a_plan_below_zero_or_for_an_unknown_unit_is_refused(manager: Client, unit: Unit) -> None:
    assert manager.post(f"/fleet/rollout/{unit.code}/", {"planned": "-1"}).status_code == 422
    assert manager.post("/fleet/rollout/NOPE/", {"planned": "1"}).status_code == 404
    assert manager.get("/fleet/rollout/?unit=NOPE").status_code == 404
    assert manager.get("/fleet/cameras/NOPE/").status_code == 404
    assert manager.get("/fleet/docks/999999/revoke/").status_code == 404


def test_lost_and_retired_cameras_do_not_count_as_issued(unit: Unit) -> None:
    camera = services.register_camera(serial="L-1", model="BW-1", unit=unit, actor="person:1")
    services.issue(camera, factories.person(), actor="person:1", at=clock.now() - timedelta(days=1))
    services.return_camera(camera, actor="person:1", state="lost", reason="In the canal")
    standing, _, _ = queries.rollout(unit.code)
    assert standing is not None
    assert standing.issued == 0


def test_an_officers_start_page_shows_the_own_camera(client: Client, camera: Camera, unit: Unit) -> None:
    officer = factories.person(Role.OFFICER, unit=unit)
    services.issue(camera, officer, actor="person:1")
    signin.quickly(client, officer)
    page = client.get("/").content
    assert b'<h2 class="govuk-heading-m">Your camera</h2>' in page
    assert b"BL-7" in page


def test_an_empty_fleet_says_what_to_do(client: Client) -> None:
    signin.quickly(client, factories.person(Role.BWV_MANAGER))
    assert b"There are no cameras yet" in client.get("/fleet/").content
    assert b"There are no docks yet" in client.get("/fleet/docks/").content
    assert b"There are no units yet" in client.get("/fleet/rollout/").content


def test_a_supervisor_sees_at_home_which_cameras_of_the_unit_need_a_look(client: Client, camera: Camera) -> None:
    elsewhere = services.register_camera(serial="ZZ-1", model="BW-2", unit=factories.unit(), actor="person:1")
    for each in (camera, elsewhere):
        each.last_docked_at, each.clock_offset_ms = clock.now(), None
        each.save()
    signin.quickly(client, factories.person(Role.SUPERVISOR, unit=camera.unit))
    home = client.get("/").content
    assert b"BL-7" in home
    assert b"ZZ-1" not in home


def test_why_nothing_is_projected_stands_once_under_the_table_and_not_in_each_row(manager: Client, unit: Unit) -> None:
    borough = unit.parent
    assert borough is not None
    factories.unit("Northgate Traffic", parent=borough)
    page = manager.get(f"/fleet/rollout/?unit={borough.code}").content.decode()
    assert page.count("–: nothing can be projected") == 1
    assert "Nothing is planned yet." not in page.partition("Plans and projections")[2]


@pytest.mark.parametrize(
    ("address", "labels"),
    [
        ("/fleet/cameras/new/", ["Serial", "Model", "Worn on", "Unit that it belongs to"]),
        ("/fleet/cameras/BL-7/issue/", ["Officer"]),
        ("/fleet/cameras/BL-7/return/", ["The camera is now"]),
        ("/fleet/cameras/BL-7/state/", ["The camera is", "Reason"]),
        ("/fleet/docks/new/", ["Name"]),
    ],
)
def test_an_empty_form_names_each_field_that_is_wanted(
    manager: Client, camera: Camera, address: str, labels: list[str]
) -> None:
    page = manager.post(address, {"unit": ""}).content.decode()
    summary = page.partition("govuk-error-summary__list")[2].partition("</ul>")[0]
    assert [label for label in labels if f"“{label}”." in summary] == labels
    assert summary.count("<li>") == len(labels)
    assert "This field is required" not in page


def test_an_empty_plan_names_what_is_wanted(manager: Client, unit: Unit) -> None:
    assert (
        "Fill in “Cameras planned”." in manager.post(f"/fleet/rollout/{unit.code}/", {"planned": ""}).content.decode()
    )


def test_the_roll_out_rounds_its_shares(manager: Client, unit: Unit) -> None:
    assert unit.parent is not None
    services.plan_rollout(unit, 6, None, actor="person:1")
    camera = services.register_camera(serial="R-1", model="BW-1", unit=unit, actor="person:1")
    services.issue(camera, factories.person(), actor="person:1")
    page = manager.get(f"/fleet/rollout/?unit={unit.parent.code}").content.decode()
    assert "1 of 6 (17 %)" in page
    assert page.count("17 %") == 2, "in the figure and in the chart"
    assert "16 %" not in page
