"""Blocks of a sealed file that are on their way to the disk together: what counts, how much memory, what fails."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bluelamp.formats import sealed
from bluelamp.ingest.staging import blocks

MIB = 1024 * 1024


def test_blocks_that_reach_the_disk_out_of_order_are_counted_up_to_the_first_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, second_may_end = os.pwrite, threading.Event()
    done: set[int] = set()

    def slow(descriptor: int, data: memoryview, at: int) -> int:
        if at == MIB:
            assert second_may_end.wait(10)
        count = write(descriptor, data, at)
        done.add(at // MIB)
        return count

    monkeypatch.setattr(blocks.os, "pwrite", slow)
    file = blocks.SealedFile(tmp_path / "sealed", bytes(sealed.HEADER_SIZE), 0, new=True)
    try:
        for number in range(4):
            space = file.space()
            space[:] = bytes([number]) * len(space)
            file.append(space)
        until(lambda: done == {0, 2, 3})
        assert file.written == 1
        second_may_end.set()
        file.flush()
        assert file.written == 4
    finally:
        second_may_end.set()
        file.close()
    content = (tmp_path / "sealed").read_bytes()
    assert [content[at * MIB + 100] for at in range(4)] == [0, 1, 2, 3]


def test_no_more_memory_is_taken_than_four_blocks_however_slow_the_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, may_end = os.pwrite, threading.Event()
    monkeypatch.setattr(blocks.os, "pwrite", lambda *given: may_end.wait(10) and write(*given))
    file = blocks.SealedFile(tmp_path / "sealed", bytes(sealed.HEADER_SIZE), 0, new=True)
    appended = []

    def fill() -> None:
        for number in range(6):
            file.append(file.space())
            appended.append(number)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        until(lambda: len(appended) == 4)
        time.sleep(0.1)
        assert len(appended) == 4  # the fifth waits for memory
    finally:
        may_end.set()
        filling.join()
        file.close()
    assert (file.written, len(appended)) == (6, 6)


def test_a_block_that_fails_is_told_and_nothing_behind_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite

    def broken(descriptor: int, data: memoryview, at: int) -> int:
        if at == MIB:
            raise OSError(errno.EIO, "lost")
        return write(descriptor, data, at)

    monkeypatch.setattr(blocks.os, "pwrite", broken)
    file = blocks.SealedFile(tmp_path / "sealed", bytes(sealed.HEADER_SIZE), 0, new=True)
    try:
        with pytest.raises(OSError, match="lost"):
            for _ in range(5):
                file.append(file.space())
            file.flush()
        with pytest.raises(OSError, match="lost"):
            file.flush()
        assert file.written == 1
    finally:
        file.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
