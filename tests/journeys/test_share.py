"""A detective shares a recording with a prosecutor, who watches and downloads it until the share is revoked."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]

NAME, EMAIL = "Jonathan Reid", "j.reid@cps.example"


def test_a_prosecutor_watches_what_a_detective_shared_until_it_is_revoked(force: Force, visitor: Visitors) -> None:
    recording = force.footage_of(force.cameras[1])
    detective, prosecutor = visitor("detective"), visitor()
    _the_detective_opens_a_case(detective)
    _watches_with_a_reason_and_adds_it(detective, recording)
    share = _shares_it(detective)
    _the_case_shows_both(detective)
    _the_prosecutor_signs_in_with_a_code(prosecutor, force)
    watch = _watches_downloads_and_confirms(prosecutor, recording)
    _the_detective_sees_it(detective, share)
    prosecutor.go(watch)
    prosecutor.press("Watch the footage")
    _plays(prosecutor)
    _the_detective_revokes(detective)
    _nothing_more_leaves(prosecutor, watch)


def _the_detective_opens_a_case(detective: Visitor) -> None:
    detective.go("/cases/")
    detective.look("no-cases")
    detective.press("Open a case")
    detective.look("open-a-case")
    detective.page.get_by_label("Name", exact=True).fill("Operation Lantern")
    detective.page.get_by_label("URN").fill("01BC1234526")
    detective.press("Open the case")
    detective.look("case")


def _watches_with_a_reason_and_adds_it(detective: Visitor, recording: dict[str, Any]) -> None:
    page = detective.page
    detective.go(f"/footage/{recording['id']}/")
    assert page.locator("video").count() == 0
    detective.look("asks-why")
    page.get_by_label("Reason", exact=True).first.fill("Suspect of Operation Lantern may be in it")
    detective.press("Watch")
    assert page.locator("video").count() == 1
    evidence = page.get_by_role("region", name="Evidence")
    evidence.get_by_label("What it is evidence of").select_option(label="Violence against the person")
    evidence.get_by_label("Why it is evidence").fill("The suspect's face")
    detective.press("Flag as evidence")
    detective.open("Add to a case")
    page.get_by_label("Why it belongs to the case").fill("Shows the suspect")
    detective.press("Add to the case")
    assert "Operation Lantern" in detective.text
    detective.look("in-the-case")


def _shares_it(detective: Visitor) -> str:
    page = detective.page
    detective.press("Share this recording")
    detective.look("share-it")
    page.get_by_label("Recipient's name").fill(NAME)
    page.get_by_label("Recipient's e-mail address").fill(EMAIL)
    page.get_by_label("Organisation").select_option(label="Crown Prosecution Service")
    page.get_by_label("URN").fill("01BC1234526")
    page.get_by_label("What the footage shows").fill("The assault outside the station")
    page.get_by_label("Watch and download it").check()
    detective.press("Share it")
    detective.look("shared")
    return page.url


def _the_case_shows_both(detective: Visitor) -> None:
    detective.go("/cases/")
    detective.look("cases")
    detective.press("Operation Lantern")
    assert "Shows the suspect" in detective.text
    assert NAME in detective.text
    detective.look("case-with-footage")


def _the_prosecutor_signs_in_with_a_code(prosecutor: Visitor, force: Force) -> None:
    prosecutor.go(force.server.mail_to(EMAIL, r"(http\S+/share/invitation/\S+)"))
    prosecutor.look("invitation")
    prosecutor.press("Send the code")
    prosecutor.look("code")
    prosecutor.page.get_by_label("One-time code").fill(force.server.mail_to(EMAIL, r"one-time code is (\d{6})"))
    prosecutor.press("Sign in")
    prosecutor.look("footage")


def _watches_downloads_and_confirms(prosecutor: Visitor, recording: dict[str, Any]) -> str:
    page = prosecutor.page
    prosecutor.press("Watch the footage")
    _plays(prosecutor)
    prosecutor.look("watches")
    watch = page.url
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the original").click()
    assert hashlib.sha256(download.value.path().read_bytes()).hexdigest() == recording["sha256"]
    page.get_by_role("button", name="Confirm that it arrived").click()
    prosecutor.wait("document.querySelector('main').innerText.includes('You confirmed receipt')")
    assert prosecutor.at > 0.3, "confirming closed the player"
    prosecutor.look("confirmed")
    prosecutor.go("/share/")
    prosecutor.look("list")
    return watch


def _the_detective_sees_it(detective: Visitor, share: str) -> None:
    detective.go(share)
    for word in (NAME, "Watched", "Downloaded", "Confirmed as received"):
        assert word in detective.text, word
    assert "Not yet" not in detective.text
    detective.look("seen")
    detective.go("/shares/")
    detective.look("shares")
    detective.go(share)


def _the_detective_revokes(detective: Visitor) -> None:
    detective.page.get_by_label("Why it is revoked").fill("Sent to the wrong prosecutor")
    detective.press("Revoke the share")
    assert "Revoked" in detective.text
    detective.look("revoked")


def _nothing_more_leaves(prosecutor: Visitor, watch: str) -> None:
    """Neither to the page that plays, nor to one that is opened."""
    status, kind, _ = prosecutor.fetch(prosecutor.source)
    assert (status, kind) == (403, "application/problem+json")
    prosecutor.go(watch)
    assert prosecutor.status == 403
    assert "This share was ended by the police" in prosecutor.text
    prosecutor.look("refused", refused=403)
    prosecutor.press("See what is shared with you")
    assert "Shared with you" in prosecutor.text


def _plays(prosecutor: Visitor) -> None:
    prosecutor.page.evaluate("document.querySelector('video').play()")
    prosecutor.wait("document.querySelector('video').currentTime > 0.3")
