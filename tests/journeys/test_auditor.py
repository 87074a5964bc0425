"""An auditor reads who looked at a recording and who was refused, verifies the ledger, and cannot watch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import follow
from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_an_auditor_reads_who_looked_and_who_was_refused_but_cannot_watch(force: Force, visitor: Visitors) -> None:
    camera, elsewhere = force.cameras[1], force.cameras[4]
    recording = force.footage_of(camera)
    _the_wearer_watches(visitor(camera["wearer"]), recording)
    _an_officer_of_another_borough_is_refused(visitor(elsewhere["wearer"]), recording)
    auditor = visitor("auditor")
    _the_ledger_shows_both(auditor, recording, camera["name"], elsewhere["name"])
    _the_checkpoint_verifies(auditor)
    _the_law_and_the_figures_can_be_read(auditor)
    _the_footage_cannot_be_watched(auditor, recording)
    _an_erasure_waits_for_a_second_person(visitor("standards"))


def _the_wearer_watches(wearer: Visitor, recording: dict[str, Any]) -> None:
    wearer.go(f"/footage/{recording['id']}/")
    wearer.page.keyboard.press("k")
    wearer.wait("document.querySelector('video').currentTime > 0.3")
    wearer.look("watched")


def _an_officer_of_another_borough_is_refused(officer: Visitor, recording: dict[str, Any]) -> None:
    officer.go(f"/footage/{recording['id']}/")
    assert officer.status == 403
    officer.look("refused", refused=403)


def _the_ledger_shows_both(auditor: Visitor, recording: dict[str, Any], viewer: str, refused: str) -> None:
    page = auditor.page
    auditor.go("/audit/")
    auditor.look("ledger")
    page.get_by_label("What it was done to").fill(recording["id"])
    follow(page.get_by_role("search").get_by_role("button"))
    events = page.get_by_role("table").inner_text()
    assert viewer in events, events
    assert refused in events, events
    auditor.look("filtered")
    follow(page.get_by_role("table").get_by_role("link").first)
    auditor.look("event")
    auditor.go(f"/audit/recordings/{recording['id']}/")
    assert viewer in page.get_by_role("table", name="Viewers").inner_text()
    assert refused in page.get_by_role("table", name="Refusals").inner_text()
    auditor.look("who-looked")


def _the_checkpoint_verifies(auditor: Visitor) -> None:
    auditor.go("/audit/checkpoint/")
    auditor.look("checkpoint")
    auditor.press("Verify now")
    assert "each is what its leaf says" in auditor.text
    auditor.look("verified")


def _the_law_and_the_figures_can_be_read(auditor: Visitor) -> None:
    auditor.go("/audit/operations/")
    auditor.look("operations")
    auditor.go("/oversight/")
    auditor.look("oversight")
    auditor.go("/log/")
    auditor.look("log")


def _the_footage_cannot_be_watched(auditor: Visitor, recording: dict[str, Any]) -> None:
    auditor.go(f"/footage/{recording['id']}/")
    assert auditor.page.locator("video").count() == 0
    assert "facts and the history" in auditor.text
    auditor.look("cannot-watch")
    auditor.go("/footage/")
    assert auditor.status == 403
    auditor.look("no-search", refused=403)


def _an_erasure_waits_for_a_second_person(standards: Visitor) -> None:
    page = standards.page
    standards.go("/audit/erasures/")
    standards.look("erasures-none")
    standards.go("/audit/?tag=recording.viewed")
    standards.look("openings")
    follow(page.get_by_role("table").get_by_role("link").first)
    standards.look("event-to-erase-from")
    standards.press("Ask that a value of this event be erased")
    standards.look("erasure-ask")
    standards.press("Ask for the erasure")
    standards.look("erasure-ask-wrong", refused=422)
    page.get_by_label("Viewer name").check()
    page.get_by_label("Why must they go?").fill("Request SAR-17")
    standards.press("Ask for the erasure")
    assert "somebody else has to decide" in standards.text
    standards.look("erasures-waiting")
