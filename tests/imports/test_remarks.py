"""What is here to its last byte and shows nothing: the report, the page and the command say so beside the verdict."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client

from bluelamp.footage.models import Recording
from bluelamp.footage.services import processing
from bluelamp.ingest.imports import listing, queries, services
from bluelamp.ingest.imports.rules import Playing, remarks
from bluelamp.ingest.models import ImportRun
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.imports.sources import OLD, fill, run_import, states
from tests.media import samples
from tests.pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path: Path) -> ImportRun:
    """A film, a text that calls itself one, and two files without content."""
    fill(tmp_path / "export", {"a.mp4": samples.video(1), "b.mp4": b"no film", "c.mp4": b"", "d.mp4": b""})
    standing = run_import(tmp_path / "export")
    assert standing.verdict.may_delete
    found: ImportRun = standing.run
    return found


def prepare() -> None:
    for recording in Recording.objects.all():
        processing.prepare(recording.pk)


def test_what_shows_nothing_is_counted_once_it_was_prepared(run: ImportRun) -> None:
    assert queries.playing(run) == Playing(empty=2, unplayable=0, unprepared=2)
    prepare()
    assert queries.playing(run) == Playing(empty=2, unplayable=1, unprepared=0)
    assert [item.path for item in queries.items(run, state="unplayable")] == ["b.mp4", "c.mp4", "d.mp4"]
    assert "Do not delete" not in queries.standing(run).verdict.sentence, "every byte is here all the same"


def test_what_was_deleted_since_is_not_counted(run: ImportRun) -> None:
    prepare()
    Recording.objects.filter(processing=Recording.Processing.FAILED, size__gt=0).update(state=Recording.State.DELETED)
    assert queries.playing(run) == Playing(empty=2, unplayable=0, unprepared=0)


def test_the_list_and_the_summary_name_files_without_content(run: ImportRun, tmp_path: Path) -> None:
    written = b"".join(listing.lines(queries.every(run.items.all()))).decode()
    assert written.count("It is empty: 0 bytes, at the source as here.") == 2
    assert "a.mp4" in written
    _, _, text = services.write_report(run, tmp_path / "report")
    summary = text.read_text()
    assert "2 files are empty: 0 bytes, at the source as here.\n" in summary
    assert "2 files are not prepared for viewing yet" in summary
    assert "Imported: c.mp4. It is empty" in summary
    assert "Already here: d.mp4. The same bytes as c.mp4" in summary
    assert summary.count("d.mp4") == 1


def test_the_page_says_it_and_leads_to_the_files(run: ImportRun, client: Client) -> None:
    prepare()
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=factories.unit()))
    page = text_of(client.get(f"/fleet/imports/{run.pk}/"))
    assert "The source may be deleted." in page
    assert "1 file cannot be played here, though every byte of it is." in page
    found = text_of(client.get(f"/fleet/imports/{run.pk}/?state=unplayable"))
    assert "Here, but shows nothing" in found
    assert "b.mp4" in found
    assert "a.mp4" not in found
    assert Recording.objects.get(filename="b.mp4").processing_error in found


def test_others_learn_who_can_take_the_list(run: ImportRun, client: Client) -> None:
    prepare()
    signin.quickly(client, factories.person(Role.AUDITOR, unit=factories.unit()))
    page = text_of(client.get(f"/fleet/imports/{run.pk}/"))
    assert "2 files are empty" in page
    assert "Which they are" not in page
    assert "the body-worn video manager can take it here" in page


def test_a_file_that_was_only_touched_keeps_what_is_said_of_it(run: ImportRun, tmp_path: Path) -> None:
    said = dict(run.items.values_list("path", "sentence"))
    for path in (tmp_path / "export").iterdir():
        os.utime(path, (OLD + 100, OLD + 100))
    run_import(tmp_path / "export")
    assert dict(run.items.values_list("path", "sentence")) == said
    assert states(queries.standing(run)) == {"imported": 3, "duplicate": 1}


def test_one_and_many_read_alike() -> None:
    assert remarks(Playing()) == []
    one, many = remarks(Playing(1, 1, 1)), remarks(Playing(2, 2, 2))
    assert one[0] == "1 file is empty: 0 bytes, at the source as here."
    assert "1 file cannot be played here, though every byte of it is. It was like that at the source" in one[1]
    assert "2 files cannot be played here, though every byte of them is. They were like that at the source" in many[1]
    assert one[2].startswith("1 file is not prepared for viewing yet")
    assert many[2].startswith("2 files are not prepared for viewing yet")
