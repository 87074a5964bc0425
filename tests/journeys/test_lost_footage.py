"""Footage disappears from the store: managers read what is touched, it comes back from a copy, or two accept it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import live
from tests.browser import follow
from tests.journeys import lost, seed
from tests.journeys.conftest import Force, Visitors

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture(scope="module")
def force() -> Iterator[Force]:
    """A server of this journey's own: what is lost here would stand on everybody's pages."""
    with live.running() as server:
        losing = dataclasses.replace(server, expected=("check.failing",))
        yield Force(losing, losing.call(seed.force))


def test_what_is_lost_is_named_brought_back_or_accepted_by_two(force: Force, visitor: Visitors, tmp_path: Path) -> None:
    made = force.server.call(lost.footage, copies=str(tmp_path / "copies"))
    manager, standards = visitor("manager"), visitor("standards")
    manager.go("/oversight/losses/")
    assert "Nothing here" in manager.text
    manager.look("nothing-lost")

    for recording in made["recordings"]:
        (force.server.data / "store" / recording["original"]).unlink()
    assert force.server.call(lost.check) == 3
    manager.go("/oversight/losses/")
    assert "1 case" in manager.text
    assert "Not in the store" in manager.text or "not in the store" in manager.text
    manager.look("lost")
    standards.go("/oversight/losses/")
    assert "Lantern" in standards.text
    standards.look("lost-by-name")

    # One copy is damaged, the others bring their recordings back.
    (tmp_path / "copies" / "disk-2").write_bytes(b"not it")
    said = force.server.bluelamp("recover", tmp_path / "copies", check=False)
    assert "2 recordings are whole again" in said.stdout
    assert said.returncode == 1
    manager.go("/oversight/losses/?state=recovered")
    assert "Recovered" in manager.text
    manager.look("recovered")

    manager.go("/oversight/losses/")
    manager.page.get_by_label("Why is it accepted as lost?").fill("The disk of the supplier is broken too")
    manager.press("Propose to accept the chosen ones")
    manager.look("none-chosen", refused=422)
    manager.page.locator("input[name=loss]").first.check()
    manager.page.get_by_label("Why is it accepted as lost?").fill("The disk of the supplier is broken too")
    manager.press("Propose to accept the chosen ones")
    assert "another person has to agree" in manager.text
    manager.look("proposed")
    standards.go("/oversight/losses/")
    standards.page.locator("input[name=loss]").first.check()
    standards.page.get_by_label("Why is it accepted as lost?").fill("Agreed after a second look")
    standards.press("Agree to the chosen ones")
    standards.look("agreed")
    standards.go("/oversight/losses/?state=accepted")
    assert "The disk of the supplier is broken too" in standards.text
    standards.look("accepted")
    standards.go("/oversight/")
    assert "Lost footage: 0 now, 2 recovered, 1 accepted as lost" in standards.text
    standards.look("oversight")


def test_somebody_searches_for_what_could_be_left_of_deleted_footage(force: Force, visitor: Visitors) -> None:
    auditor = visitor("auditor")
    auditor.go("/policy/deletions/")
    auditor.look("deletions")
    follow(auditor.page.locator("table a").first)
    auditor.look("certificate")
    auditor.press("Search for anything left")
    assert "Nothing is left but what the tombstone keeps." in auditor.text
    auditor.look("searched")
    auditor.press("The proof of this deletion in the custody ledger")
    auditor.look("proof")
