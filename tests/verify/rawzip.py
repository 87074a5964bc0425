"""ZIP files written byte by byte, so that a test can say something else in any place."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

TOP = "AB-1 package"
_FILE = 0o100644 << 16
_MOMENT = (0x3A62, 0x5D76)


@dataclass
class Head:
    """What a local header or the central directory says of an entry."""

    name: bytes
    crc: int
    size: int
    packed: int
    version: int = 20
    flags: int = 0
    method: int = 0
    moment: tuple[int, int] = _MOMENT
    extra: bytes = b""


@dataclass
class Part:
    """An entry: its bytes, what both headers say, and what stands around it."""

    data: bytes
    local: Head
    central: Head
    made_by: int = 0x0314
    attributes: int = _FILE
    internal: int = 0
    disk: int = 0
    comment: bytes = b""
    before: bytes = b""
    after: bytes = b""
    at: int | None = None
    listed: bool = True
    written: bool = True

    def both(self, **changes: object) -> None:
        """The same change in both headers."""
        self.local = replace(self.local, **changes)
        self.central = replace(self.central, **changes)

    def rename(self, name: str | bytes) -> None:
        """The whole name, top folder included."""
        self.both(name=name if isinstance(name, bytes) else name.encode())


@dataclass
class RawZip:
    """A whole archive; without changes it is what a package is."""

    parts: list[Part]
    prefix: bytes = b""
    before_directory: bytes = b""
    after_directory: bytes = b""
    zip64: Callable[[list[int]], list[int]] | None = None
    locator: Callable[[list[int]], list[int]] = lambda values: values
    end: Callable[[list[int]], list[int]] = lambda values: values
    comment: bytes = b""
    suffix: bytes = b""
    shift: int = 0
    order: list[int] = field(default_factory=list)

    def __getitem__(self, path: str) -> Part:
        return next(part for part in self.parts if part.central.name == f"{TOP}/{path}".encode())

    def add(self, path: str, data: bytes) -> Part:
        """One more file."""
        part = _part(path, data)
        self.parts.append(part)
        return part

    def bytes(self) -> bytes:
        """The file."""
        out = bytearray(self.prefix)
        places = []
        for part in self.parts:
            places.append(len(out) + len(part.before) if part.at is None else part.at)
            if part.written:
                out += part.before + _local(part.local) + part.data + part.after
        out += self.before_directory
        begin = len(out)
        listed = [(part, at) for part, at in zip(self.parts, places, strict=True) if part.listed]
        for number in self.order or range(len(listed)):
            part, at = listed[number]
            out += _central(part, at + self.shift)
        length, count = len(out) - begin, len(listed)
        out += self.after_directory
        values = [0, 0, count, count, length, begin + self.shift]
        if self.zip64 is not None:
            at = len(out)
            long = self.zip64([0x06064B50, 44, 45, 45, 0, 0, count, count, length, begin + self.shift])
            out += struct.pack("<LQ2H2L4Q", *long)
            out += struct.pack("<2LQL", *self.locator([0x07064B50, 0, at, 1]))
        out += struct.pack("<4s4H2LH", b"PK\x05\x06", *self.end(values), len(self.comment)) + self.comment
        return bytes(out) + self.suffix


def raw_zip(files: Mapping[str, bytes]) -> RawZip:
    """The bag's files as a plain archive."""
    return RawZip([_part(path, content) for path, content in files.items()])


def describe(part: Part, *, signature: bytes = b"PK\x07\x08", crc: int | None = None) -> None:
    """Put a data descriptor behind the data, as a writer does that cannot go back."""
    head = part.central
    part.both(flags=head.flags | 8)
    part.local = replace(part.local, crc=0, size=0, packed=0)
    part.after = signature + struct.pack("<3L", head.crc if crc is None else crc, head.packed, head.size)


def enlarge(part: Part) -> None:
    """Say the sizes in ZIP64 fields, in both headers."""
    sizes = struct.pack("<2H2Q", 1, 16, part.central.size, part.central.packed)
    part.both(version=45, size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=sizes)
    part.made_by = 0x0300 | 45


def _part(path: str, data: bytes) -> Part:
    head = Head(f"{TOP}/{path}".encode(), zlib.crc32(data), len(data), len(data))
    return Part(data, head, replace(head))


def _local(head: Head) -> bytes:
    fixed = struct.pack(
        "<4s5H3L2H",
        b"PK\x03\x04",
        head.version,
        head.flags,
        head.method,
        *head.moment,
        head.crc,
        head.packed,
        head.size,
        len(head.name),
        len(head.extra),
    )
    return fixed + head.name + head.extra


def _central(part: Part, at: int) -> bytes:
    head = part.central
    fixed = struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02",
        part.made_by,
        head.version,
        head.flags,
        head.method,
        *head.moment,
        head.crc,
        head.packed,
        head.size,
        len(head.name),
        len(head.extra),
        len(part.comment),
        part.disk,
        part.internal,
        part.attributes,
        at,
    )
    return fixed + head.name + head.extra + part.comment
