"""Strict reading of a package's ZIP file (APPNOTE.TXT 6.3 sections 4.3 to 4.5; docs/protocols/package.md).

Two readers of a sloppy ZIP file can see two sets of files. Here every byte has one meaning: local headers, data and
descriptors follow each other without gap or overlap from the first byte to the central directory, and the end records
stand right behind that. Whatever is otherwise is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from bluelamp.formats.errors import FormatError
from bluelamp.formats.package import MOST_FILES, MOST_PATH, check_path, check_paths

MOST_DIRECTORY_BYTES = 16 * 2**20

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA_64 = struct.Struct("<2H2Q")

_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_DESCRIPTOR_FLAG = 0x0008
_KNOWN_FLAGS = _DESCRIPTOR_FLAG | 0x0800  # UTF-8, which does not matter for names in ASCII
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_REGULAR_FILE = 0o100000


class ZipProblem(Exception):
    """The file is not the ZIP file of a package. `code` is one of words.json, `where` an entry's name or empty."""

    def __init__(self, code: str, where: str = "", detail: str = "") -> None:
        super().__init__(detail or code)
        self.code, self.where, self.detail = code, where, detail


class Entry(NamedTuple):
    """A file of the bag: its path below the top folder, where its bytes begin in the ZIP file, and their number."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True)
class _Central:
    """What the central directory says of an entry."""

    name: bytes
    version: int
    flags: int
    moment: bytes
    crc: int
    size: int
    header_at: int
    attributes: int
    is_64: bool

    @property
    def shown(self) -> str:
        return "".join(chr(byte) if 0x20 <= byte <= 0x7E else "?" for byte in self.name[: 2 * MOST_PATH])

    def wrong(self, detail: str) -> ZipProblem:
        return ZipProblem("zip-entry", self.shown, detail)


def read_entries(file: BinaryIO) -> list[Entry]:
    """The files of the bag in the order of their bytes. Raises ZipProblem, and OSError where the disk fails."""
    size = file.seek(0, 2)
    count, begin, end = _directory_bounds(file, size)
    entries = _read_directory(_at(file, begin, end - begin), count)
    _check_names(entries)
    at, found = 0, []
    for entry in sorted(entries, key=lambda entry: entry.header_at):
        if entry.header_at != at:
            raise ZipProblem("zip-layout", entry.shown, "An entry does not begin where the one before it ends.")
        data_at, at = _read_local(file, entry, begin)
        found.append(Entry(entry.name.decode("ascii").partition("/")[2], data_at, entry.size))
    if at != begin:
        raise ZipProblem("zip-layout", "", "There are bytes between the last entry and the central directory.")
    return found


def _directory_bounds(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Number of entries, first byte and end of the central directory, as the end records say."""
    if size < _END.size:
        raise ZipProblem("zip-end", detail="The file is too short.")
    at = size - _END.size
    signature, disk, disk_2, here, count, length, begin, comment = _END.unpack(_at(file, at, _END.size))
    if signature != b"PK\x05\x06" or disk or disk_2 or here != count or comment:
        raise ZipProblem("zip-end", detail="The file does not end with an end record without a comment.")
    if at >= _LOCATOR.size + _END_64.size and _at(file, at - _LOCATOR.size, 4) == b"PK\x06\x07":
        at -= _LOCATOR.size + _END_64.size
        count, length, begin = _end_64(file, at, (count, length, begin))
    if begin + length != at:
        raise ZipProblem("zip-directory", detail="The central directory does not end where the end records begin.")
    if not 0 < count <= MOST_FILES or length > MOST_DIRECTORY_BYTES:
        raise ZipProblem("zip-directory", detail="The archive holds no file, or more than a package does.")
    return count, begin, at


def _end_64(file: BinaryIO, at: int, short: tuple[int, int, int]) -> tuple[int, int, int]:
    locator = _LOCATOR.unpack(_at(file, at + _END_64.size, _LOCATOR.size))
    record = _END_64.unpack(_at(file, at, _END_64.size))
    here, *long = record[6:]
    if locator[1:] != (0, at, 1) or record[:6] != (b"PK\x06\x06", _END_64.size - 12, _VERSION_64, _VERSION_64, 0, 0):
        raise ZipProblem("zip-end", detail="The ZIP64 end records are not as they should be.")
    fulls = (_FULL_16, _FULL_32, _FULL_32)
    if here != long[0] or any(
        value not in (full, exact) for value, full, exact in zip(short, fulls, long, strict=True)
    ):
        raise ZipProblem("zip-end", detail="The end records contradict each other.")
    return long[0], long[1], long[2]


