"""What a locked-down police desktop without JavaScript can still do."""

from __future__ import annotations

import pytest

from tests.browser import follow
from tests.journeys.conftest import Force, Visitors

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_an_officer_signs_in_searches_and_reads_a_recordings_page_without_javascript(
    force: Force, visitor: Visitors
) -> None:
    camera = force.cameras[3]
    recording = force.footage_of(camera)
    officer = visitor(java_script_enabled=False)
    officer.sign_in(force.accounts[camera["wearer"]])
    officer.look("home")
    officer.go("/footage/")
    officer.page.get_by_label("Words").fill(camera["name"].split()[-1])
    follow(officer.page.get_by_role("button", name="Search"))
    assert "1 recording" in officer.text
    officer.look("found")
    officer.go(f"/footage/{recording['id']}/")
    video = officer.page.locator("video")
    assert video.get_attribute("controls") is not None
    assert video.bounding_box()["height"] > 100
    for words in ("How long it is kept", "Camera events", "Marker", "Custody history", recording["sha256"]):
        assert words in officer.text, words
    officer.look("recording")
    follow(officer.page.locator(".footage-moments a").last)
    begins = officer.source.partition("#t=")[2]
    assert begins, "the link to a moment does nothing"
    assert float(begins) > 0
    officer.page.get_by_label("Note", exact=True).fill("Written without a script")
    officer.press("Save note")
    assert "Written without a script" in officer.text
    officer.look("noted")


def test_somebody_asks_for_footage_without_javascript(force: Force, visitor: Visitors) -> None:
    public = visitor(java_script_enabled=False)
    page = public.page
    public.go("/public/")
    public.look("public")
    public.press("Ask for footage")
    public.press("Send the request")
    assert "There is a problem" in public.text
    assert "This field is required" not in public.text, "an error must name what it is about"
    public.look("problems", refused=422)
    page.get_by_label("Where it happened").fill("Outside the railway station")
    page.get_by_label("Your full name").fill("Mary Whitfield")
    page.get_by_label("Your e-mail address").fill("mary@mail.example")
    page.get_by_label("Borough or command").select_option(label="Northgate")
    page.get_by_label("On which day").fill("2026-01-05")
    page.get_by_label("From about").fill("07:00")
    page.get_by_label("Until about").fill("07:30")
    for name in ("kind", "role", "proof_photo", "proof_other"):
        page.locator(f"input[name={name}]").first.check()
    public.press("Send the request")
    assert "We have your request" in public.text
    public.look("asked")
