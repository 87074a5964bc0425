"""What a list says of its files: what of it cannot be used is said beside the file, and all stands on the recording."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from bluelamp.footage.models import Recording
from bluelamp.ingest.imports import csv_manifest, listing, queries, services
from bluelamp.ingest.imports.rules import Showing
from bluelamp.ingest.models import ImportItem, Upload
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.imports.sources import LONDON, OLD, export, fill, run_import
from tests.pages import text_of

pytestmark = pytest.mark.django_db

FILM = {"a.mp4": b"film"}
LARGE = os.urandom(1024) * 5000
UNREAD = "Its start time 31/31/2026 25:00 could not be read; the time when it was last written counts."


def imported(folder: Path, data: bytes = b"film", **columns: str) -> ImportItem:
    """One file, imported with these columns in its list."""
    export(folder, {"a.mp4": data}, **{name: {"a.mp4": value} for name, value in columns.items()})
    fill(folder, {"a.mp4": data})
    item = run_import(folder).run.items.get()
    assert item.state == "imported"
    return item


def told(**columns: str) -> dict[str, Any]:
    """The facts that are read from one line of a list."""
    text = ",".join(["file", *columns]) + "\n" + ",".join(["a.mp4", *columns.values()]) + "\n"
    (entry,) = csv_manifest.read(text.encode(), "list.csv", LONDON).entries
    return entry.facts


def test_whoever_and_whatever_is_not_known_here_is_named(tmp_path: Path) -> None:
    item = imported(tmp_path, officer="PC 99999", unit="Atlantis", serial="NOSUCH", recorded="2026-07-22T06:19:05Z")
    assert item.sentence == (
        "The list names officer PC 99999, who is not known here. The list names unit Atlantis, which is not known "
        "here. The list names camera NOSUCH, which is not known here."
    )
    recording = Recording.objects.get()
    assert (recording.wearer, recording.unit, recording.camera) == (None, None, None)
    assert recording.manifest["officer"] == "PC 99999"
    assert "unused" not in recording.manifest


def test_nothing_is_said_where_all_of_the_list_could_be_used(tmp_path: Path) -> None:
    unit = factories.unit("Northgate")
    officer, camera = factories.person(unit=unit), factories.camera(unit)
    said = {"officer": f"PC {officer.warrant_number}", "unit": "northgate", "serial": camera.serial.lower()}
    item = imported(tmp_path, **said, recorded="22/07/2020 07:19", duration="93")
    assert item.sentence == ""
    assert Recording.objects.get().wearer == officer
    assert queries.showing(item.run).unused == 0


@pytest.mark.parametrize("data", [b"film", LARGE], ids=["small", "large"])
def test_a_start_that_cannot_be_read_is_said_with_what_counts_instead(tmp_path: Path, data: bytes) -> None:
    item = imported(tmp_path, data, recorded="31/31/2026 25:00")
    assert item.sentence == UNREAD
    assert Recording.objects.get().started_at == datetime.fromtimestamp(OLD, UTC)
    assert queries.showing(item.run) == Showing(unprepared=1, unused=1)


def test_times_in_the_future_are_said_not_to_count(tmp_path: Path) -> None:
    started = imported(tmp_path / "1", recorded="2199-01-01 10:00")
    assert started.sentence.startswith("Its start time 2199-01-01 10:00 UTC lies in the future; the time when it was")
    ended = imported(tmp_path / "2", b"other", recorded="2020-01-01 10:00", ended="2199-01-01 10:00")
    assert ended.sentence.startswith("Its end time 2199-01-01 10:00 UTC lies in the future; the time when it was last")


def test_an_end_before_the_start_does_not_count(tmp_path: Path) -> None:
    item = imported(tmp_path, recorded="2020-07-22 10:00", ended="2020-07-22 09:00", duration="60")
    assert item.sentence == "Its end time 2020-07-22 09:00 lies before its start time and does not count."
    recording = Recording.objects.get()
    assert (recording.ended_at - recording.started_at).total_seconds() == 60, "the length that it gives counts"


def test_what_cannot_be_read_is_kept_as_it_is_written() -> None:
    start = "2020-07-22T10:00:00Z"
    assert told(start="soon", end="later")["unread_time"] == "soon"
    assert told(start=start, end="later") == {
        "unread_end": "later",
        "started": "2020-07-22T10:00:00Z",
        "ended": "2020-07-22T10:00:00Z",
    }
    assert told(end=start) == {"lone_end": start}
    assert told(start=start, duration="long")["unread_length"] == "long"
    assert told(start=start, end=start, duration="long")["length"] == "long", "it is not needed"
    assert told(start="9999-12-31T23:59:00Z", duration="900")["ended"].startswith("9999-12-31T23:59")


def test_an_empty_file_has_both_remarks(tmp_path: Path) -> None:
    item = imported(tmp_path, b"", officer="99999")
    assert item.sentence == (
        "It is empty: 0 bytes, at the source as here. The list names officer 99999, who is not known here."
    )


def test_the_list_and_the_summary_say_it(tmp_path: Path) -> None:
    item = imported(tmp_path, officer="99999")
    said = "The list names officer 99999, who is not known here."
    assert said in b"".join(listing.lines(queries.every(item.run.items.all()))).decode()
    _, _, text = services.write_report(item.run, tmp_path / "report")
    assert (
        "1 file is here with something of the list that could not be used: the remark beside it in the list of all "
        "files says what."
    ) in text.read_text()


def test_a_file_that_was_only_touched_keeps_its_remark(tmp_path: Path) -> None:
    files = {"a.mp4": b"film", "b.mp4": LARGE}
    said = dict.fromkeys(files, "31/31/2026 25:00")
    export(tmp_path, {**files, "gone.mp4": b"gone"}, recorded=said)
    fill(tmp_path, files)
    run_import(tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"changed")
    run_import(tmp_path)
    fill(tmp_path, files)
    for name in files:
        os.utime(tmp_path / name, (OLD + 100, OLD + 100))
    again = run_import(tmp_path)
    assert set(again.run.items.filter(path__in=files).values_list("state", "sentence")) == {("imported", UNREAD)}
    assert queries.showing(again.run).unused == 2


def test_an_import_that_was_cut_off_keeps_the_remark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bluelamp.ingest.imports.services import taking

    class PowerCut(BaseException):
        pass

    def cut(*_: Any, **__: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as patched, pytest.raises(PowerCut):
        patched.setattr(taking._Taker, "_settle", cut)
        imported(tmp_path, LARGE, officer="99999")
    assert Upload.objects.get().state == "accepted"
    item = run_import(tmp_path).run.items.get()
    assert (item.state, item.sentence) == ("imported", "The list names officer 99999, who is not known here.")


def test_an_officer_who_became_known_before_the_file_was_taken_is_no_remark(tmp_path: Path) -> None:
    export(tmp_path, FILM, officer={"a.mp4": "77777"})
    fill(tmp_path, FILM)
    run = run_import(tmp_path).run
    run.items.update(state="refused", recording=None, sentence="")
    Recording.objects.all().delete()
    person = factories.person(unit=factories.unit())
    type(person).objects.filter(pk=person.pk).update(warrant_number="77777")
    run.state = "incomplete"
    run.save()
    again = run_import(tmp_path).run
    assert again.pk == run.pk
    assert (again.items.get().sentence, again.items.get().facts.get("unused")) == ("", None)


def test_a_remark_is_forgotten_with_its_recording(tmp_path: Path) -> None:
    from bluelamp.ingest.imports.services.reporting import forget

    item = imported(tmp_path, officer="99999")
    forget([Recording.objects.get()])
    item.refresh_from_db()
    assert item.sentence == ""
    assert queries.showing(item.run).unused == 0


def page_of(client: Client, recording: Recording, *roles: Role) -> tuple[str, str]:
    """The recording's page for a person with these roles: as it is written, and its words."""
    signin.quickly(client, factories.person(*roles, unit=factories.unit()))
    response = client.get(f"/footage/{recording.pk}/")
    assert response.status_code == 200
    return response.content.decode(), text_of(response)


