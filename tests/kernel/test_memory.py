"""Pieces of memory for footage on its way (kernel.memory)."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
from pathlib import Path

import pytest

from bluelamp.kernel import memory


@pytest.fixture(autouse=True)
def _nothing_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_spare", type(memory._spare)())


def _place(piece: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(piece))


def test_pieces_lie_apart_where_direct_writing_wants_them(tmp_path: Path) -> None:
    pieces = [memory.take() for _ in range(5)]
    assert {len(piece) for piece in pieces} == {memory.PIECE}
    places = sorted(_place(piece) for piece in pieces)
    assert all(place % mmap.PAGESIZE == 0 for place in places)
    assert all(after - before >= memory.PIECE for before, after in itertools.pairwise(places))
    for number, piece in enumerate(pieces):
        piece[:] = bytes([number]) * memory.PIECE
    assert [set(piece) for piece in pieces] == [{number} for number in range(5)]


def test_a_piece_that_was_given_back_is_given_out_again() -> None:
    piece = memory.take()
    place = _place(piece)
    memory.give_back(piece)
    assert _place(memory.take()) == place


def test_no_more_is_kept_in_waiting_than_96_mib() -> None:
    for piece in [memory.take() for _ in range(120)]:
        memory.give_back(piece)
    assert len(memory._spare) == 96


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage/enabled").exists()
    or "[madvise]" not in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(),
    reason="this kernel gives no huge pages, or gives them unasked",
)
def test_pieces_lie_on_huge_pages() -> None:
    pieces = [memory.take() for _ in range(64)]
    for piece in pieces:
        piece[0] = 1
    assert _on_huge_pages(pieces) >= 16 * memory.PIECE  # as many as the kernel finds in a piece, not each of them


def test_a_kernel_without_huge_pages_gives_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", 12345)
    piece = memory.take()
    piece[:5] = b"bytes"
    assert bytes(piece[:5]) == b"bytes"


def _on_huge_pages(pieces: list[memoryview]) -> int:
    """Bytes of the mappings that hold the pieces, as the kernel counts those on huge pages."""
    places = [_place(piece) for piece in pieces]
    huge, ours = 0, False
    for line in Path(f"/proc/{os.getpid()}/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            begin, end = (int(part, 16) for part in words[0].split("-"))
            ours = any(begin <= place < end for place in places)
        elif ours and words[0] == "AnonHugePages:":
            huge += int(words[1]) * 1024
    return huge
