"""Staging: whatever pieces bytes come in, the sealed object opens to exactly them."""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from bluelamp.formats import sealed
from bluelamp.ingest import staging
from bluelamp.ingest.staging import hashes
from bluelamp.ingest.staging.spool import Spool
from bluelamp.kernel.ids import new_id
from tests.ingest.staged import MIB, Staged, opened

SIZES = [
    0,
    1,
    sealed.FIRST_FULL - 1,
    sealed.FIRST_FULL,
    sealed.FIRST_FULL + 1,
    sealed.FIRST_FULL + sealed.FULL,
    3 * MIB,
]


@pytest.mark.parametrize("size", SIZES)
def test_bytes_in_random_pieces_over_many_requests_open_to_the_same_bytes(tmp_path: Path, size: int) -> None:
    random.seed(size)
    upload = Staged(tmp_path, random.randbytes(size))
    while (offset := staging.acknowledged_offset(upload.folder)) < size:
        count = random.choice([1, 17, 4096, 300_000, 900_000, sealed.FULL, sealed.FIRST_FULL, 2 * MIB])
        assert upload.patch(min(count, size - offset)) == min(offset + count, size)
    assert opened(upload.finish()) == upload.content


def test_the_plaintext_is_nowhere_in_staging(tmp_path: Path) -> None:
    marker = b"THE QUICK BROWN FOX, A WITNESS "
    upload = Staged(tmp_path, marker * 70_000)
    upload.patch(1_500_000)
    for path in upload.folder.iterdir():
        assert marker not in path.read_bytes()


def test_many_tiny_requests_cost_the_same_each(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(1).randbytes(3 * MIB))

    def moved(requests: int) -> int:
        """Bytes read and written by so many requests."""
        before = _moved()
        for _ in range(requests):
            upload.patch(1000)
        return _moved() - before

    upload.patch(400_000)
    early = moved(60)
    upload.patch(2 * MIB - staging.acknowledged_offset(upload.folder) + 400_000)
    late = moved(60)
    # The same share of a segment is held back both times; only what was sealed before differs.
    assert late < 1.1 * early


def _moved() -> int:
    counted = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counted["rchar"]) + int(counted["wchar"])


def test_no_key_and_nonce_ever_cover_two_plaintexts(tmp_path: Path) -> None:
    """The sender sends other bytes after the crash: no segment may be sealed under the former header and number."""
    upload = Staged(tmp_path, bytes(5 * MIB))
    upload.patch(MIB)
    upload.crash(2 * MIB)
    exposed = {path.name: path.read_bytes() for path in upload.folder.glob("sealed-*")}
    upload.content = bytes(MIB) + b"\xff" * (4 * MIB)
    while staging.acknowledged_offset(upload.folder) < len(upload.content):
        upload.patch(MIB)
    final = upload.finish()
    assert opened(final) == upload.content
    assert all(content[: sealed.HEADER_SIZE] != final[: sealed.HEADER_SIZE] for content in exposed.values())


def test_a_checkpoint_amid_a_request_keeps_whole_segments(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(5).randbytes(5 * MIB))
    writer, lease = upload.open()
    writer.write(upload.content[: 3 * MIB])
    writer._opened.flush()  # the last segment may still be on its way to the disk
    assert writer.checkpoint() == sealed.plaintext_start(3)
    writer.write(upload.content[3 * MIB : 4 * MIB])
    writer._opened.close()
    hashes.forget(upload.id)
    lease.release()

    assert staging.acknowledged_offset(upload.folder) == sealed.plaintext_start(3)
    upload.patch(5 * MIB)
    assert opened(upload.finish()) == upload.content


def test_a_checkpoint_never_takes_back_what_is_acknowledged(tmp_path: Path) -> None:
    upload = Staged(tmp_path, bytes(4 * MIB))
    upload.patch(MIB + MIB // 2)
    writer, lease = upload.open()
    writer.write(bytes(10))
    assert writer.checkpoint() == MIB + MIB // 2
    writer.close()
    lease.release()


def test_a_hash_moved_on_by_another_process_is_not_trusted(tmp_path: Path) -> None:
    upload = Staged(tmp_path, random.Random(6).randbytes(MIB))
    upload.patch(1000)
    mine = dict(hashes._states)
    upload.patch(1000)
    hashes._states.update(mine)
    upload.patch(MIB)
    assert opened(upload.finish()) == upload.content


def test_one_upload_has_one_writer_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / str(new_id())
    first = staging.Lease.acquire(folder)
    assert first is not None
    assert staging.Lease.acquire(folder) is None
    assert not first.wanted
    staging.Lease.want(folder)
    assert first.wanted
    first.release()
    second = staging.Lease.acquire(folder)
    assert second is not None
    assert not second.wanted
    second.remove_folder()
    second.release()
    assert not folder.exists()


def test_the_lease_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    folder = tmp_path / str(new_id())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        held = staging.Lease.acquire(folder)
        os.write(write, b"1" if held else b"0")
        time.sleep(60)
        os._exit(0)
    assert os.read(read, 1) == b"1"
    assert staging.Lease.acquire(folder) is None
    os.kill(child, 9)
    os.waitpid(child, 0)
    lease = staging.Lease.acquire(folder)
    assert lease is not None
    lease.release()
    assert not folder.exists()


@pytest.mark.parametrize("size", [0, 10, 3 * MIB])
def test_a_spooled_chunk_comes_back_whole_and_leaves_no_name(tmp_path: Path, size: int) -> None:
    content = random.Random(9).randbytes(size)
    spool = Spool(tmp_path, ["sha1", "sha256"])
    for at in range(0, size, 70_000):
        spool.write(content[at : at + 70_000])
    assert spool.digest("sha1") == hashlib.sha1(content).digest()
    assert b"".join(spool.pieces()) == content
    assert not list(tmp_path.iterdir())
    spool.close()
