"""The pages of imports: who may see what, what they say, and what taking the list of names leaves in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.ingest.models import ImportRun
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.imports.sources import export, fill, run_import

pytestmark = pytest.mark.django_db

LIST = "/fleet/imports/"
NAME = "<b>smith & jones</b>.mp4"


@pytest.fixture
def run(tmp_path: Path) -> ImportRun:
    export(tmp_path, {"a.mp4": b"a", "b.mp4": b"b", NAME: b"c"})
    fill(tmp_path, {"a.mp4": b"a", "b.mp4": b"a"})
    return run_import(tmp_path).run


def pages(run: ImportRun) -> list[str]:
    return [LIST, *(f"{LIST}{run.pk}/{part}" for part in ("", "now/", "files.csv", "report.json"))]


def sign_in(client: Client, *roles: Role) -> None:
    signin.quickly(client, factories.person(*roles, unit=factories.unit()))


def test_nobody_sees_an_import_without_signing_in(client: Client, run: ImportRun) -> None:
    for page in pages(run):
        response = client.get(page)
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login/")


@pytest.mark.parametrize("role", [Role.OFFICER, Role.INVESTIGATOR, Role.RIGHTS_OFFICER, Role.POST_INCIDENT_MANAGER])
def test_who_may_not_see_the_fleet_is_refused_and_the_refusal_is_in_the_ledger(
    client: Client, run: ImportRun, role: Role
) -> None:
    sign_in(client, role)
    for page in pages(run):
        assert client.get(page).status_code == 403
        assert custody.search(tag="access.refused")[0].details["path"] == page


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR])
def test_who_sees_the_fleet_sees_figures_and_verdict_and_no_names(client: Client, run: ImportRun, role: Role) -> None:
    sign_in(client, role)
    text = client.get(f"{LIST}{run.pk}/").content.decode()
    assert "Do not delete the source." in text
    assert "1 file is missing at the source" in text
    assert "jones" not in text
    assert "jones" not in client.get(f"{LIST}{run.pk}/?state=all&words=jones").content.decode()
    assert client.get(f"{LIST}{run.pk}/files.csv").status_code == 403
    assert client.get(f"{LIST}{run.pk}/report.json").json()["files"]["missing"] == 1


def test_the_manager_sees_which_files_need_a_look_and_why(client: Client, run: ImportRun) -> None:
    sign_in(client, Role.BWV_MANAGER)
    assert "Import" in client.get(LIST).content.decode()
    text = client.get(f"{LIST}{run.pk}/").content.decode()
    assert "&lt;b&gt;smith &amp; jones&lt;/b&gt;.mp4" in text
    assert "The manifest lists it; it is not at the source." in text
    assert "Its SHA-256 is" in text
    assert "a.mp4" not in text.split("Files</h2>")[1].split("What was done")[0].replace("/a.mp4", "")


def test_files_are_found_by_state_name_and_hash(client: Client, run: ImportRun) -> None:
    sign_in(client, Role.BWV_MANAGER)
    imported = run.items.get(path="a.mp4")
    for query in ("state=imported", "state=all&words=a.mp4", f"state=all&words={imported.sha256[:12].upper()}"):
        text = client.get(f"{LIST}{run.pk}/?{query}").content.decode()
        assert f"/footage/{imported.recording}/" in text, query
    assert "No file is like that" in client.get(f"{LIST}{run.pk}/?state=refused").content.decode()
    assert client.get(f"{LIST}{run.pk}/?state=nonsense&page=99&words=%00").status_code == 200


def test_taking_the_list_is_in_the_ledger(client: Client, run: ImportRun) -> None:
    sign_in(client, Role.BWV_MANAGER)
    response = client.get(f"{LIST}{run.pk}/files.csv")
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert len(lines) == 4
    assert "attachment" in response["Content-Disposition"]
    assert custody.history(run.custody_id)[-1].tag == "import.listing_taken"


def test_nothing_on_these_pages_takes_a_post(client: Client, run: ImportRun) -> None:
    sign_in(client, Role.BWV_MANAGER)
    assert {client.post(page).status_code for page in pages(run)} == {405}


def test_an_unknown_import_is_not_found(client: Client, run: ImportRun) -> None:
    sign_in(client, Role.BWV_MANAGER)
    for page in pages(run)[1:]:
        assert client.get(page.replace(f"/{run.pk}/", "/99999999/")).status_code == 404
