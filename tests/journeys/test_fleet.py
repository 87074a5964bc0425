"""A supervisor issues a camera and takes it back; the body-worn video manager follows the roll-out and adds a dock."""

from __future__ import annotations

import re

import pytest

from tests.browser import follow
from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_a_supervisor_issues_a_camera_and_takes_it_back(force: Force, visitor: Visitors) -> None:
    supervisor = visitor("supervisor")
    page = supervisor.page
    supervisor.go("/")
    supervisor.look("supervisors-home")
    supervisor.go("/fleet/")
    for camera in force.cameras:
        assert camera["serial"] in supervisor.text
    supervisor.look("cameras")
    supervisor.go("/fleet/cameras/BL4200/")
    supervisor.look("in-stock")
    page.get_by_label("Officer", exact=True).fill("200396999")
    supervisor.press("Issue")
    supervisor.look("nobody-has-that-number", refused=422)
    page.get_by_label("Officer", exact=True).fill(_without_a_camera(force))
    supervisor.press("Issue")
    assert "Worn by PC" in supervisor.text, supervisor.text
    supervisor.look("issued")
    page.get_by_label("In stock").check()
    follow(page.get_by_role("button", name=re.compile("^Take back from")))
    assert "Worn by Nobody" in supervisor.text
    assert "still has it" not in supervisor.text
    supervisor.look("taken-back")


def test_the_manager_follows_the_roll_out_and_a_docks_token_is_shown_once(force: Force, visitor: Visitors) -> None:
    manager = visitor("manager")
    manager.go("/")
    manager.look("managers-home")
    _the_roll_out_is_drawn_with_its_table(manager)
    _a_camera_can_be_added(manager)
    _a_docks_token_is_shown_once(manager)
    manager.go("/people/")
    manager.look("people")


def _the_roll_out_is_drawn_with_its_table(manager: Visitor) -> None:
    manager.go("/fleet/rollout/")
    assert manager.page.locator("main svg").count() >= 1
    assert "Northgate" in manager.page.get_by_role("table").first.inner_text()
    manager.look("roll-out")


def _a_camera_can_be_added(manager: Visitor) -> None:
    page = manager.page
    manager.go("/fleet/cameras/new/")
    manager.press("Add the camera")
    manager.look("errors-in-words", refused=422)
    page.get_by_label("Serial").fill("BL4999")
    page.get_by_label("Model").fill("BW-2")
    page.get_by_label("Chest").check()
    page.get_by_label("Unit that it belongs to").select_option(index=2)
    manager.press("Add the camera")
    assert "BL4999" in manager.text
    manager.look("added")


def _a_docks_token_is_shown_once(manager: Visitor) -> None:
    page = manager.page
    manager.go("/fleet/docks/")
    manager.look("docks")
    manager.press("Add a dock")
    manager.look("add-a-dock")
    page.get_by_label("Name", exact=True).fill("Eastfield, room 1")
    manager.press("Add the dock")
    token = page.locator("#dock-token").inner_text()
    assert len(token) > 20
    manager.look("token")
    manager.go("/fleet/docks/")
    assert "Eastfield, room 1" in manager.text
    assert token not in page.content()


def test_an_officer_is_told_why_the_fleet_is_closed_to_officers(force: Force, visitor: Visitors) -> None:
    officer = visitor(force.cameras[1]["wearer"])
    officer.go("/fleet/")
    assert officer.status == 403
    assert "Your role does not include this" in officer.text
    officer.look("closed", refused=403)


def _without_a_camera(force: Force) -> str:
    """The warrant number of an officer of Northgate's response team; the force's first wearers there have one each."""
    return str(force.server.call(_spare))


def _spare() -> str:
    from bluelamp.fleet.models import Assignment
    from bluelamp.people.models import Person

    with_one = Assignment.objects.filter(period__upper_inf=True).values("person_id")
    return (
        Person.objects.filter(unit__code="NG1", roles=["officer"])
        .exclude(pk__in=with_one)
        .earliest("pk")
        .warrant_number
    )