def _read_directory(content: bytes, count: int) -> list[_Central]:
    entries: list[_Central] = []
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(content) or content[at : at + 4] != b"PK\x01\x02":
            raise ZipProblem("zip-directory", detail="The central directory is cut off.")
        entry, at = _read_central(content, at)
        if entries and entry.attributes != entries[0].attributes:
            raise entry.wrong("The entries do not have the same attributes.")
        entries.append(entry)
    if at != len(content):
        raise ZipProblem("zip-directory", detail="The central directory is longer than its entries.")
    return entries


def _read_central(content: bytes, at: int) -> tuple[_Central, int]:
    header = _CENTRAL.unpack_from(content, at)
    made_by, version, flags, method, _, _, crc, packed, size = header[1:10]
    name_length, extra_length, comment, disk, internal, attributes, header_at = header[10:]
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_length
    end = extra_at + extra_length
    if end > len(content):
        raise ZipProblem("zip-directory", detail="The central directory is cut off.")
    extra = content[extra_at:end]
    moment = content[at + 12 : at + 16]
    name = content[name_at:extra_at]
    short = (size, packed, header_at)
    wanted = short.count(_FULL_32)
    exact = list(short)
    is_64 = wanted > 0
    if is_64 and len(extra) == 4 + 8 * wanted and extra[:4] == struct.pack("<2H", 1, 8 * wanted):
        long = iter(struct.unpack_from(f"<{wanted}Q", extra, 4))
        exact = [next(long) if value == _FULL_32 else value for value in short]
        extra = b""
    entry = _Central(name, version, flags, moment, crc, exact[0], exact[2], attributes, is_64)
    if extra or comment:
        raise entry.wrong("It has a comment or an extra field.")
    if method or flags & ~_KNOWN_FLAGS or exact[0] != exact[1]:
        raise entry.wrong("It is compressed, encrypted or otherwise not stored plainly.")
    if disk or internal or attributes & _FULL_16 or (attributes >> 16) & 0o170000 not in (0, _REGULAR_FILE):
        raise entry.wrong("It is not a plain file.")
    if version not in (_VERSION, _VERSION_64) or made_by != _UNIX | version:
        raise entry.wrong("It is of a version that packages do not use.")
    return entry, end


def _check_names(entries: list[_Central]) -> None:
    """One top folder, and below it names that every system reads in the same way."""
    tops = set()
    paths = []
    for entry in entries:
        try:
            top, _, path = entry.name.decode("ascii").partition("/")
            if "/" in check_path(top):
                raise FormatError("The top folder has no name.")
            tops.add(top)
            paths.append(check_path(path))
            if len(tops) > 1:
                raise FormatError("There is more than one top folder.")
        except ValueError as error:
            raise ZipProblem("zip-name", entry.shown, str(error)) from error
    try:
        check_paths(paths)
    except FormatError as error:
        raise ZipProblem("zip-name", "", str(error)) from error


def _read_local(file: BinaryIO, entry: _Central, limit: int) -> tuple[int, int]:
    """Where the entry's data begin, and where what belongs to it ends: data and descriptor."""
    header = _at(file, entry.header_at, _LOCAL.size)
    if len(header) != _LOCAL.size:
        raise entry.wrong("Its local header is cut off.")
    signature, version, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(header)
    rest = _at(file, entry.header_at + _LOCAL.size, name_length + extra_length)
    name, extra = rest[:name_length], rest[name_length:]
    is_64 = bool(extra)
    described = bool(flags & _DESCRIPTOR_FLAG)
    told = (0, 0) if described else (entry.crc, entry.size)
    sizes = (_FULL_32, _FULL_32) if is_64 else (told[1], told[1])
    if (
        signature != b"PK\x03\x04"
        or (name, flags, method, header[10:14]) != (entry.name, entry.flags, 0, entry.moment)
        or (crc, packed, size) != (told[0], *sizes)
        or (is_64 and extra != _EXTRA_64.pack(1, 16, told[1], told[1]))
        or version != (_VERSION_64 if is_64 else _VERSION)
        or entry.version != (_VERSION_64 if is_64 or entry.is_64 else _VERSION)
    ):
        raise entry.wrong("Its local header contradicts the central directory.")
    data_at = entry.header_at + _LOCAL.size + name_length + extra_length
    end = data_at + entry.size
    if described and end <= limit:
        descriptor = (
            struct.pack("<4sL2Q" if is_64 else "<4s3L", b"PK\x07\x08", entry.crc, entry.size, entry.size)
            if (is_64 or entry.size <= _FULL_32)
            else b""
        )
        if not descriptor or _at(file, end, len(descriptor)) != descriptor:
            raise entry.wrong("Its data descriptor contradicts the central directory.")
        end += len(descriptor)
    if end > limit:
        raise entry.wrong("It reaches into the central directory.")
    return data_at, end


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
