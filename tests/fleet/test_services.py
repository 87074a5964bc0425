from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.custody import queries as custody_queries
from bluelamp.fleet import queries, rules, services
from bluelamp.fleet.models import Assignment, Camera, Dock
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotFound
from bluelamp.people.models import Unit
from tests import factories

ACTOR = "person:1"


@pytest.fixture
def unit(db: None) -> Unit:
    return factories.unit()


def new_camera(unit: Unit, serial: str = "BL000001") -> Camera:
    return services.register_camera(serial=serial, model="BW-1", unit=unit, actor=ACTOR)


def new_key() -> str:
    return public_key_text(Ed25519PrivateKey.generate())


def tags(subject: str) -> list[str]:
    return [item.tag for item in custody_queries.history(subject)]


def test_a_registered_camera_is_in_stock_without_a_key(unit: Unit) -> None:
    camera = new_camera(unit)
    assert (camera.state, camera.public_key, camera.first_issued_at) == (Camera.State.STOCK, "", None)
    assert tags("camera:BL000001") == ["camera.registered"]


def test_a_serial_is_registered_once(unit: Unit) -> None:
    new_camera(unit)
    with pytest.raises(Conflict, match="BL000001 already"):
        new_camera(unit)
    assert tags("camera:BL000001") == ["camera.registered"]


@pytest.mark.parametrize(
    ("serial", "model", "mount"), [(" ", "BW-1", "chest"), ("X", "", "chest"), ("X", "BW-1", "hat")]
)
def test_a_camera_needs_serial_model_and_mount(unit: Unit, serial: str, model: str, mount: str) -> None:
    with pytest.raises(Invalid):
        services.register_camera(serial=serial, model=model, mount=mount, unit=unit, actor=ACTOR)


def test_the_first_docking_pins_the_key_and_the_same_key_passes_again(unit: Unit) -> None:
    camera, key = new_camera(unit), new_key()
    services.pin_key(camera, key, actor="dock:1")
    services.pin_key(Camera.objects.get(), key, actor="dock:1")
    assert Camera.objects.get().public_key == camera.public_key == key
    assert tags(camera.custody_id) == ["camera.registered", "camera.key_pinned"]


def test_another_key_is_refused_in_words_and_in_the_ledger(unit: Unit) -> None:
    camera, key = new_camera(unit), new_key()
    services.pin_key(camera, key, actor="dock:1")
    with pytest.raises(Conflict, match="another key") as refusal:
        services.pin_key(camera, new_key(), actor="dock:1")
    assert "stay on the camera" in refusal.value.meaning
    assert "fingerprint" in refusal.value.next_step
    assert Camera.objects.get().public_key == key
    assert tags(camera.custody_id)[-1] == "camera.key_refused"


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA", "A" * 40])
def test_what_is_no_key_is_refused(unit: Unit, text: str) -> None:
    camera = new_camera(unit)
    with pytest.raises(Invalid, match="public key"):
        services.pin_key(camera, text, actor="dock:1")
    assert Camera.objects.get().public_key == ""


def test_after_a_repair_the_key_is_given_up_with_a_reason_and_the_next_one_pinned(unit: Unit) -> None:
    camera, second = new_camera(unit), new_key()
    services.pin_key(camera, new_key(), actor="dock:1")
    with pytest.raises(Invalid):
        services.forget_key(camera, actor=ACTOR, reason=" ")
    services.forget_key(camera, actor=ACTOR, reason="New main board, supplier's note 4711")
    services.pin_key(camera, second, actor="dock:1")
    assert Camera.objects.get().public_key == second


def test_issue_and_return_say_whose_the_footage_of_an_instant_is(unit: Unit) -> None:
    camera, other_unit = new_camera(unit), factories.unit()
    first, second = factories.person(unit=other_unit), factories.person(unit=None)
    start = clock.now() - timedelta(days=10)
    services.issue(camera, first, actor=ACTOR, at=start)
    services.return_camera(camera, actor=ACTOR, at=start + timedelta(days=2))
    services.issue(camera, second, actor=ACTOR, at=start + timedelta(days=2))

    assert queries.wearer_at(camera, start - timedelta(seconds=1)) is None
    assert queries.wearer_at(camera, start) == first
    assert queries.wearer_at(camera, start + timedelta(days=2)) == second
    assert queries.wearer_at(camera, clock.now()) == second
    assert queries.unit_of(camera, queries.wearer_at(camera, start)) == other_unit
    assert queries.unit_of(camera, queries.wearer_at(camera, clock.now())) == unit
    assert queries.unit_of(camera, queries.wearer_at(camera, start - timedelta(days=1))) == unit
    assert camera.state == Camera.State.SERVICE


