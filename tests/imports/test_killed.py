"""An import whose process is killed in the midst of a batch: nothing of it is lost, stored twice, or left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.ingest.imports.errors import AlreadyRunning
from bluelamp.ingest.imports.services import batches
from bluelamp.ingest.models import ImportItem, Upload
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from tests.imports.sources import fill, run_import, states

FILES = {f"clip {number:03}.mp4": b"footage %d" % number for number in range(2 * batches.MOST_FILES)}


def before_any_key() -> None:
    batches._store = _killed


def before_any_object() -> None:
    batches._sealed = _killed


def in_the_midst_of_naming_the_objects() -> None:
    rename = Path.rename
    named: list[Path] = []

    def killed_at_the_hundredth(path: Path, target: Path) -> Path:
        named.append(target)
        return _killed() if len(named) == 100 else rename(path, target)

    Path.rename = killed_at_the_hundredth


def with_all_objects_stored() -> None:
    batches._commit = _killed


def with_all_accepted_and_nothing_committed() -> None:
    save = batches.rows.save

    def killed_at_the_end(items: list[ImportItem], *columns: str) -> None:
        save(items, *columns)
        if "state" in columns:
            _killed()

    batches.rows.save = killed_at_the_end


def right_after_the_commit() -> None:
    commit = batches._commit

    def killed_behind_it(*given: Any) -> None:
        commit(*given)
        _killed()

    batches._commit = killed_behind_it


@pytest.mark.parametrize(
    ("where", "committed"),
    [
        (before_any_key, 0),
        (before_any_object, 0),
        (in_the_midst_of_naming_the_objects, 0),
        (with_all_objects_stored, 0),
        (with_all_accepted_and_nothing_committed, 0),
        (right_after_the_commit, batches.MOST_FILES),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_batch_that_is_cut_off_is_whole_or_not_there_and_the_next_attempt_completes_it(
    committed_db: str, tmp_path: Path, where: Callable[[], None], committed: int
) -> None:
    fill(tmp_path, FILES)
    keys, objects = get_keyring().count(), set(get_store().list("recordings"))
    import_until_killed(tmp_path, where)

    # What is called imported is durable, in the ledger, and nothing else is.
    assert Recording.objects.count() == committed
    assert ImportItem.objects.filter(state="imported").count() == committed
    stored = set(get_store().list("recordings"))
    for recording in Recording.objects.all():
        assert recording.original in stored
        assert get_keyring().has(recording.key_id)
        assert "recording.collected" in [item.tag for item in custody.history(recording.custody_id)]

    standing = _once_the_database_has_noticed(lambda: run_import(tmp_path))
    assert states(standing) == {"imported": len(FILES)}
    assert standing.verdict.may_delete
    recordings = list(Recording.objects.all())
    assert len({recording.sha256 for recording in recordings}) == len(recordings) == len(FILES)
    assert set(get_store().list("recordings")) - objects == {recording.original for recording in recordings}
    assert get_keyring().count() == keys + len(FILES)
    assert not Upload.objects.filter(cleared=False).exists()


def import_until_killed(source: Path, where: Callable[[], None]) -> None:
    """Import in a process of its own, which is killed at that point."""
    connections.close_all()  # a connection serves one process only
    child = os.fork()
    if child == 0:
        try:
            where()
            run_import(source)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it came to its end"
    assert os.WTERMSIG(status) == signal.SIGKILL


def _killed(*_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _once_the_database_has_noticed(action: Callable[[], Any]) -> Any:
    """The lock of a dead process goes with its connection."""
    until = time.monotonic() + 30
    while True:
        try:
            return action()
        except AlreadyRunning:
            assert time.monotonic() < until
            time.sleep(0.05)
