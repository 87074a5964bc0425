"""From a complete upload to a recording, from every point at which a crash may have left it."""

from __future__ import annotations

import dataclasses
import errno
import os
import random
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from bluelamp.custody import queries as ledger
from bluelamp.footage.models import Recording
from bluelamp.formats import sealed
from bluelamp.ingest import services, staging
from bluelamp.ingest.models import Upload
from bluelamp.ingest.services import acceptance
from bluelamp.kernel import clock
from bluelamp.kernel.ids import new_id
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store
from tests.ingest.docks import Docking

CONTENT = random.Random(3).randbytes(2_500_000)


@pytest.fixture
def complete(docking: Docking) -> Upload:
    """An upload whose bytes are all acknowledged; then the server ended."""
    docking.camera.record(CONTENT)
    docking.open()
    upload = docking.uploads.get()
    lease = staging.Lease.acquire(staging.folder_of(upload.pk))
    assert lease is not None
    with lease:
        writer = services.open_writer(upload, lease)
        writer.write(CONTENT)
        writer.acknowledge()
        writer.close()
    return upload


def accepted(docking: Docking, upload: Upload) -> Recording:
    """The one recording, whole, with nothing left beside it."""
    upload.refresh_from_db()
    assert (upload.state, upload.cleared) == ("accepted", True)
    recording = docking.recordings.get()
    assert recording.pk == upload.recording_id
    assert SealedReader(recording.original, recording.key_id).read(0, len(CONTENT) + 1) == CONTENT
    assert not staging.folder_of(upload.pk).exists()
    collected = [item for item in ledger.history(recording.custody_id) if item.tag == "recording.collected"]
    assert len(collected) == 1
    assert docking.receipt(1).json()["recording_id"] == str(recording.pk)
    return recording


def test_a_crash_after_the_last_byte_is_made_good(docking: Docking, complete: Upload) -> None:
    services.recover()
    accepted(docking, complete)


@pytest.mark.parametrize("kept", [1, 1000, None])
def test_a_crash_amid_the_last_segment_is_made_good(docking: Docking, complete: Upload, kept: int | None) -> None:
    lease = staging.Lease.acquire(staging.folder_of(complete.pk))
    with lease:
        writer = services.open_writer(complete, lease)
        path = writer.complete()
        writer.close()
        if kept is not None:
            os.truncate(path, 2 * sealed.SEGMENT + kept)
    services.recover()
    accepted(docking, complete)


def test_a_crash_before_the_object_is_moved_is_made_good(docking: Docking, complete: Upload) -> None:
    _received(complete)
    services.recover()
    accepted(docking, complete)


def test_an_object_that_was_moved_but_not_recorded_is_adopted(docking: Docking, complete: Upload) -> None:
    path = _received(complete)
    get_store().put_file(complete.object_name, path, move=True)
    services.recover()
    accepted(docking, complete)


