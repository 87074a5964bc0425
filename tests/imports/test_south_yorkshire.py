"""The migration that lost 96,174 originals, as it goes here: interrupted twice, and the report names every file.

In 2023 a third party moved a force's footage and the originals were deleted; weeks later nobody could say what was
lost. Here some files of the export are missing, some corrupt, some the same under other names, some in no list.
"""

from __future__ import annotations

import csv
import hashlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bluelamp.custody import keys
from bluelamp.footage.models import Recording
from bluelamp.formats.import_report import verify_import_report
from bluelamp.ingest.imports.services import batches, write_report
from bluelamp.ingest.models import ImportItem, Upload
from bluelamp.vault.stores import get_store
from tests.imports.sources import export, fill, run_import, states

ALL_OF_THEM = 96_174


class PowerCut(BaseException):
    """The process ends here and nowhere else: nothing is tidied up."""


def make_source(folder: Path, number: int) -> dict[str, set[str]]:
    """An export of so many files as its list says, with what happened to them. Returns which, by the right state."""
    listed = {f"{each % 97:02}/{each:06}.mp4": b"footage %d" % each for each in range(number)}
    names = list(listed)
    missing, corrupt = set(names[5::211]), set(names[7::307]) - set(names[5::211])
    copies = {}
    for each in set(names[11::401]) - missing - corrupt - set(names[10::401]):
        original = names[names.index(each) - 1]
        if original not in missing | corrupt:
            copies[each] = listed[original]
    listed |= copies
    export(folder, listed)
    at_source = {name: data for name, data in listed.items() if name not in missing}
    at_source |= {name: at_source[name][:-1] + b"?" for name in corrupt}
    extra = {f"not listed/{each}.mp4": b"nobody listed %d" % each for each in range(max(3, number // 500))}
    fill(folder, at_source | extra)
    return {
        "missing": missing,
        "corrupt": corrupt,
        "duplicate": set(copies),
        "extra": set(extra),
        "imported": set(listed) - missing - corrupt - set(copies),
    }


def migrate(folder: Path, reports: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = make_source(folder, number)
    real_commit, real_store, calls = batches._commit, batches._store, {"commit": 0, "store": 0}
    every = max(2, number // batches.MOST_FILES // 3)

    def commit(*given: Any) -> Any:
        calls["commit"] += 1
        if calls["commit"] == every:
            raise PowerCut  # sealed and stored, and not accepted
        return real_commit(*given)

    def store(planned: list[Any]) -> None:
        calls["store"] += 1
        if calls["store"] == 2 * every:
            real_store(planned[: len(planned) // 2])
            raise PowerCut  # half of them stored
        real_store(planned)

    monkeypatch.setattr(batches, "_commit", commit)
    monkeypatch.setattr(batches, "_store", store)
    begun = time.monotonic(), time.process_time()
    for _ in range(2):
        with pytest.raises(PowerCut):
            run_import(folder)
        assert ImportItem.objects.filter(state="waiting").exists()
    standing = run_import(folder)
    took, worked = time.monotonic() - begun[0], time.process_time() - begun[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{number:,} files in three attempts: {took / number * 1000:.1f} ms a file, of which this process worked "
        f"{worked / number * 1000:.1f}; peak memory {peak:,.0f} MiB\n"
    )

    assert standing.run.pk == 1 or standing.run.attempt >= 3
    for state, names in right.items():
        assert set(standing.run.items.filter(state=state).values_list("path", flat=True)) == names, state
    assert sum(states(standing).values()) == number + len(right["extra"])
    assert not standing.verdict.may_delete

    # Nothing twice, nothing left behind, nothing half.
    hashes = list(Recording.objects.values_list("sha256", flat=True))
    assert len(hashes) == len(set(hashes)) == len(right["imported"])
    assert set(get_store().list("recordings")) >= set(Recording.objects.values_list("original", flat=True))
    ours = Upload.objects.filter(owner=standing.run.custody_id)
    assert not ours.filter(cleared=False).exists()
    for upload in ours.exclude(state=Upload.State.ACCEPTED):
        assert not get_store().exists(upload.object_name)
    assert standing.figures.here.proven_files == len(right["imported"]) + len(right["duplicate"])

    # The report lists exactly that, signed.
    written = write_report(standing.run, reports / "migration")
    report = verify_import_report(json.loads(written[0].read_text()), keys.receipt_key().public_key())
    assert not report.complete
    assert {state: report.files[state] for state in right} == {state: len(names) for state, names in right.items()}
    assert hashlib.sha256(written[1].read_bytes()).hexdigest() == report.listing_sha256
    rows = list(csv.DictReader(written[1].open(newline="")))
    for state, names in right.items():
        assert {row["file"] for row in rows if row["state"] == state} == {f"./{name}" for name in names}, state
    summary = written[2].read_text()
    assert all(name in summary for state in ("missing", "corrupt", "duplicate", "extra") for name in right[state])


def test_a_migration_of_two_thousand_files_is_accounted_for_to_the_last(
    committed_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports").mkdir()
    migrate(tmp_path / "export", tmp_path / "reports", 2000, monkeypatch)


@pytest.mark.soak
def test_a_migration_of_all_of_south_yorkshires_files_is_accounted_for_to_the_last(
    committed_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports").mkdir()
    migrate(tmp_path / "export", tmp_path / "reports", ALL_OF_THEM, monkeypatch)
