"""Where in an MP4 pictures and sound lie (ISO/IEC 14496-12, section 4.2), so that reading its index is not watching.

Cameras write the index ("moov") last, and players read it first: without this every look at a recording would count
as a look at its last second.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_MOST_BOXES = 20_000  # a fragmented recording of four hours has some 3,600 pairs
_SHORT, _LONG = struct.Struct(">I4s"), struct.Struct(">Q")


def of_media(read: Callable[[int, int], bytes], size: int) -> tuple[int, int] | None:
    """The bytes from the first "mdat" box to the end of the last, end excluded; None where there is no such box.

    `read(start, length)` serves the file of `size` bytes; only the heads of its outermost boxes are read.
    """
    at, begin, end = 0, None, 0
    for _ in range(_MOST_BOXES):
        head = read(at, 16)
        if len(head) < 8:
            break
        length, kind = _SHORT.unpack(head[:8])
        if length == 1 and len(head) == 16:
            (length,) = _LONG.unpack(head[8:])
        elif length == 0:  # to the end of the file
            length = size - at
        if length < 8 or at + length > size:
            break
        if kind == b"mdat":
            begin = at if begin is None else begin
            end = at + length
        at += length
    return (begin, end) if begin is not None else None


def share(first: int, last: int, size: int, extent: tuple[int, int] | None, duration_ms: int) -> tuple[int, int] | None:
    """The stretch of time (ms) that the bytes `first` to `last` stand for, as their share of the media's bytes.

    None where none of them are media, or nothing is known of the length.
    """
    begin, end = extent or (0, size)
    start, stop = max(first, begin), min(last + 1, end)
    if stop <= start or end <= begin or not duration_ms:
        return None
    return duration_ms * (start - begin) // (end - begin), duration_ms * (stop - begin) // (end - begin)
