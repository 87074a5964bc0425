"""A detective records how a case ended, sees what that does to its footage before saving, and corrects a slip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.browser import follow
from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_a_detective_records_an_outcome_and_sees_its_effect_first(force: Force, visitor: Visitors) -> None:
    recording = force.footage_of(force.cameras[3])
    detective = visitor("detective")
    _opens_a_case(detective, recording)
    _adds_a_person(detective)
    _records_a_conviction(detective)
    _an_appeal_keeps_it(detective)
    _sets_a_review_group(detective)
    _corrects_a_slip(detective)
    _sees_what_closing_does(detective)


def day(days_ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()


def _opens_a_case(detective: Visitor, recording: dict[str, Any]) -> None:
    page = detective.page
    detective.go("/cases/open/")
    detective.look("open-a-case")
    page.get_by_label("Name", exact=True).fill("Operation Harbour")
    detective.press("Open the case")
    detective.look("case-without-persons")
    case = page.url
    detective.go(f"/footage/{recording['id']}/")
    detective.look("recording")
    detective.open("Add to a case")
    page.get_by_label("Case", exact=True).select_option(label="Operation Harbour")
    page.get_by_label("Why it belongs to the case").fill("Shows the suspect")
    detective.press("Add to the case")
    detective.look("recording-added")
    page.goto(case)


def _adds_a_person(detective: Visitor) -> None:
    detective.open("Close the case")
    detective.look("case")
    detective.press("Add a person")
    detective.look("add-a-person")
    detective.page.get_by_label("What the team calls this person").fill("Custody 12/26")
    detective.press("Add")
    detective.look("person")
    assert "nobody has decided yet whether to charge" in detective.text


def _records_a_conviction(detective: Visitor) -> None:
    page = detective.page
    detective.press("Record what happened in the proceedings")
    detective.look("proceedings")
    page.get_by_label("Convicted", exact=True).check()
    detective.press("Continue")
    detective.look("proceedings-not-answered", refused=422)
    assert "Enter the day" in detective.text
    page.get_by_label("When was that?").fill(day(2))
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("If in custody or hospital: the day of release").fill(day(-800))
    detective.press("Continue")
    detective.look("effect")
    assert "Once the case is closed as well" in detective.text
    assert "Nothing is saved yet." in detective.text
    detective.press("Change the answer")
    detective.look("effect-changed")
    assert page.get_by_label("Convicted", exact=True).is_checked()
    detective.press("Continue")
    detective.press("Save")
    detective.look("person-convicted")
    assert "in custody or hospital until then" in detective.text


def _an_appeal_keeps_it(detective: Visitor) -> None:
    page = detective.page
    detective.press("Record that an appeal or an application was opened")
    detective.look("appeal")
    page.get_by_label("An appeal against the conviction").check()
    page.get_by_label("On which day?").fill(day(1))
    detective.press("Continue")
    detective.look("appeal-effect")
    detective.press("Save")
    detective.look("person-appealed")
    assert "an appeal is open in its case" in detective.text
    detective.press("Record the decision")
    detective.look("appeal-decided")
    page.get_by_label("On which day was it decided?").fill(day(0))
    detective.press("Continue")
    detective.look("appeal-decided-effect")
    detective.press("Save")


def _sets_a_review_group(detective: Visitor) -> None:
    page = detective.page
    detective.look("person-appeal-over")
    detective.press("Set the review group")
    detective.look("group")
    page.get_by_label("Group 2: other sexual, violent or serious offences").check()
    page.get_by_label("When did the person last come to notice?").fill(day(30))
    page.get_by_label("Why this group?").fill("Robbery")
    detective.press("Continue")
    detective.look("group-effect")
    detective.press("Save")
    detective.look("person-grouped")
    assert "a review after 10 years clear must decide" in detective.text


def _corrects_a_slip(detective: Visitor) -> None:
    page = detective.page
    detective.press("Change the review group")
    page.get_by_label("Group 3: all other offences").check()
    page.get_by_label("Why this group?").fill("Convicted of theft only")
    detective.press("Continue")
    detective.look("correction-effect")
    assert "until a second person has approved it" in detective.text
    detective.press("Save")
    detective.look("person-corrected")


def _sees_what_closing_does(detective: Visitor) -> None:
    page = detective.page
    follow(page.get_by_role("link", name="Operation Harbour").first)
    detective.look("case-with-a-person")
    assert "Custody 12/26" in detective.text
    detective.open("Close the case")
    detective.look("case-closing")
    page.get_by_label("Outcome", exact=True).fill("Convicted")
    detective.press("Close the case")
    detective.look("case-closed")
