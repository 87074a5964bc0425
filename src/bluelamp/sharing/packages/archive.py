"""A package's ZIP file, of which any range can be had without what lies before it; pure.

Every entry is stored, and its size and CRC-32 are known beforehand: so each byte has its place, a download of several
GB begins at once with its length known, and goes on where it was broken off. The layout is that of
docs/protocols/package.md (APPNOTE.TXT 6.3, sections 4.3 to 4.5).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

Read = Callable[[int, int], Iterator[memoryview]]
"""The bytes of a file from a place on, so many of them, in pieces."""

_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_ATTRIBUTES = 0o100644 << 16  # an ordinary file
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_EXTRA_64 = struct.Struct("<2H2Q")


@dataclass(frozen=True)
class File:
    """A file of the archive: its whole path, size in bytes, CRC-32, and how its bytes are read."""

    path: str
    size: int
    crc32: int
    read: Read


@dataclass(frozen=True)
class _Part:
    size: int
    read: Read


class Archive:
    """The ZIP file of these files in this order. `size` is its length; `moment` as `rules.zip_moment` gives it."""

    def __init__(self, files: Sequence[File], moment: tuple[int, int]) -> None:
        parts: list[_Part] = []
        directory: list[bytes] = []
        at = 0
        for file in files:
            header = _local(file, moment)
            directory.append(_central(file, at, moment))
            parts += [_fixed(header), _Part(file.size, file.read)]
            at += len(header) + file.size
        parts.append(_fixed(b"".join(directory) + _end(len(files), sum(map(len, directory)), at)))
        self._parts = parts
        self._starts = [0, *accumulate(part.size for part in parts)]
        self.size = self._starts[-1]

    def iter(self, start: int, length: int) -> Iterator[memoryview]:
        """The bytes from `start`, `length` of them (less at the end), in pieces."""
        if start < 0 or length < 0:
            raise ValueError("A range begins at 0 or later and is not negative in length.")
        end = min(start + length, self.size)
        number = bisect_right(self._starts, start) - 1
        while start < end:
            begin, part = self._starts[number], self._parts[number]
            upto = min(begin + part.size, end)
            if upto > start:
                yield from part.read(start - begin, upto - start)
            start, number = max(upto, start), number + 1


def fixed(content: bytes) -> Read:
    """How bytes that are in memory are read."""

    def read(start: int, length: int) -> Iterator[memoryview]:
        yield memoryview(content)[start : start + length]

    return read


def _fixed(content: bytes) -> _Part:
    return _Part(len(content), fixed(content))


def _local(file: File, moment: tuple[int, int]) -> bytes:
    date, time = moment
    is_64 = file.size >= _FULL_32
    name = file.path.encode("ascii")
    told = _FULL_32 if is_64 else file.size
    extra = _EXTRA_64.pack(1, 16, file.size, file.size) if is_64 else b""
    version = _VERSION_64 if is_64 else _VERSION
    head = _LOCAL.pack(b"PK\x03\x04", version, 0, 0, time, date, file.crc32, told, told, len(name), len(extra))
    return head + name + extra


def _central(file: File, at: int, moment: tuple[int, int]) -> bytes:
    date, time = moment
    name = file.path.encode("ascii")
    # Those that do not fit stand in the extra field, in this order (4.5.3).
    long = ([file.size, file.size] if file.size >= _FULL_32 else []) + ([at] if at >= _FULL_32 else [])
    extra = struct.pack(f"<2H{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    version = _VERSION_64 if long else _VERSION
    told = min(file.size, _FULL_32)
    head = (b"PK\x01\x02", _UNIX | version, version, 0, 0, time, date, file.crc32, told, told)
    tail = (len(name), len(extra), 0, 0, 0, _ATTRIBUTES, min(at, _FULL_32))
    return _CENTRAL.pack(*head, *tail) + name + extra


def _end(count: int, length: int, at: int) -> bytes:
    record = b""
    if count >= _FULL_16 or length >= _FULL_32 or at >= _FULL_32:
        size = _END_64.size - 12
        record = _END_64.pack(b"PK\x06\x06", size, _VERSION_64, _VERSION_64, 0, 0, count, count, length, at)
        record += _LOCATOR.pack(b"PK\x06\x07", 0, at + length, 1)
    short = (min(count, _FULL_16), min(length, _FULL_32), min(at, _FULL_32))
    return record + _END.pack(b"PK\x05\x06", 0, 0, short[0], short[0], short[1], short[2], 0)
