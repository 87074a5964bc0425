"""A recording that the post-incident manager locked is refused to its own wearer, in words, and the attempt is kept."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_a_locked_recording_is_refused_to_its_own_wearer_and_the_attempt_is_logged(
    force: Force, visitor: Visitors
) -> None:
    camera = force.cameras[2]
    address = f"/footage/{force.footage_of(camera)['id']}/"
    wearer, manager, standards = visitor(camera["wearer"]), visitor("pim"), visitor("standards")
    wearer.go(address)
    playing = wearer.source
    assert wearer.fetch(playing)[0] == 206
    _the_manager_locks_it(manager, address)
    _the_wearer_is_refused(wearer, address, playing)
    _the_attempt_is_in_the_history(standards, address, camera["name"])
    _the_manager_lets_the_wearer_watch(manager, address, camera["number"])
    _the_wearer_may_watch_with_a_reason(wearer, address)


def _the_manager_locks_it(manager: Visitor, address: str) -> None:
    manager.go(address)
    manager.look("not-locked")
    manager.open("Lock this recording")
    manager.page.get_by_label("Why is it to be locked?").fill("Death after contact with police, 22 November")
    manager.press("Lock")
    assert "The recording is locked" in manager.text
    manager.look("locked")


def _the_wearer_is_refused(wearer: Visitor, address: str, playing: str) -> None:
    assert wearer.fetch(playing)[:2] == (403, "application/problem+json")
    wearer.look("stopped", refused=403)
    wearer.go(address)
    assert wearer.page.locator("video").count() == 0
    for words in ("The post-incident manager decides", "The footage is safe", "write your account"):
        assert words in wearer.text, wearer.text
    wearer.look("refused")
    wearer.go("/footage/")
    assert "Locked" in wearer.text
    wearer.look("withheld")


def _the_attempt_is_in_the_history(standards: Visitor, address: str, wearer: str) -> None:
    standards.go(address)
    history = standards.page.get_by_role("region", name="Custody history").inner_text()
    refusals = [line for line in history.splitlines() if "efused" in line]
    assert refusals, history
    assert wearer in history
    standards.look("attempt")


def _the_manager_lets_the_wearer_watch(manager: Visitor, address: str, number: str) -> None:
    manager.go(address)
    manager.open("Let one person watch")
    manager.page.get_by_label("Warrant number").fill(number)
    manager.page.get_by_label("Reason", exact=True).last.fill("First account has been given")
    manager.press("Let them watch")
    assert "may watch this recording now" in manager.text
    manager.look("let-watch")


def _the_wearer_may_watch_with_a_reason(wearer: Visitor, address: str) -> None:
    wearer.go(address)
    wearer.page.get_by_label("Reason", exact=True).first.fill("To complete my statement")
    wearer.press("Watch")
    assert wearer.page.locator("video").count() == 1
    wearer.look("released")
