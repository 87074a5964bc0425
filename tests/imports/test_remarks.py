"""What is here to its last byte and shows nothing: the report, the page and the command say so beside the verdict."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client

from bluelamp.footage.models import Recording
from bluelamp.footage.services import processing
from bluelamp.ingest.imports import listing, queries, services
from bluelamp.ingest.imports.rules import Showing, remarks
from bluelamp.ingest.models import ImportRun
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.imports.sources import OLD, export, fill, run_import, states
from tests.media import samples
from tests.pages import text_of

pytestmark = pytest.mark.django_db

EMPTY = "It is empty: 0 bytes, at the source as here."


@pytest.fixture
def run(tmp_path: Path) -> ImportRun:
    """A film, a text that calls itself one, the same again, and two files without content."""
    files = {"a.mp4": samples.video(1), "b.mp4": b"no film", "c.mp4": b"", "d.mp4": b"", "e.mp4": b"no film"}
    fill(tmp_path / "export", files)
    standing = run_import(tmp_path / "export")
    assert standing.verdict.may_delete
    found: ImportRun = standing.run
    return found


def prepare() -> None:
    for recording in Recording.objects.all():
        processing.prepare(recording.pk)


def shown(run: ImportRun) -> list[str]:
    return [item.path for item in queries.items(run, state="nothing")]


def test_what_shows_nothing_is_counted_once_it_was_prepared(run: ImportRun) -> None:
    assert queries.showing(run) == Showing(empty=2, unprepared=3)
    assert shown(run) == ["c.mp4", "d.mp4"]
    prepare()
    assert queries.showing(run) == Showing(empty=2, unplayable=2)
    assert shown(run) == ["b.mp4", "c.mp4", "d.mp4", "e.mp4"]
    assert queries.standing(run).verdict.may_delete, "every byte is here all the same"


def test_what_its_device_encrypted_shows_nothing_either(run: ImportRun) -> None:
    Recording.objects.filter(filename="a.mp4").update(processing=Recording.Processing.KEYLESS)
    assert queries.showing(run) == Showing(empty=2, keyless=1, unprepared=2)
    assert shown(run) == ["a.mp4", "c.mp4", "d.mp4"]


def test_what_was_deleted_since_or_is_leaving_is_not_waited_for(run: ImportRun) -> None:
    Recording.objects.filter(filename="a.mp4").update(state=Recording.State.QUARANTINED)
    assert queries.showing(run) == Showing(empty=2, unprepared=2)
    Recording.objects.all().update(state=Recording.State.DELETED)
    assert queries.showing(run) == Showing()
    assert shown(run) == []


def test_what_was_not_proven_to_be_here_is_not_said_to_be(run: ImportRun) -> None:
    prepare()
    run.items.filter(path="b.mp4").update(here_sha256="", here_size=None)
    assert queries.showing(run) == Showing(empty=2, unplayable=1)
    ImportRun.objects.filter(pk=run.pk).update(state=ImportRun.State.CHECKING)
    run.refresh_from_db()
    assert queries.showing(run) == Showing(), "nothing is said while it is under way"


def test_the_list_and_the_summary_name_files_without_content(run: ImportRun, tmp_path: Path) -> None:
    written = b"".join(listing.lines(queries.every(run.items.all()))).decode()
    assert written.count(EMPTY) == 2
    assert "a.mp4" in written
    _, _, text = services.write_report(run, tmp_path / "report")
    summary = text.read_text()
    assert "2 files are empty: 0 bytes, at the source as here.\n" in summary
    assert "3 files are not prepared for viewing yet" in summary
    assert f"Imported: c.mp4. {EMPTY}\n" in summary
    assert "Already here: d.mp4. The same bytes as c.mp4" in summary
    assert summary.count("d.mp4") == 1


def test_a_summary_that_is_written_later_says_why_a_file_cannot_be_shown(run: ImportRun, tmp_path: Path) -> None:
    prepare()
    run.items.filter(path="e.mp4").update(here_sha256="")
    _, _, text = services.write_report(run, tmp_path / "report")
    summary = text.read_text()
    why = Recording.objects.get(filename="b.mp4").processing_error
    assert why
    assert f"Imported: b.mp4. {why}\n" in summary
    assert summary.count("Already here: e.mp4.") == 1, "damaged here, and said once"
    assert "a.mp4" not in summary


def test_the_page_says_it_and_leads_to_the_files(run: ImportRun, client: Client) -> None:
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=factories.unit()))
    Recording.objects.filter(size=0).update(state=Recording.State.DELETED)
    before = text_of(client.get(f"/fleet/imports/{run.pk}/"))
    assert "3 files are not prepared for viewing yet" in before
    assert "Which show nothing" not in before, "the link would lead to an empty list"
    Recording.objects.filter(size=0).update(state=Recording.State.LIVE)
    prepare()
    page = text_of(client.get(f"/fleet/imports/{run.pk}/"))
    assert "The source may be deleted." in page
    assert "2 files could not be prepared for viewing, though every byte of them is here." in page
    assert "Which show nothing" in page
    found = text_of(client.get(f"/fleet/imports/{run.pk}/?state=nothing"))
    assert "Here, but shows nothing" in found
    assert "b.mp4" in found
    assert "a.mp4" not in found
    assert found.count(Recording.objects.get(filename="b.mp4").processing_error) == 2


def test_others_learn_who_can_take_the_list(run: ImportRun, client: Client) -> None:
    prepare()
    signin.quickly(client, factories.person(Role.AUDITOR, unit=factories.unit()))
    page = text_of(client.get(f"/fleet/imports/{run.pk}/"))
    assert "2 files are empty" in page
    assert "Which show nothing" not in page
    assert "with their names, is for the body-worn video manager" in page


def test_a_file_that_was_only_touched_keeps_what_is_said_of_it(tmp_path: Path) -> None:
    files = {"a.mp4": b"film", "b.mp4": b"", "c.mp4": b"film", "d.mp4": b""}
    export(tmp_path, {**files, "gone.mp4": b"gone"})
    fill(tmp_path, files)
    first = run_import(tmp_path)
    said = dict(first.run.items.values_list("path", "sentence"))
    assert said["b.mp4"] == EMPTY
    assert said["c.mp4"].startswith("The same bytes as a.mp4")
    assert said["d.mp4"].endswith(EMPTY)
    (tmp_path / "c.mp4").write_bytes(b"changed")
    assert states(run_import(tmp_path))["changed"] == 1
    fill(tmp_path, files)
    for name in files:
        os.utime(tmp_path / name, (OLD + 100, OLD + 100))
    again = run_import(tmp_path)
    assert again.run.pk == first.run.pk
    assert dict(again.run.items.values_list("path", "sentence")) == said
    assert states(again) == {"imported": 2, "duplicate": 2, "missing": 1}


def test_one_and_many_read_alike() -> None:
    assert remarks(Showing()) == []
    one, many = remarks(Showing(1, 1, 1, 1, 1)), remarks(Showing(2, 2, 2, 2, 2))
    assert one[0] == "1 file is empty: 0 bytes, at the source as here."
    assert one[1].startswith("1 file could not be prepared for viewing, though every byte of it is here. As a rule")
    assert many[1].startswith("2 files could not be prepared for viewing, though every byte of them is here. As a")
    assert one[2] == "1 file is encrypted by its device, and shows nothing until the key is here."
    assert many[2] == "2 files are encrypted by their device, and show nothing until the key is here."
    assert one[3].startswith("1 file is not prepared for viewing yet")
    assert many[3].startswith("2 files are not prepared for viewing yet")
    assert one[4].startswith(
        "1 file is here with something of the list that could not be used: the remark beside it in"
    )
    assert many[4].startswith(
        "2 files are here with something of the list that could not be used: the remark beside ea"
    )