def test_the_first_issue_counts_for_the_roll_out_and_later_ones_do_not(unit: Unit) -> None:
    camera, start = new_camera(unit), clock.now() - timedelta(days=10)
    services.issue(camera, factories.person(), actor=ACTOR, at=start)
    services.return_camera(camera, actor=ACTOR, at=start + timedelta(days=1))
    services.issue(camera, factories.person(), actor=ACTOR, at=start + timedelta(days=5))
    assert Camera.objects.get().first_issued_at == start


def test_two_people_cannot_have_one_camera(unit: Unit) -> None:
    camera = new_camera(unit)
    services.issue(camera, factories.person(), actor=ACTOR)
    with pytest.raises(Conflict, match="somebody else"):
        services.issue(camera, factories.person(), actor=ACTOR)
    assert Assignment.objects.count() == 1
    assert tags(camera.custody_id).count("camera.issued") == 1


def test_one_person_cannot_have_two_cameras(unit: Unit) -> None:
    person = factories.person(name="Amara Okafor")
    services.issue(new_camera(unit), person, actor=ACTOR)
    with pytest.raises(Conflict, match="Amara Okafor has"):
        services.issue(new_camera(unit, "BL000002"), person, actor=ACTOR)


def test_an_assignment_cannot_be_slipped_under_a_later_one(unit: Unit) -> None:
    camera, start = new_camera(unit), clock.now() - timedelta(days=10)
    services.issue(camera, factories.person(), actor=ACTOR, at=start + timedelta(days=5))
    with pytest.raises(Conflict, match="somebody else"):
        services.issue(camera, factories.person(), actor=ACTOR, at=start)


def test_two_desks_that_issue_the_same_camera_at_once_end_with_one_assignment(committed_db: str) -> None:
    from django.db import connections

    unit = factories.unit()
    camera, people = new_camera(unit), [factories.person(), factories.person()]
    start, outcomes = threading.Barrier(2), []

    def issue(person: object) -> None:
        try:
            start.wait(10)
            services.issue(Camera.objects.get(pk=camera.pk), person, actor=ACTOR)
            outcomes.append("issued")
        except Conflict:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=issue, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["issued", "refused"]
    assert Assignment.objects.count() == 1


def test_a_camera_in_repair_or_lost_is_not_issued(unit: Unit) -> None:
    camera = new_camera(unit)
    services.change_state(camera, Camera.State.REPAIR, actor=ACTOR, reason="Cracked lens")
    with pytest.raises(Conflict, match="in repair"):
        services.issue(camera, factories.person(), actor=ACTOR)


def test_a_camera_is_not_issued_to_a_closed_account_nor_in_the_future(unit: Unit) -> None:
    camera, person = new_camera(unit), factories.person()
    with pytest.raises(Invalid, match="future"):
        services.issue(camera, person, actor=ACTOR, at=clock.now() + timedelta(hours=1))
    person.is_active = False
    person.save()
    with pytest.raises(Invalid, match="closed"):
        services.issue(camera, person, actor=ACTOR)


def test_what_nobody_has_cannot_be_returned(unit: Unit) -> None:
    with pytest.raises(Conflict, match="Nobody has"):
        services.return_camera(new_camera(unit), actor=ACTOR)


def test_a_return_lies_after_the_issue_and_not_in_the_future(unit: Unit) -> None:
    camera, start = new_camera(unit), clock.now() - timedelta(days=1)
    services.issue(camera, factories.person(), actor=ACTOR, at=start)
    for moment in (start, start - timedelta(days=1), clock.now() + timedelta(hours=1)):
        with pytest.raises(Invalid):
            services.return_camera(camera, actor=ACTOR, at=moment)


def test_an_issued_camera_is_lost_by_way_of_its_return(unit: Unit) -> None:
    camera, person = new_camera(unit), factories.person()
    services.issue(camera, person, actor=ACTOR, at=clock.now() - timedelta(days=1))
    with pytest.raises(Conflict, match="is issued"):
        services.change_state(camera, Camera.State.LOST, actor=ACTOR, reason="Lost in a chase")
    services.return_camera(camera, actor=ACTOR, state=Camera.State.LOST, reason="Lost in a chase")
    assert camera.state == Camera.State.LOST
    assert queries.wearer_at(camera, clock.now()) is None
    assert tags(person.custody_id) == ["camera.issued", "camera.returned"]


