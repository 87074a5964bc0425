"""Whoever adds footage without a right to, or with something else than a whole file."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.test import Client

from bluelamp.custody import queries as ledger
from bluelamp.ingest.models import AddedFile, Upload
from bluelamp.ingest.services import adding
from bluelamp.people.models import Person
from bluelamp.people.policy import Role
from tests.ingest.browsers import FORM, Browser, Browsers
from tests.ingest.docks import TUS, metadata

pytestmark = pytest.mark.usefixtures("shared_db")


@pytest.fixture
def officer(browsers: Browsers) -> Iterator[Browser]:
    return browsers(Role.OFFICER)


def test_nobody_adds_without_signing_in(officer: Browser, entrance: str) -> None:
    addition = officer.begin()
    for path in ("", f"{addition.pk}/", f"{addition.pk}/files/"):
        answer = Client().get(f"/footage/add/{path}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/login/")
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": metadata({"addition": str(addition.pk)})}
    assert httpx.post(f"{entrance}/dock/tus/", headers=headers).status_code == 401
    cookies = {settings.SESSION_COOKIE_NAME: "0" * 32}
    assert httpx.post(f"{entrance}/dock/tus/", headers=headers, cookies=cookies).status_code == 401
    browser = httpx.post(f"{entrance}/dock/tus/", headers={**headers, "Sec-Fetch-Site": "same-origin"})
    assert (browser.status_code, browser.json()["title"]) == (401, "You are signed out")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR, Role.RIGHTS_OFFICER, Role.POST_INCIDENT_MANAGER])
def test_a_role_that_is_not_handed_footage_adds_none(browsers: Browsers, officer: Browser, role: Role) -> None:
    other = browsers(role)
    assert other.pages.get("/footage/add/").status_code == 403
    assert other.pages.post("/footage/add/", FORM).status_code == 403
    before = ledger.count("access.refused")
    assert other.create(officer.begin(), 5).status_code == 403
    assert ledger.count("access.refused") == before + 1
    listed = other.pages.get("/footage/")
    assert listed.status_code == 403 or "Add footage" not in listed.content.decode()


def test_who_lost_the_role_adds_no_more_files(officer: Browser) -> None:
    addition = officer.begin()
    Person.objects.filter(pk=officer.person.pk).update(roles=[Role.AUDITOR.value])
    assert officer.create(addition, 5).status_code == 403


def test_anothers_addition_is_not_there_and_the_attempt_is_on_record(officer: Browser, browsers: Browsers) -> None:
    addition = officer.begin()
    other = browsers(Role.BWV_MANAGER)
    before = len(ledger.history(addition.custody_id))
    assert other.pages.get(f"/footage/add/{addition.pk}/").status_code == 404
    assert other.pages.get(f"/footage/add/{addition.pk}/files/").status_code == 404
    assert other.pages.post(f"/footage/add/{addition.pk}/finish/").status_code == 404
    refused = other.create(addition, 5)
    assert refused.status_code == 404
    assert refused.json()["next_step"]
    tags = [event.tag for event in ledger.history(addition.custody_id)][before:]
    assert tags == ["access.refused"] * 4
    assert not AddedFile.objects.filter(addition=addition).exists()


def test_anothers_upload_is_not_there(officer: Browser, browsers: Browsers) -> None:
    url = officer.create(officer.begin(), 5).headers["Location"]
    other = browsers(Role.OFFICER, unit=officer.person.unit)
    assert other.tus("HEAD", url, {}).status_code == 404
    assert other.patch(url, 0, b"hello").status_code == 404
    assert other.tus("DELETE", url, {}).status_code == 404
    assert officer.tus("HEAD", url, {}).headers["Upload-Offset"] == "0"


def test_another_sites_page_cannot_send_with_this_ones_session(officer: Browser) -> None:
    addition = officer.begin()
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        refused = officer.create(addition, 5, Origin=origin)
        assert refused.status_code == 403
        assert "another site" in refused.json()["detail"]
    assert officer.create(addition, 5, Origin=officer.base).status_code == 201


@pytest.mark.parametrize("named", ["", "x", "00000000-0000-7000-8000-000000000000", "' OR 1=1", "\x00"])
def test_an_addition_that_is_none_takes_nothing(officer: Browser, named: str) -> None:
    assert officer.create(named, 5).status_code == 404


def test_a_person_sends_files_as_a_whole(officer: Browser) -> None:
    addition = officer.begin()
    about = metadata({"addition": str(addition.pk), "filename": "x"})
    for headers in (
        {"Upload-Length": "5", "Upload-Concat": "partial"},
        {"Upload-Concat": "final;/dock/tus/00000000-0000-7000-8000-000000000000"},
        {"Upload-Defer-Length": "1"},
    ):
        refused = officer.tus("POST", "/dock/tus/", {**headers, "Upload-Metadata": about})
        assert refused.status_code == 422, headers
    assert not Upload.objects.filter(owner=officer.person.custody_id).exists()


def test_an_empty_file_and_one_too_large_are_refused_in_words(officer: Browser) -> None:
    addition = officer.begin()
    empty, large = officer.create(addition, 0), officer.create(addition, 10**15)
    assert (empty.status_code, large.status_code) == (422, 413)
    assert "no bytes" in empty.json()["detail"]
    assert "at most" in large.json()["detail"]


def test_nobody_leaves_more_than_fifty_files_unfinished(officer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "MOST_UNFINISHED", 2)
    addition = officer.begin()
    assert [officer.create(addition, 5).status_code for _ in range(3)] == [201, 201, 409]
    assert officer.create(officer.begin(), 5).status_code == 409
