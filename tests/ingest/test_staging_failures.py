"""Staging that is cut off, damaged or without room: what was acknowledged stays, and nothing else is believed."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import random
from pathlib import Path

import pytest

from bluelamp.formats import sealed
from bluelamp.ingest import staging
from bluelamp.ingest.staging import blocks, hashes
from bluelamp.ingest.staging.room import RESERVE_BYTES
from bluelamp.ingest.staging.state import State
from bluelamp.kernel.errors import StorageFull
from tests.ingest.staged import MIB, Staged, opened


@pytest.mark.parametrize("torn", [0, 1, 500_000])
def test_after_a_crash_in_mid_write_what_was_acknowledged_is_sealed_afresh(tmp_path: Path, torn: int) -> None:
    upload = Staged(tmp_path, random.Random(2).randbytes(6 * MIB))
    upload.patch(2 * MIB + 77)
    before = staging.sealed_file(upload.folder)
    upload.crash(2 * MIB, torn=torn)
    assert staging.acknowledged_offset(upload.folder) == 2 * MIB + 77

    upload.patch(MIB)
    after = staging.sealed_file(upload.folder)
    assert after != before
    assert not before.exists()
    while staging.acknowledged_offset(upload.folder) < len(upload.content):
        upload.patch(700_000)
    assert opened(upload.finish()) == upload.content


def test_a_crash_before_anything_was_acknowledged_begins_anew(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(3).randbytes(3 * MIB))
    upload.crash(2 * MIB)
    assert staging.acknowledged_offset(upload.folder) == 0
    upload.patch(3 * MIB)
    assert opened(upload.finish()) == upload.content
    assert len(list(upload.folder.glob("sealed-*"))) == 1


def test_a_crash_between_the_last_segment_and_its_news_is_repeated_with_the_same_bytes(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(4).randbytes(2 * MIB + 5))
    upload.patch(2 * MIB + 5)
    first = upload.finish()
    hashes.forget(upload.id)
    assert upload.finish() == first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: os.truncate(staging.sealed_file(folder), 100), "missing from the disk"),
        (lambda folder: _flip(folder / "state", -1), "does not open"),
        (lambda folder: _flip(folder / "state", 60), "does not open"),
    ],
)
def test_staging_that_was_damaged_is_said_to_be(tmp_path: Path, change, said: str) -> None:
    upload = Staged(tmp_path, bytes(3 * MIB))
    upload.patch(2 * MIB)
    change(upload.folder)
    with pytest.raises(staging.StagingDamaged, match=said):
        upload.open()
    lease = staging.Lease.acquire(upload.folder)
    assert lease is not None
    lease.release()


def test_a_flipped_bit_in_a_sealed_segment_is_found_before_the_recording_is_accepted(tmp_path: Path) -> None:
    upload = Staged(tmp_path, bytes(3 * MIB))
    upload.patch(3 * MIB)
    hashes.forget(upload.id)
    _flip(staging.sealed_file(upload.folder), 5000)
    writer, lease = upload.open()
    with pytest.raises(staging.StagingDamaged):
        writer.digest()
    writer.close()
    lease.release()


def test_a_full_disk_stops_the_upload_and_keeps_what_is_there(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(7).randbytes(4 * MIB))
    free = iter(itertools.chain([RESERVE_BYTES + 2 * MIB] * 2, itertools.repeat(RESERVE_BYTES)))
    writer, lease = upload.open(free=lambda _: next(free))
    writer.write(upload.content[:MIB])
    writer.write(upload.content[MIB : 2 * MIB])
    with pytest.raises(StorageFull):
        writer.write(upload.content[2 * MIB : 3 * MIB])
    assert writer.acknowledge() == 2 * MIB
    writer.close()
    lease.release()
    upload.patch(2 * MIB)
    assert opened(upload.finish()) == upload.content


def test_sealing_afresh_without_room_says_so_and_changes_nothing(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(8).randbytes(4 * MIB))
    upload.patch(2 * MIB)
    upload.crash(MIB)
    names = sorted(path.name for path in upload.folder.glob("sealed-*"))
    with pytest.raises(StorageFull):
        upload.open(free=lambda _: RESERVE_BYTES)
    assert sorted(path.name for path in upload.folder.glob("sealed-*")) == names
    upload.patch(4 * MIB)
    assert opened(upload.finish()) == upload.content


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_after_a_sync_that_failed_nothing_more_is_acknowledged_and_the_next_writer_seals_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Staged(tmp_path, random.Random(12).randbytes(5 * MIB))
    writer, lease = upload.open()
    writer.write(upload.content[: 3 * MIB])
    writer._opened.flush()

    def lost(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "lost")

    with monkeypatch.context() as patched:
        patched.setattr(writer._opened, "sync", lost)
        with pytest.raises(OSError, match="lost"):
            writer.checkpoint()
    # The kernel tells a lost write once; the next call would have succeeded.
    assert writer.acknowledge() == 0
    writer.close()
    lease.release()
    assert staging.acknowledged_offset(upload.folder) == 0
    upload.patch(5 * MIB)
    assert opened(upload.finish()) == upload.content


def test_the_last_segment_is_in_the_file_before_the_state_says_that_all_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Staged(tmp_path, random.Random(13).randbytes(2 * MIB + 5))
    steps: list[object] = []
    writer, lease = upload.open()
    sync, save = writer._opened.sync, writer._state_file.save

    def watched_sync() -> None:
        steps.append(("sync", writer._path.stat().st_size))
        sync()

    def watched_save(state: State) -> None:
        steps.append(("state", state.offset))
        save(state)

    monkeypatch.setattr(writer._opened, "sync", watched_sync)
    monkeypatch.setattr(writer._state_file, "save", watched_save)
    writer.write(upload.content)
    writer.acknowledge()
    path = writer.complete()
    writer.close()
    lease.release()
    whole = sealed.sealed_size(len(upload.content))
    assert steps == [("sync", whole), ("state", len(upload.content))]
    assert opened(path.read_bytes()) == upload.content


def test_a_crash_after_the_last_segment_and_before_the_state_seals_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Staged(tmp_path, random.Random(14).randbytes(3 * MIB + 5))
    upload.patch(3 * MIB)  # so that only the last segment makes the file longer
    writer, lease = upload.open()
    writer.write(upload.content[3 * MIB :])

    def cut(_: State) -> None:
        raise OSError(errno.EIO, "the power went")

    monkeypatch.setattr(writer._state_file, "save", cut)
    with pytest.raises(OSError, match="the power went"):
        writer.acknowledge()
    monkeypatch.undo()
    assert writer.acknowledge() == 3 * MIB  # nothing is added after a failure
    before = writer._path
    writer.close()
    lease.release()
    assert before.stat().st_size == sealed.sealed_size(len(upload.content))
    assert staging.acknowledged_offset(upload.folder) == 3 * MIB
    # Another recording's end may come now, as far as the server knows: no nonce may serve twice.
    upload.content = upload.content[: 3 * MIB] + b"other"
    upload.patch(5)
    assert opened(upload.finish()) == upload.content
    assert not before.exists()


def test_a_complete_upload_that_another_process_acknowledged_becomes_durable_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Staged(tmp_path, random.Random(17).randbytes(MIB + 5))
    upload.patch(MIB + 5)
    synced: list[Path] = []
    monkeypatch.setattr("bluelamp.ingest.staging.writer.fsync_folder", synced.append)
    upload.finish()
    assert synced == [upload.folder]


def test_a_last_segment_that_finds_no_room_delays_completion_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Staged(tmp_path, random.Random(16).randbytes(2 * MIB + 5))
    writer, lease = upload.open()
    writer.write(upload.content)

    path, whole = writer._path, sealed.sealed_size(len(upload.content))

    def half(descriptor: int, segment: bytes) -> None:
        os.write(descriptor, segment[:50])
        raise OSError(errno.ENOSPC, "full")

    def with_room(state: State) -> None:
        assert 2 * sealed.SEGMENT < path.stat().st_size < 2 * sealed.SEGMENT + 50 < whole
        save(state)

    save = writer._state_file.save
    with monkeypatch.context() as patched:
        patched.setattr(blocks, "write_all", half)
        patched.setattr(writer._state_file, "save", with_room)
        assert writer.acknowledge() == len(upload.content)
        with pytest.raises(StorageFull):
            writer.complete()
    writer.close()
    lease.release()
    assert staging.acknowledged_offset(upload.folder) == len(upload.content)
    assert opened(upload.finish()) == upload.content


def test_a_file_system_that_refuses_to_write_directly_is_written_through_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite

    def refused(descriptor: int, data: memoryview, at: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, "not here")
        return write(descriptor, data, at)

    monkeypatch.setattr(blocks.os, "pwrite", refused)
    upload = Staged(tmp_path, random.Random(13).randbytes(4 * MIB + 7))
    upload.patch(4 * MIB + 7)
    assert opened(upload.finish()) == upload.content