def test_an_object_whose_move_was_cut_short_is_durable_before_it_is_adopted(
    docking: Docking, complete: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    _received(complete)
    folder = f"store/recordings/{complete.recording_id}"
    steps: list[str] = []

    def fails(_: Path) -> None:
        raise OSError(errno.EIO, "lost")

    def watched(path: Path) -> None:
        steps.append(path.relative_to(settings.BLUELAMP.data).as_posix())

    def commit(*given: object) -> Upload:
        steps.append("recorded")
        return committed(*given)

    committed = acceptance._commit
    monkeypatch.setattr(acceptance, "_commit", commit)
    with monkeypatch.context() as disk:
        disk.setattr("bluelamp.vault.stores.local.fsync_folder", fails)
        services.recover()
    assert get_store().exists(complete.object_name)
    assert steps == []
    with monkeypatch.context() as disk:
        disk.setattr("bluelamp.vault.stores.local.fsync_folder", watched)
        services.recover()
    assert steps == [folder, "store/recordings", "recorded"]
    accepted(docking, complete)


def test_an_object_whose_staging_was_lost_too_is_adopted(docking: Docking, complete: Upload) -> None:
    path = _received(complete)
    get_store().put_file(complete.object_name, path, move=True)
    lease = staging.Lease.acquire(staging.folder_of(complete.pk))
    lease.remove_folder()
    lease.release()
    services.recover()
    accepted(docking, complete)


def test_a_crash_before_staging_is_removed_is_made_good(docking: Docking, complete: Upload) -> None:
    path = _received(complete)
    get_store().put_file(complete.object_name, path, move=True)
    acceptance._commit(complete.pk, complete.camera_id)
    assert staging.folder_of(complete.pk).exists()
    services.recover()
    accepted(docking, complete)


def test_a_dock_that_comes_back_after_a_crash_finds_staging_removed(docking: Docking, complete: Upload) -> None:
    url = f"/dock/tus/{complete.pk}"
    path = _received(complete)
    get_store().put_file(complete.object_name, path, move=True)
    acceptance._commit(complete.pk, complete.camera_id)
    assert staging.folder_of(complete.pk).exists()
    assert docking.head(url).headers["Upload-Offset"] == str(len(CONTENT))
    accepted(docking, complete)


def test_a_crash_amid_a_rejection_leaves_no_key_in_the_end(docking: Docking, complete: Upload) -> None:
    services.reject(complete.pk, why="Not what was signed.")
    assert get_keyring().has(complete.key_id)
    services.recover()
    complete.refresh_from_db()
    assert complete.cleared
    assert not get_keyring().has(complete.key_id)
    assert not staging.folder_of(complete.pk).exists()


def test_docking_the_camera_again_accepts_what_was_left(docking: Docking, complete: Upload) -> None:
    item = docking.open()[1]
    assert item["state"] == "have"
    accepted(docking, complete)


def test_asking_for_the_receipt_accepts_what_was_left(docking: Docking, complete: Upload) -> None:
    assert docking.receipt(1).status_code == 200
    accepted(docking, complete)


def test_acceptance_run_again_changes_nothing(docking: Docking, complete: Upload) -> None:
    for _ in range(3):
        services.accept_upload(complete.pk)
        services.recover()
    accepted(docking, complete)


def test_many_at_once_make_one_recording(docking: Docking, complete: Upload) -> None:
    from django.db import connection

    def run() -> None:
        services.accept_upload(complete.pk)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.recover()
    accepted(docking, complete)


def test_an_upload_that_is_being_written_is_left_to_its_writer(docking: Docking, complete: Upload) -> None:
    lease = staging.Lease.acquire(staging.folder_of(complete.pk))
    with lease:
        assert services.recover() == 0
        assert services.accept_upload(complete.pk).state == "receiving"
    services.recover()
    accepted(docking, complete)


def test_a_store_out_of_order_delays_the_receipt_and_loses_nothing(docking: Docking, settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    working = settings.BLUELAMP
    settings.BLUELAMP = dataclasses.replace(working, store_url=f"file://{tmp_path}/file/store")
    assert docking.send(url, CONTENT).status_code == 204
    assert docking.head(url).headers["Upload-Offset"] == str(len(CONTENT))
    assert docking.uploads.get().state == "received"
    assert services.recover() == 0
    settings.BLUELAMP = working
    services.recover()
    accepted(docking, docking.uploads.get())


def test_bytes_that_went_missing_are_asked_for_again(docking: Docking, complete: Upload) -> None:
    _received(complete).unlink()
    services.recover()
    complete.refresh_from_db()
    assert complete.state == "rejected"
    assert docking.receipt(1).status_code == 422
    item = docking.open()[1]
    assert item["state"] == "needed"
    assert docking.send(item["upload_url"], CONTENT).status_code == 204
    assert docking.receipt(1).status_code == 200


def test_staging_that_was_damaged_is_asked_for_again(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    docking.patch(url, 0, CONTENT[:2_000_000])
    folder = staging.folder_of(docking.uploads.get().pk)
    os.truncate(staging.sealed_file(folder), 100)
    answer = docking.patch(url, 2_000_000, CONTENT[2_000_000:])
    assert answer.status_code == 410
    assert "still has the whole recording" in answer.json()["meaning"]
    item = docking.open()[1]
    assert docking.head(item["upload_url"]).headers["Upload-Offset"] == "0"
    assert docking.send(item["upload_url"], CONTENT).status_code == 204


def test_a_recording_that_came_another_way_meanwhile_is_not_stored_twice(docking: Docking, complete: Upload) -> None:
    from bluelamp.footage.services import NewRecording, accept
    from bluelamp.kernel import clock

    other = new_id()
    accept(
        NewRecording(
            id=other,
            filename="imported.mp4",
            sha256=complete.sha256,
            size=complete.length,
            original=f"recordings/{other}/original",
            started_at=clock.now(),
            ended_at=clock.now(),
            camera=complete.camera,
            sequence=1,
        )
    )
    services.recover()
    complete.refresh_from_db()
    assert complete.state == "rejected"
    assert not get_store().exists(complete.object_name)
    assert not get_keyring().has(complete.key_id)
    assert docking.receipt(1).json()["recording_id"] == str(other)
    assert docking.recordings.count() == 1


def test_folders_that_belong_to_no_upload_are_removed_and_other_things_left_alone(docking: Docking) -> None:
    stranger = staging.folder_of(new_id())
    stranger.mkdir()
    (stranger / "sealed-00000000").write_bytes(b"left over")
    note = stranger.parent / "READ ME"
    note.write_text("not ours")
    services.recover()
    assert not stranger.exists()
    assert note.read_text() == "not ours"
    note.unlink()


def test_an_unfinished_upload_survives_recovery(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    docking.patch(url, 0, CONTENT[:2_000_000])
    services.recover()
    assert docking.head(url).headers["Upload-Offset"] == "2000000"


def _received(upload: Upload) -> Path:
    """Complete and sealed, state and all; not moved yet."""
    lease = staging.Lease.acquire(staging.folder_of(upload.pk))
    with lease:
        acceptance._finish(upload, lease, None)
    upload.refresh_from_db()
    assert upload.state == "received"
    return staging.sealed_file(staging.folder_of(upload.pk))


def test_an_upload_that_is_complete_is_accepted_however_old_it_is(docking: Docking, complete: Upload) -> None:
    Upload.objects.filter(pk=complete.pk).update(expires_at=clock.now() - timedelta(days=1))
    services.expire()
    accepted(docking, complete)


def test_bytes_that_come_just_before_an_upload_expires_keep_it(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    docking.patch(url, 0, CONTENT[:1000])
    upload = docking.uploads.get()
    Upload.objects.filter(pk=upload.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    acquire = staging.Lease.acquire

    def meanwhile(path: Path) -> staging.Lease | None:
        services.note_progress(upload.pk, 1000)
        return acquire(path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(staging.Lease, "acquire", meanwhile)
        services.expire()
    assert docking.patch(url, 1000, CONTENT[1000:]).status_code == 204


def test_with_an_object_store_a_docking_leaves_settling_to_a_job(
    docking: Docking, complete: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    from bluelamp.ingest.services import recovery

    class Elsewhere:
        """A store that answers nobody."""

        def __getattr__(self, name: str) -> object:
            raise AssertionError("a docking waits for the store")

    monkeypatch.setattr(recovery, "get_store", Elsewhere)
    docking.open()
    jobs = ProcrastinateJob.objects.filter(task_name="ingest.recover_camera", args={"camera_id": complete.camera_id})
    assert jobs.exists()
    monkeypatch.undo()
    services.recover(complete.camera)
    accepted(docking, complete)
