"""Footage from elsewhere, added on a page: the form, the entrance by a browser's session, and what becomes of it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from bluelamp.custody import queries as ledger
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Recording
from bluelamp.footage.services import processing
from bluelamp.ingest import services
from bluelamp.ingest.models import Addition, Upload
from bluelamp.ingest.services import adding
from bluelamp.kernel import clock
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Role, may
from bluelamp.retention import queries as retention
from tests import factories
from tests.ingest.browsers import FORM, Browser, Browsers
from tests.media import samples
from tests.pages import text_of

pytestmark = pytest.mark.usefixtures("shared_db")


@pytest.fixture
def officer(browsers: Browsers) -> Iterator[Browser]:
    return browsers(Role.OFFICER)


def _bytes() -> bytes:
    return uuid.uuid4().bytes * 4000


def _recording(content: bytes) -> Recording:
    return Recording.objects.get(sha256=hashlib.sha256(content).hexdigest())


# --- What it becomes ----------------------------------------------------------------------------------------------


def test_what_was_said_becomes_part_of_the_recording(officer: Browser) -> None:
    content = _bytes()
    category = Category.objects.get(code="arrest")
    addition = officer.begin(is_evidence="on", category=str(category.pk), reason="The till is robbed")
    assert officer.send(addition, content).status_code == 204
    found = _recording(content)
    assert (found.started_at, found.device_started_at) == (
        datetime(2026, 11, 20, 22, 11, 5, tzinfo=UTC),
        datetime(2026, 11, 20, 22, 14, 5, tzinfo=UTC),
    )
    assert (found.clock_status, found.clock_offset_ms) == ("drifting", -180_000)
    assert (found.place, found.filename, found.size) == ("14 High Street", "till.mp4", len(content))
    assert (found.wearer, found.added_by, found.unit) == (None, officer.person, officer.person.unit)
    assert [(one.kind, one.value) for one in found.references.all()] == [("crime", "3312345/26")]
    flag = found.flags.get()
    assert (flag.category, flag.reason, flag.flagged_by) == (category, "The till is robbed", officer.person)
    note = found.notes.get().text
    assert "J. Brook, the manager" in note
    assert "JB/1" in note
    assert "3 minutes fast" in note
    assert found.due_rule == "evidence"
    tags = [event.tag for event in ledger.history(found.custody_id)]
    assert tags[:1] == ["recording.collected"]
    assert {"recording.added", "recording.flagged"} <= set(tags)


def test_a_clock_that_nobody_compared_is_not_corrected_and_marked(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(clock="unknown", off_minutes=""), content)
    found = _recording(content)
    assert (found.clock_status, found.started_at) == ("doubtful", found.device_started_at)


def test_the_length_of_the_file_itself_gives_the_end(officer: Browser) -> None:
    content = samples.video(2) + uuid.uuid4().bytes
    officer.send(officer.begin(), content)
    found = _recording(content)
    assert found.ended_at == found.started_at
    processing.prepare(found.pk)
    found.refresh_from_db()
    assert found.processing == "ready"
    assert found.ended_at - found.started_at == timedelta(milliseconds=found.duration_ms or 0)
    assert 1900 < (found.duration_ms or 0) < 2200


def test_a_file_that_is_no_video_is_kept_all_the_same(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(), content, "receipt.pdf")
    found = _recording(content)
    processing.prepare(found.pk)
    found.refresh_from_db()
    assert (found.state, found.processing) == ("live", "failed")


def test_footage_that_is_old_already_is_given_time_to_be_reviewed(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(day="2026-08-01", clock="right", off_minutes=""), content)
    found = _recording(content)
    assert found.due_at is not None
    assert found.due_at > clock.now() + timedelta(days=6)
    assert retention.decision(found).governing.code == "late_arrival"


def test_the_adder_sees_the_facts_from_any_unit_and_says_why_before_watching(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(), content)
    found = _recording(content)
    Person.objects.filter(pk=officer.person.pk).update(unit=factories.unit())
    page = officer.pages.get(f"/footage/{found.pk}/").content.decode()
    assert f"Added by {officer.person.name}" in page
    adder = access.actor(Person.objects.get(pk=officer.person.pk))
    assert may(adder, Action.WATCH, footage_queries.thing(found)).needs_reason
    assert str(found.pk) in officer.pages.get("/footage/").content.decode()


def test_a_file_name_is_only_text(officer: Browser) -> None:
    content = _bytes()
    officer.send(addition := officer.begin(), content, "..\\..\\etc/\u202e\x00<b>gpj.exe")
    assert _recording(content).filename == "<b>gpj.exe"
    assert "<b>gpj" not in officer.pages.get(f"/footage/add/{addition.pk}/").content.decode()


def test_the_second_at_which_it_begins_is_confirmed(officer: Browser) -> None:
    addition = officer.begin()
    assert "begins 20 Nov 2026, 22:14:05 by its own clock" in text_of(officer.pages.get(f"/footage/add/{addition.pk}/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "its clock was 3 minutes fast; the times are corrected by that it showed 20 Nov 2026, 22:14:05"),
        (
            {"clock": "slow", "off_minutes": "1501", "off_seconds": "5"},
            "its clock was 1 day 1 hour 1 minute 5 seconds slow; the times",
        ),
        ({"clock": "right", "off_minutes": ""}, "its clock was right"),
    ],
)
def test_how_its_clock_was_is_said_as_the_adder_stated_it(officer: Browser, changes: dict[str, str], said: str) -> None:
    content = _bytes()
    officer.send(officer.begin(**changes), content)
    page = text_of(officer.pages.get(f"/footage/{_recording(content).pk}/"))
    assert f"Device clock As stated by whoever added it, {said}" in page
    assert "the device said" not in page


def test_what_cannot_be_shown_says_so_and_claims_no_hash_from_a_camera(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(), content, "receipt.pdf")
    found = _recording(content)
    processing.prepare(found.pk)
    page = text_of(officer.pages.get(f"/footage/{found.pk}/"))
    assert "with the SHA-256 that was computed here as it was stored" in page
    assert "that the camera gave it" not in page
    listed = text_of(officer.pages.get("/footage/"))
    for shown in (page, listed):
        assert "14 High Street · receipt.pdf" in shown
        assert "Cannot be shown" in shown
        assert "Failed" not in shown
        assert not re.search(r"\b0 s\b", shown)
    assert "No picture could be made" in listed
    assert "Give a reason to watch" not in listed


# --- The same bytes again -----------------------------------------------------------------------------------------


def test_the_same_file_again_is_not_stored_twice_and_the_list_leads_to_the_one_that_is_here(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(), content)
    second = officer.begin()
    assert officer.send(second, content).status_code == 422
    found = _recording(content)
    listed = officer.pages.get(f"/footage/add/{second.pk}/files/").content.decode()
    assert 'data-state="twin"' in listed
    assert f"/footage/{found.pk}/" in listed
    assert found.sha256 in listed
    (upload,) = Upload.objects.filter(added_file__addition=second)
    assert upload.state == "rejected"
    assert upload.cleared
    assert "recording.added_again" in [event.tag for event in ledger.history(found.custody_id)]


def test_a_file_that_is_here_under_another_name_is_not_shown_as_that_file(officer: Browser) -> None:
    content = _bytes()
    addition = officer.begin()
    officer.send(addition, content, "letter.docx")
    assert officer.send(addition, content, "script.exe").status_code == 422
    path = f"/footage/add/{addition.pk}/files/"
    names = re.compile(r'__name"><strong>([^<]*)</strong>')
    assert names.findall(officer.pages.get(path).content.decode()) == [
        "A file with the same bytes as letter.docx, which is here already",
        "letter.docx",
    ]
    footage.mark_deleted(_recording(content))
    html = officer.pages.get(path).content.decode()
    assert names.findall(html)[0] == "A file with the same bytes as one that was here"
    assert "here already, byte for byte, and was not stored twice. That recording has been deleted" in html


def test_the_same_file_given_as_evidence_later_flags_the_one_that_is_here(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(), content)
    category = str(Category.objects.get(code="arrest").pk)
    officer.send(officer.begin(is_evidence="on", category=category, reason="He says his name"), content)
    assert _recording(content).flags.get().reason == "He says his name"


def test_a_copy_that_the_adder_may_not_know_of_stays_unknown_and_the_file_is_kept(
    officer: Browser, browsers: Browsers
) -> None:
    content = _bytes()
    officer.send(officer.begin(), content)
    stranger = browsers(Role.OFFICER)
    assert stranger.send(stranger.begin(), content).status_code == 204
    assert Recording.objects.filter(sha256=hashlib.sha256(content).hexdigest()).count() == 2


def test_a_copy_that_is_leaving_does_not_stand_for_the_file(officer: Browser) -> None:
    content = _bytes()
    officer.send(officer.begin(), content)
    footage.mark_quarantined(_recording(content))
    assert officer.send(officer.begin(), content).status_code == 204


# --- Going on -----------------------------------------------------------------------------------------------------


def test_an_upload_goes_on_after_its_session_ended_and_a_new_one_began(officer: Browser) -> None:
    content = _bytes()
    addition = officer.begin()
    url = officer.create(addition, len(content)).headers["Location"]
    officer.patch(url, 0, content[:30_000])
    former = officer.session
    SessionStore(former).delete()
    refused = officer.patch(url, 30_000, content[30_000:])
    assert refused.status_code == 401
    assert "sign-in" in refused.json()["detail"]
    assert "kept" in refused.json()["meaning"]
    again = Browser(officer.base, officer.person)
    listed = again.pages.get(f"/footage/add/{addition.pk}/").content.decode()
    assert 'data-state="arriving"' in listed
    assert f'data-mark="{"a" * 64}"' in listed
    assert "46% has arrived" in listed
    assert again.tus("HEAD", url, {}).headers["Upload-Offset"] == "30000"
    assert again.patch(url, 30_000, content[30_000:]).status_code == 204
    assert _recording(content).added_by == officer.person


def test_finishing_gives_up_what_has_not_arrived_whole_and_takes_nothing_more(officer: Browser) -> None:
    addition = officer.begin()
    content = _bytes()
    officer.send(addition, content)
    url = officer.create(addition, 50_000).headers["Location"]
    officer.patch(url, 0, b"x" * 20_000)
    page = officer.pages.post(f"/footage/add/{addition.pk}/finish/", follow=True).content.decode()
    assert "1 file that had not arrived whole was given up" in page
    assert "Choose files" not in page
    assert _recording(content).state == "live"
    assert officer.patch(url, 20_000, b"x" * 30_000).status_code == 410
    refused = officer.create(addition, 10)
    assert refused.status_code == 409
    assert "finished" in refused.json()["detail"]
    events = ledger.history(addition.custody_id)
    assert next(event.tag for event in events) == "addition.opened"
    assert events[-1].details["given_up"] == 1


def test_what_was_said_goes_with_the_last_recording(officer: Browser) -> None:
    contents = [_bytes(), _bytes()]
    addition = officer.begin()
    for content in contents:
        officer.send(addition, content)
    services.finish_addition(addition, actor=officer.person.custody_id)
    footage.mark_deleted(_recording(contents[0]))
    addition.refresh_from_db()
    assert addition.handed_over
    footage.mark_deleted(_recording(contents[1]))
    addition.refresh_from_db()
    assert addition.forgotten
    assert not (addition.handed_over)
    assert not (addition.place)
    assert not (addition.reference)
    assert not (addition.exhibit)
    assert officer.pages.get(f"/footage/add/{addition.pk}/").status_code == 200


def test_what_is_left_open_is_closed_in_time_and_forgotten_where_nothing_came_of_it(officer: Browser) -> None:
    addition = officer.begin()
    Addition.objects.filter(pk=addition.pk).update(opened_at=clock.now() - adding.CLOSED_AFTER - timedelta(days=1))
    assert services.tidy_additions() >= 1
    addition.refresh_from_db()
    assert addition.closed_at is not None
    assert addition.forgotten
    assert not addition.handed_over


# --- The form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"place": ""}, "Where was it recorded?"),
        ({"day": "2099-01-01"}, "It cannot begin after now"),
        ({"day": "2026-03-29", "time": "01:30:00", "clock": "right", "off_minutes": ""}, "skipped that hour"),
        ({"off_minutes": ""}, "by how much the clock was wrong"),
        ({"clock": "right"}, "or leave out by how much"),
        ({"reference_kind": ""}, "what kind of reference"),
        ({"reference": ""}, "Enter the reference"),
        ({"is_evidence": "on"}, "Choose the category of evidence"),
        ({"reason": "Knife seen at 10:05"}, "mark it as evidence, or leave the reason out"),
        ({"kind": "disc"}, "disc"),
        ({"handed_over": "x" * 1001}, "1000"),
        ({"handed_over": "x\x00"}, "Null"),
    ],
)
def test_the_form_says_what_must_be_put_right(officer: Browser, changes: dict[str, str], said: str) -> None:
    before = Addition.objects.count()
    answer = officer.pages.post("/footage/add/", {**FORM, **changes})
    summary = re.search(r'error-summary__body">(.*?)</ul>', answer.content.decode(), re.DOTALL)
    assert answer.status_code == 422
    assert summary
    assert said in summary[1]
    assert Addition.objects.count() == before


def test_the_form_needs_its_token(officer: Browser) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = officer.pages.cookies
    assert strict.post("/footage/add/", FORM).status_code == 403
