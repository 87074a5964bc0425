"""A member of the public asks for footage; day 31 passes; what was asked for is still there, the rest is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import live
from tests.journeys import seed
from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]

EMAIL = "mary.whitfield@mail.example"
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def force() -> Iterator[Force]:
    """A server of its own, since its clock is moved."""
    with live.running() as server:
        yield Force(server, server.call(seed.two_boroughs))


def test_what_somebody_asked_for_survives_day_31_and_the_rest_is_gone(force: Force, visitor: Visitors) -> None:
    asked_for, other = (force.footage_of(camera) for camera in force.cameras)
    public, desk = visitor(), visitor("rights")
    _asks_with_the_keyboard_alone(public, asked_for)
    reference = _is_told_a_reference_and_confirms(public, force)
    _follows_it(public, reference)
    address = _a_colleague_opens_the_other(desk, other)
    _day_29_finds_the_other_in_quarantine(desk, force, other)
    force.server.call(seed.let_days_pass, days=4)
    _the_other_is_gone(desk, force, other, address)
    _what_was_asked_for_is_there(desk, force, asked_for)
    _the_desk_sees_the_request(desk, reference, asked_for)


def _asks_with_the_keyboard_alone(public: Visitor, recording: dict[str, Any]) -> None:
    public.go("/public/")
    public.look("front")
    _tab_to(public, "document.activeElement.textContent.trim() === 'Ask for footage'")
    with public.page.expect_navigation():
        public.page.keyboard.press("Enter")
    public.look("form")
    month_first = _types_the_month_first(public)
    when = "%I%M%p" if month_first else "%H%M"
    began = datetime.fromisoformat(recording["started_at"]).astimezone(LONDON)
    since = began - timedelta(minutes=10)  # the day before, where midnight is between them
    keys = public.page.keyboard
    for name, typed in (
        ("kind", None),
        ("borough", "North"),
        ("place", "Outside the railway station"),
        ("day", f"{since:%m%d%Y}" if month_first else f"{since:%d%m%Y}"),
        ("from_time", f"{since:{when}}"),
        ("until_time", f"{began + timedelta(minutes=20):{when}}"),
        ("role", None),
        ("clothing", "Yellow raincoat"),
        ("name", "Mary Whitfield"),
        ("email", EMAIL),
        ("proof_photo", None),
        ("proof_other", None),
    ):
        _tab_to(public, f"document.activeElement.name === '{name}'")
        keys.type(typed) if typed else keys.press("Space")
    public.look("filled-in")
    _tab_to(public, "document.activeElement.textContent.trim() === 'Send the request'")
    with public.page.expect_navigation():
        keys.press("Enter")


def _types_the_month_first(public: Visitor) -> bool:
    """Whether this browser was packaged with American dates only: they are typed in another order, with AM or PM."""
    scratch = public.page.context.new_page()
    scratch.set_content("<input type=date>")
    scratch.keyboard.press("Tab")
    scratch.keyboard.type("02031999")
    typed = scratch.evaluate("document.activeElement.value")
    scratch.close()
    return bool(typed == "1999-02-03")


def _tab_to(public: Visitor, expression: str) -> None:
    for _ in range(60):
        if public.page.evaluate(expression):
            return
        public.page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never came to {expression}")


def _is_told_a_reference_and_confirms(public: Visitor, force: Force) -> str:
    assert "We have your request" in public.text, public.text
    public.look("asked")
    reference = public.page.locator(".govuk-panel__body strong").inner_text()
    public.go(force.server.mail_to(EMAIL, r"(http\S+/public/confirm/\S+)"))
    public.look("confirm")
    public.press("Confirm my request")
    assert "confirmed" in public.text
    public.look("confirmed")
    return reference


def _follows_it(public: Visitor, reference: str) -> None:
    public.go("/public/follow/")
    public.look("follow")
    public.page.get_by_label("Your reference").fill(reference)
    public.page.get_by_label("Your e-mail address").fill(EMAIL)
    public.press("Show it")
    assert reference in public.text
    public.look("followed")
    public.go("/public/figures/")
    public.look("figures")


def _a_colleague_opens_the_other(desk: Visitor, other: dict[str, Any]) -> str:
    """Returns the address of the bytes while they may be watched."""
    desk.go(f"/footage/{other['id']}/")
    desk.look("asks-why")
    desk.page.get_by_label("Reason", exact=True).first.fill("Does it show the requester?")
    desk.press("Watch")
    desk.look("other")
    assert desk.fetch(desk.source)[0] == 206
    return desk.source


def _day_29_finds_the_other_in_quarantine(desk: Visitor, force: Force, other: dict[str, Any]) -> None:
    force.server.call(seed.let_days_pass, days=29)
    desk.go(f"/footage/{other['id']}/")
    assert "In quarantine" in desk.text
    desk.look("quarantine")


def _the_other_is_gone(desk: Visitor, force: Force, other: dict[str, Any], address: str) -> None:
    desk.go(f"/footage/{other['id']}/")
    assert "This recording was deleted" in desk.text
    desk.look("tombstone")
    assert desk.fetch(address)[0] in (403, 404, 410)
    assert not [name for name in force.server.files("store") if other["id"] in name]
    desk.press("Deletion certificate")
    assert other["sha256"] in desk.text
    desk.look("certificate", refused=403)
    desk.go("/policy/deletions/")
    desk.look("deletions")
    desk.go("/policy/")
    desk.look("policy")


def _what_was_asked_for_is_there(desk: Visitor, force: Force, asked_for: dict[str, Any]) -> None:
    assert asked_for["original"] in force.server.files("store")
    desk.go(f"/footage/{asked_for['id']}/")
    desk.page.get_by_label("Reason", exact=True).first.fill("To answer the request")
    desk.press("Watch")
    kept = desk.page.get_by_role("region", name="How long it is kept").inner_text()
    assert "request" in kept.lower(), kept
    desk.page.keyboard.press("k")
    desk.wait("document.querySelector('video').currentTime > 0.3")
    desk.look("held")


def _the_desk_sees_the_request(desk: Visitor, reference: str, asked_for: dict[str, Any]) -> None:
    desk.go("/requests/")
    assert reference in desk.text
    desk.look("requests")
    desk.press(reference)
    began = datetime.fromisoformat(asked_for["started_at"]).astimezone(LONDON)
    assert f"{began:%H:%M}" in desk.page.get_by_role("table").first.inner_text()
    desk.open("Identity proved")
    desk.page.get_by_label("Which proofs you saw").fill("Passport and gas bill")
    desk.press("Record it")
    assert "Answer due" in desk.text
    desk.look("request")
    desk.go("/requests/")
    row = desk.page.get_by_role("row").filter(has_text=reference)
    assert re.search(r"\d{1,2} \w{3} \d{4}", row.locator("td").nth(4).inner_text()), row.inner_text()
    assert row.locator("td").last.inner_text() == "1"
    desk.look("due")
