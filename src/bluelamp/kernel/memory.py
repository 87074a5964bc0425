"""Memory for footage on its way, in pieces of 1 MiB that are used again, two to a huge page.

On small pages the processor spends a twelfth of an upload's time on finding, pinning and counting them
(docs/decisions/009). Where the kernel gives no huge pages the same pieces lie on small ones.
"""

from __future__ import annotations

import mmap
from collections import deque
from contextlib import suppress

PIECE = 1024 * 1024
"""Bytes of a piece. It begins at a page's beginning, as direct writing wants it."""

_HUGE = 2 * PIECE
_MOST_SPARE = 96

_spare: deque[memoryview] = deque()


def take() -> memoryview:
    """A piece, with whatever was in it before. It goes back with `give_back`, or is freed like any object."""
    with suppress(IndexError):
        return _spare.pop()
    area = mmap.mmap(-1, _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel that was built without huge pages
        area.madvise(mmap.MADV_HUGEPAGE)
    whole = memoryview(area)
    give_back(whole[PIECE:])
    return whole[:PIECE]


def give_back(piece: memoryview) -> None:
    """Let the next `take` have the piece, which nobody may use any more.

    Beyond 96 in waiting it is let go; its memory is free when its neighbour's on the same page is.
    """
    if len(_spare) < _MOST_SPARE:
        _spare.append(piece)
