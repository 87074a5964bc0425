"""Folders and exports are imported whole, judged file by file, and never called deletable too early."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bluelamp.custody import queries as custody
from bluelamp.custody import words
from bluelamp.footage.models import Recording
from bluelamp.ingest.models import ImportItem, ImportRun, Upload
from bluelamp.kernel import clock
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store
from tests import factories
from tests.imports.sources import OLD, export, fill, named, run_import, states

pytestmark = pytest.mark.django_db

FILES = {f"clip {number}.mp4": f"footage {number}".encode() * (number + 1) for number in range(5)}


def test_a_folder_is_imported_with_its_sub_folders_and_may_then_be_deleted(tmp_path: Path) -> None:
    fill(tmp_path, {**FILES, "below/it/more.mp4": b"more"})
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 6}
    assert standing.verdict.may_delete
    assert standing.run.state == ImportRun.State.COMPLETE
    assert "The source may be deleted: all 6 files" in standing.verdict.sentence
    for item in standing.run.items.all():
        recording = Recording.objects.get(pk=item.recording)
        reader = SealedReader(recording.original, recording.key_id)
        assert reader.read(0, reader.size) == (tmp_path / item.path).read_bytes()
        assert custody.history(recording.custody_id)[0].actor == standing.run.custody_id
    assert sorted(FILES) == sorted(path.name for path in tmp_path.glob("*.mp4"))


def test_a_large_file_goes_through_the_same_intake_as_an_upload(tmp_path: Path) -> None:
    data = os.urandom(1024) * 5000
    fill(tmp_path, {"long.mp4": data, "empty.mp4": b""})
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 2}
    assert standing.verdict.may_delete
    assert set(Recording.objects.values_list("size", flat=True)) == {len(data), 0}
    assert not Upload.objects.filter(cleared=False).exists()


def test_an_export_is_judged_against_its_list(tmp_path: Path) -> None:
    listed = {**FILES, "gone.mp4": b"gone", "torn.mp4": b"as it was", "short.mp4": b"as long as it was"}
    export(tmp_path, listed)
    fill(tmp_path, {**FILES, "torn.mp4": b"is now so", "short.mp4": b"as long", "stray.mp4": b"nobody listed it"})
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 5, "missing": 1, "corrupt": 2, "extra": 1}
    assert named(standing, "missing") == {"gone.mp4"}
    assert named(standing, "corrupt") == {"torn.mp4", "short.mp4"}
    assert named(standing, "extra") == {"stray.mp4"}
    assert not standing.verdict.may_delete
    assert standing.verdict.sentence.startswith(
        "Do not delete the source: 1 file is missing at the source; 2 files are"
    )
    assert "5 of 9 files are proven to be here" in standing.verdict.sentence
    assert standing.run.state == ImportRun.State.INCOMPLETE
    said = custody.history(standing.run.custody_id)
    assert [item.tag for item in said] == ["import.started", "import.problems_found", "import.finished"]
    by, machine = said[0].details["by"], said[0].details["machine"]
    assert words.describe(said[0]) == f"{by} on {machine} began to import {standing.run.source}."
    there = replace(said[0], details={**said[0].details, "by": f"anna on {machine}"})
    assert words.describe(there) == f"anna on {machine} began to import {standing.run.source}."
    assert said[1].details["missing"] == 1
    assert Recording.objects.count() == 5


def test_what_was_put_right_at_the_source_is_taken_by_the_next_attempt(tmp_path: Path) -> None:
    export(tmp_path, {**FILES, "late.mp4": b"late", "torn.mp4": b"as it was"})
    fill(tmp_path, {**FILES, "torn.mp4": b"is now so", "stray.mp4": b"nobody listed it"})
    first = run_import(tmp_path)
    assert not first.verdict.may_delete
    fill(tmp_path, {"late.mp4": b"late", "torn.mp4": b"as it was"})
    second = run_import(tmp_path, extra=True)
    assert second.run.pk == first.run.pk
    assert states(second) == {"imported": 8}
    assert second.verdict.may_delete
    assert Recording.objects.count() == 8


def test_a_file_under_two_names_is_stored_once(tmp_path: Path) -> None:
    fill(tmp_path, {"a.mp4": b"the same", "b/copy of a.mp4": b"the same", "c.mp4": b"another"})
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 2, "duplicate": 1}
    copy = standing.run.items.get(state="duplicate")
    assert copy.recording == standing.run.items.get(path="a.mp4").recording
    assert "a.mp4" in copy.sentence
    assert Recording.objects.count() == 2
    assert standing.verdict.may_delete


def test_what_is_here_already_is_not_stored_again(tmp_path: Path) -> None:
    here = factories.recording(factories.person(unit=factories.unit()), content=b"was docked", sealed=True)
    large = os.urandom(1024) * 5000
    there = factories.recording(factories.person(unit=factories.unit()), content=large, sealed=True)
    fill(tmp_path, {"a.mp4": b"was docked", "b.mp4": large})
    standing = run_import(tmp_path)
    assert states(standing) == {"duplicate": 2}
    assert set(standing.run.items.values_list("recording", flat=True)) == {here.pk, there.pk}
    assert standing.verdict.may_delete
    assert Recording.objects.count() == 2


def test_a_second_import_of_a_complete_source_proves_it_again_and_stores_nothing(tmp_path: Path) -> None:
    fill(tmp_path, FILES)
    first, second = run_import(tmp_path), run_import(tmp_path)
    assert second.run.pk != first.run.pk
    assert states(second) == {"duplicate": 5}
    assert second.verdict.may_delete


def test_a_source_that_changes_after_it_was_imported_is_noticed(tmp_path: Path) -> None:
    export(tmp_path, {**FILES, "gone.mp4": b"gone"})
    fill(tmp_path, FILES)
    run_import(tmp_path)
    fill(tmp_path, {"clip 1.mp4": b"quite something else"})
    os.utime(tmp_path / "clip 2.mp4", (OLD + 9, OLD + 9))
    (tmp_path / "clip 3.mp4").unlink()
    second = run_import(tmp_path)
    assert named(second, "changed") == {"clip 1.mp4"}
    assert named(second, "imported") == {"clip 0.mp4", "clip 2.mp4", "clip 3.mp4", "clip 4.mp4"}
    assert "changed at the source after being imported" in second.verdict.sentence
    assert "gone from the source" in second.run.items.get(path="clip 3.mp4").sentence
    fill(tmp_path, {"clip 1.mp4": FILES["clip 1.mp4"]})
    assert not named(run_import(tmp_path), "changed")


def test_damage_in_the_store_keeps_the_source_from_being_called_deletable(tmp_path: Path) -> None:
    fill(tmp_path, {**FILES, "..mp4": b"x"})
    (tmp_path / "link.mp4").symlink_to(tmp_path / "clip 1.mp4")
    first = run_import(tmp_path)
    assert named(first, "unreadable") == {"link.mp4"}
    item = first.run.items.get(path="clip 2.mp4")
    get_store().delete(Recording.objects.get(pk=item.recording).original)
    ImportItem.objects.update(checked_at=clock.now() - timedelta(days=2))
    (tmp_path / "link.mp4").unlink()
    second = run_import(tmp_path)
    assert not second.verdict.may_delete
    assert second.figures.damaged == 1
    assert "1 file in the store here is not what was read" in second.verdict.sentence


def test_the_verdict_waits_for_files_that_came_while_it_was_imported(tmp_path: Path) -> None:
    fill(tmp_path, FILES)
    from bluelamp.ingest.imports import queries, services, sources

    def late(doing: str, done: int, total: int) -> None:
        if doing.startswith("Reading back") and not (tmp_path / "late.mp4").exists():
            fill(tmp_path, {"late.mp4": b"late"})

    from tests.imports.sources import LONDON

    source = sources.look(tmp_path, None, None, LONDON)
    run = services.import_source(source, services.Options(), by="a test", progress=late)
    assert states(queries.standing(run)) == {"imported": 6}
    assert run.state == ImportRun.State.COMPLETE


def test_facts_of_the_list_reach_the_recording(tmp_path: Path) -> None:
    unit = factories.unit("Northgate")
    wearer = factories.person(unit=unit)
    camera = factories.camera(unit, serial="BL-77")
    export(
        tmp_path,
        FILES,
        Recorded=dict.fromkeys(FILES, "22/07/2026 07:19:05"),
        Duration=dict.fromkeys(FILES, "00:01:30"),
        Officer=dict.fromkeys(FILES, f"PC {wearer.warrant_number}"),
        Camera=dict.fromkeys(FILES, "bl-77"),
        Category=dict.fromkeys(FILES, "Violence"),
        Colour=dict.fromkeys(FILES, "blue"),
    )
    fill(tmp_path, FILES)
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 5}
    recording = Recording.objects.first()
    assert recording is not None
    assert recording.started_at == datetime(2026, 7, 22, 6, 19, 5, tzinfo=UTC)
    assert recording.ended_at - recording.started_at == timedelta(seconds=90)
    assert (recording.wearer, recording.unit, recording.camera) == (wearer, unit, camera)
    assert recording.clock_status == Recording.ClockStatus.STATED
    assert recording.manifest["category"] == "Violence"
    assert recording.manifest["other"] == {"Colour": "blue"}
    assert recording.manifest["import"] == standing.run.pk


def test_footage_of_unknown_age_is_marked_and_given_time_to_be_looked_at(tmp_path: Path) -> None:
    fill(tmp_path, FILES)
    run_import(tmp_path)
    for recording in Recording.objects.all():
        assert recording.started_at == datetime.fromtimestamp(OLD, UTC)
        assert recording.clock_status == Recording.ClockStatus.DOUBTFUL
        assert recording.due_at is not None
        assert recording.due_at >= clock.now() + timedelta(days=6)


def test_an_import_may_say_how_long_footage_is_kept_at_least(tmp_path: Path) -> None:
    fill(tmp_path, {**FILES, "long.mp4": os.urandom(1024) * 5000})
    run_import(tmp_path, keep_days=400)
    assert Recording.objects.count() == 6
    for recording in Recording.objects.all():
        assert recording.due_at is not None
        assert recording.due_at >= clock.now() + timedelta(days=399)


def test_names_of_files_are_forgotten_with_their_recording(tmp_path: Path) -> None:
    from bluelamp.footage import hooks

    fill(tmp_path, FILES)
    standing = run_import(tmp_path)
    item = standing.run.items.get(path="clip 2.mp4")
    hooks.deleted.call([Recording.objects.get(pk=item.recording)])
    item.refresh_from_db()
    assert (item.path, item.facts, item.sentence) == ("", {}, "")
    assert item.state == "imported"


def test_names_that_are_no_text_are_imported_and_told_apart(tmp_path: Path) -> None:
    names = [b"caf\xe9.mp4", "café.mp4".encode(), "cafe\u0301.mp4".encode(), b"=cmd|calc!A0.mp4", b"a\nb.mp4"]
    for number, name in enumerate(names):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"footage %d" % number)
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 5}
    assert standing.verdict.may_delete
    assert "caf\\xe9.mp4" in named(standing, "imported")


def test_a_list_finds_its_files_however_their_accents_are_spelled(tmp_path: Path) -> None:
    export(tmp_path, {"café.mp4": b"one", "sub\\dir\\x.mp4": b"two"})
    fill(tmp_path, {"cafe\u0301.mp4": b"one", "sub/dir/x.mp4": b"two"})
    assert states(run_import(tmp_path)) == {"imported": 2}


def test_a_path_that_leads_out_of_the_source_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, {"secret": b"not footage"})
    inside = tmp_path / "export"
    export(inside, {"../secret": b"not footage", "good.mp4": b"good"})
    fill(inside, {"good.mp4": b"good"})
    (inside / "out").symlink_to(tmp_path)
    standing = run_import(inside)
    assert named(standing, "imported") == {"good.mp4"}
    assert not Recording.objects.filter(size=len(b"not footage")).exists()
    assert not standing.verdict.may_delete


def test_a_computers_own_files_are_no_footage_and_stop_nothing(tmp_path: Path) -> None:
    fill(tmp_path, {**FILES, "Thumbs.db": b"x", "._clip 1.mp4": b"y", "$RECYCLE.BIN/old.mp4": b"z"})
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 5, "ignored": 2}
    assert standing.verdict.may_delete


def test_an_empty_folder_is_never_called_deletable(tmp_path: Path) -> None:
    assert "no file was found" in run_import(tmp_path).verdict.sentence


@pytest.mark.parametrize("place", ["a place", "a place\0that no database takes"])
def test_a_refusal_of_one_file_stops_no_other_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    from bluelamp.footage.services import NewRecording
    from bluelamp.ingest.imports.services import batches
    from bluelamp.kernel.errors import Conflict

    accept_all, of_arrived = batches.accept_all, batches.of_arrived
    refused = {len(FILES["clip 3.mp4"])}

    def of_uploads(uploads: Iterable[Upload]) -> list[NewRecording]:
        return [replace(new, place=place) if new.size in refused else new for new in of_arrived(uploads)]

    def accept(news: list[NewRecording], actor: str) -> list[Recording]:
        if "\0" not in place and any(new.size in refused for new in news):
            raise Conflict("This recording has been received before.")
        return accept_all(news, actor=actor)

    monkeypatch.setattr(batches, "of_arrived", of_uploads)
    monkeypatch.setattr(batches, "accept_all", accept)
    keys = get_keyring().count()
    fill(tmp_path, {**FILES, "copy.mp4": FILES["clip 3.mp4"]})
    standing = run_import(tmp_path)
    assert states(standing) == {"imported": 4, "refused": 2}
    assert get_keyring().count() == keys + 4
    assert not Upload.objects.filter(cleared=False).exists()
    for recording in Recording.objects.all():
        assert [item.tag for item in custody.history(recording.custody_id)].count("recording.collected") == 1
    monkeypatch.undo()
    assert states(run_import(tmp_path)) == {"imported": 5, "duplicate": 1}


def test_a_source_that_has_gone_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    from bluelamp.ingest.imports.errors import SourceUnreadable

    folder = tmp_path / "stick"
    fill(folder, FILES)
    run_import(folder)
    shutil.rmtree(folder)
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        run_import(folder)
    assert ImportRun.objects.get().items.filter(state="imported").count() == 5
