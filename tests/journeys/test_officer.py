"""An officer docks, finds the recording, watches it, and flags it as evidence."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import follow
from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_an_officer_docks_watches_and_flags_what_was_recorded(force: Force, visitor: Visitors) -> None:
    camera = force.cameras[0]
    officer = visitor()
    officer.sign_in(force.accounts[camera["wearer"]])
    officer.look("home")
    _the_footage_page_shows_it_arrive(officer, force, camera)
    _the_player_obeys_the_keyboard(officer)
    _flagging_changes_when_it_goes(officer)
    _the_history_names_who_watched(officer, camera["name"])


def _the_footage_page_shows_it_arrive(officer: Visitor, force: Force, camera: dict[str, str]) -> None:
    officer.go("/footage/")
    officer.look("before")
    assert camera["serial"] not in officer.text
    force.record(camera, hours_ago=2)
    assert "Everything is safe on the server" in force.dock(camera)
    officer.go("/footage/")
    officer.look("arrived")
    arrived = officer.page.get_by_role("listitem").filter(has_text=camera["serial"])
    follow(arrived.get_by_role("link").first)
    # Prepared or not when it was opened: the page itself changes when its pictures are there.
    expect(officer.page.locator("video")).to_be_visible(timeout=60_000)
    officer.look("recording")


def _the_player_obeys_the_keyboard(officer: Visitor) -> None:
    keyboard = officer.page.keyboard
    assert officer.at == 0
    keyboard.press("k")
    officer.wait("document.querySelector('video').currentTime > 0.5")
    keyboard.press("Space")
    officer.wait("document.querySelector('video').paused")
    stopped = officer.at
    keyboard.press(".")
    _settled(officer)
    assert stopped < officer.at < stopped + 0.1
    keyboard.press(",")
    _settled(officer)
    assert abs(officer.at - stopped) < 0.06
    keyboard.press("8")
    _settled(officer)
    assert 4.5 < officer.at < 5.1
    assert officer.fetch(officer.source, 100_000, 100_999) == (206, "video/mp4", 1000)
    officer.look("watched")


def _flagging_changes_when_it_goes(officer: Visitor) -> None:
    page = officer.page
    kept = page.get_by_role("region", name="How long it is kept")
    before = kept.locator("p").first.inner_text()
    evidence = page.get_by_role("region", name="Evidence")
    evidence.get_by_label("What it is evidence of").select_option(label="Violence against the person")
    evidence.get_by_label("Why it is evidence").fill("The suspect strikes the door and says his name")
    evidence.get_by_label("Kind of reference").select_option(label="Crime reference")
    evidence.get_by_label("Reference", exact=True).fill("3312345/26")
    officer.press("Flag as evidence")
    assert "Flagged as evidence" in officer.text
    after = kept.locator("p").first.inner_text()
    assert after != before, after
    assert "3312345/26" in officer.text
    officer.look("flagged")


def _the_history_names_who_watched(officer: Visitor, name: str) -> None:
    history = officer.page.get_by_role("region", name="Custody history").inner_text()
    for word in ("Opened to watch", "Flagged", name):
        assert word in history, history


def _settled(officer: Visitor) -> None:
    officer.wait("!document.querySelector('video').seeking")