def test_a_change_of_state_needs_a_reason_and_never_means_issued(unit: Unit) -> None:
    camera = new_camera(unit)
    with pytest.raises(Invalid, match="why"):
        services.change_state(camera, Camera.State.LOST, actor=ACTOR, reason="")
    with pytest.raises(Invalid, match="cannot be"):
        services.change_state(camera, Camera.State.SERVICE, actor=ACTOR, reason="Found")


def test_a_docking_is_kept_with_the_camera_and_in_the_ledger(unit: Unit) -> None:
    camera, (dock, _) = new_camera(unit), services.add_dock("Northgate 1", unit, ACTOR)
    services.record_docking(
        camera,
        dock,
        battery_percent=81,
        storage_capacity=64_000_000_000,
        storage_free=50_000_000_000,
        clock_offset_ms=-1_250,
        firmware="1.4.2",
    )
    camera = Camera.objects.get()
    assert (camera.battery_percent, camera.clock_offset_ms, camera.firmware) == (81, -1250, "1.4.2")
    assert camera.last_docked_at == Dock.objects.get().last_seen_at
    event = custody_queries.history(camera.custody_id)[-1]
    assert (event.tag, event.actor, event.details["dock"]) == ("camera.docked", f"dock:{dock.pk}", "Northgate 1")


def test_only_the_digest_of_a_docks_token_is_kept_and_the_ledger_does_not_know_it(unit: Unit) -> None:
    dock, token = services.add_dock("Northgate 1", unit, ACTOR)
    assert len(token) >= 43
    assert Dock.objects.get().token_sha256 == rules.token_sha256(token)
    assert token not in str(custody_queries.history(dock.custody_id))
    assert queries.authenticate_dock(token) == dock


@pytest.mark.parametrize("token", ["", "x", "ü" * 50, "a" * 5000])
def test_a_made_up_token_is_nobodys(unit: Unit, token: str) -> None:
    services.add_dock("Northgate 1", unit, ACTOR)
    assert queries.authenticate_dock(token) is None


def test_a_good_a_revoked_and_a_made_up_token_cost_the_same_work(unit: Unit, django_assert_num_queries: object) -> None:
    _, good = services.add_dock("Northgate 1", unit, ACTOR)
    gone, revoked = services.add_dock("Northgate 2", unit, ACTOR)
    services.revoke_dock(gone, actor=ACTOR)
    for token in (good, revoked, "made up"):
        with django_assert_num_queries(1):
            queries.authenticate_dock(token)


def test_a_revoked_docks_token_stops_working_at_once(unit: Unit) -> None:
    dock, token = services.add_dock("Northgate 1", unit, ACTOR)
    services.revoke_dock(dock, actor=ACTOR, reason="Stolen")
    assert queries.authenticate_dock(token) is None
    services.revoke_dock(dock, actor=ACTOR)
    assert tags(dock.custody_id) == ["dock.added", "dock.revoked"]


def test_a_docks_name_is_taken_for_good(unit: Unit) -> None:
    dock, _ = services.add_dock("Northgate 1", unit, ACTOR)
    services.revoke_dock(dock, actor=ACTOR)
    with pytest.raises(Conflict, match="Northgate 1 already"):
        services.add_dock("Northgate 1", unit, ACTOR)
    with pytest.raises(Invalid):
        services.add_dock(" ", unit, ACTOR)
    with pytest.raises(NotFound):
        queries.dock_named("Southgate")


def test_a_plan_is_kept_once_a_unit_and_an_unchanged_one_says_nothing(unit: Unit) -> None:
    services.plan_rollout(unit, 20, None, actor=ACTOR)
    services.plan_rollout(unit, 25, None, actor=ACTOR)
    plan = services.plan_rollout(unit, 25, None, actor=ACTOR)
    assert plan.planned == 25
    events = custody_queries.history(f"unit:{unit.pk}")
    assert [(event.details["planned_before"], event.details["planned"]) for event in events] == [(None, 20), (20, 25)]
    with pytest.raises(Invalid):
        services.plan_rollout(unit, -1, None, actor=ACTOR)