def test_the_recording_s_page_shows_what_the_other_system_said(tmp_path: Path, client: Client) -> None:
    said = {"CrimeRef": "14/2231/26", "Category": "Assault", "Recorded": "22/07/2020 07:19", "Redaction": "Faces"}
    item = imported(tmp_path, **said, Officer="PC 99999")
    written, words = page_of(client, Recording.objects.get(), Role.BWV_MANAGER)
    told = words[words.index("What the other system said") :]
    for value in ("Reference 14/2231/26", "Category Assault", "Officer PC 99999", "Start 22 Jul 2020, 07:19"):
        assert value in told
    assert "Redaction Faces" in told
    assert "File a.mp4" in told
    assert f'<a class="govuk-link" href="/fleet/imports/{item.run_id}/">Import {item.run_id}</a>' in written


def test_whoever_does_not_see_the_fleet_gets_no_link_to_the_import(tmp_path: Path, client: Client) -> None:
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    item = imported(tmp_path, CrimeRef="14/2231/26", Officer=str(officer.warrant_number))
    signin.quickly(client, officer)
    response = client.get(f"/footage/{item.recording}/")
    assert "Reference 14/2231/26" in text_of(response)
    assert f"Came with Import {item.run_id}" in text_of(response)
    assert "/fleet/imports/" not in response.content.decode()


def test_what_the_other_system_said_is_text_whatever_it_holds(tmp_path: Path, client: Client) -> None:
    hostile = "<script>alert('{{ 7 }}')</script>" + "x" * 500
    item = imported(tmp_path, **{"CrimeRef": hostile, "<b>Mine</b>": hostile, "Officer": hostile, "Recorded": hostile})
    assert len(item.sentence) < 400
    assert item.sentence.startswith("The list names officer <script>alert('{{ 7 }}')</script>xxx")
    written, words = page_of(client, Recording.objects.get(), Role.BWV_MANAGER)
    assert "<script>alert" not in written
    assert "<b>Mine" not in written
    assert words.count(hostile) == 4, "reference, officer, start, and the column of its own"
    run = client.get(f"/fleet/imports/{item.run_id}/?state=all").content.decode()
    assert "<script>alert" not in run
    assert "The list names officer &lt;script&gt;" in run


def test_a_recording_that_came_another_way_has_no_such_panel(client: Client) -> None:
    recording = factories.recording(factories.person(unit=factories.unit()))
    assert "What the other system said" not in page_of(client, recording, Role.BWV_MANAGER)[1]
