"""ZIP files that two readers could read in two ways, or that are damaged."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.verify.build import Recipe, streamed_zip
from tests.verify.cases import Case, bad, good
from tests.verify.rawzip import TOP, Part, RawZip, describe, enlarge, raw_zip

MEDIUM = "data/AB-1 front door.mp4"
LABEL = "data/exhibit-label.pdf"
SHOWN = f"{TOP}/{MEDIUM}"


def _files() -> dict[str, bytes]:
    return {path: content for path, content in Recipe().files().items() if isinstance(content, bytes)}


def raw(change: Callable[[RawZip], object] = lambda archive: None) -> Callable[[], bytes]:
    """A package as a plain ZIP file after `change`."""

    def make() -> bytes:
        archive = raw_zip(_files())
        change(archive)
        return archive.bytes()

    return make


def edited(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """A package's bytes after `change`."""
    return lambda: change(Recipe().zip())


def _medium(change: Callable[[Part], object]) -> Callable[[], bytes]:
    return raw(lambda archive: change(archive[MEDIUM]))


def _set(**values: object) -> Callable[[object], None]:
    def apply(thing: object) -> None:
        for name, value in values.items():
            setattr(thing, name, value)

    return apply


def _local(**values: object) -> Callable[[Part], None]:
    def apply(part: Part) -> None:
        part.local = replace(part.local, **values)

    return apply


def _central(**values: object) -> Callable[[Part], None]:
    def apply(part: Part) -> None:
        part.central = replace(part.central, **values)

    return apply


def _end(place: int, value: int) -> Callable[[RawZip], None]:
    def apply(archive: RawZip) -> None:
        archive.end = lambda values: [value if at == place else each for at, each in enumerate(values)]

    return apply


def _zip64(place: int | None = None, value: int = 0, *, locator: bool = False) -> Callable[[RawZip], None]:
    def change(values: list[int]) -> list[int]:
        return [value if at == place else each for at, each in enumerate(values)]

    def apply(archive: RawZip) -> None:
        archive.zip64 = (lambda values: values) if locator else change
        if locator:
            archive.locator = change

    return apply


def _rename(name: str | bytes, path: str = MEDIUM) -> Callable[[], bytes]:
    return raw(lambda archive: archive[path].rename(name))


def _deflate(part: Part) -> None:
    packed = zlib.compress(part.data)[2:-4]
    part.data = packed
    part.both(method=8, packed=len(packed))


def _overlap(archive: RawZip) -> None:
    """A second entry whose header and data lie inside the first one's data."""
    inner = raw_zip({"data/inner.bin": b"inside"}).parts[0]
    outer = archive.add("data/outer.bin", b"")
    header = raw_zip({"data/inner.bin": b"inside"}).bytes()
    outer.data = header[: 30 + len(inner.local.name) + 6]
    outer.both(size=len(outer.data), packed=len(outer.data), crc=zlib.crc32(outer.data))
    before = sum(30 + len(part.local.name) + len(part.data) for part in archive.parts[:-1])
    inner.at = before + 30 + len(outer.local.name)
    inner.written = False
    archive.parts.append(inner)


def _twice(archive: RawZip) -> None:
    """Two names for the same bytes: the second entry's header is the first one's."""
    part = archive.add("data/second.bin", b"")
    part.at, part.written = 0, False


def _swapped_names(archive: RawZip) -> None:
    """The directory gives two files' names the other way round."""
    one, other = archive[MEDIUM], archive[LABEL]
    one.central, other.central = (
        replace(one.central, name=other.central.name),
        replace(other.central, name=one.central.name),
    )


def _hidden(archive: RawZip) -> None:
    archive.add("data/hidden.mp4", b"what only a recovery tool finds").listed = False


def _second_directory(archive: RawZip) -> None:
    """A whole other archive's directory and end record before ours: readers that search from the front see those."""
    archive.before_directory = raw_zip({"data/other.bin": b"other"}).bytes()


def _two_tops(archive: RawZip) -> None:
    archive[LABEL].rename(f"Another/{LABEL}")


GOOD = [
    good("a plain package", raw()),
    good("a package with data descriptors", lambda: streamed_zip(Recipe().files())),
    good("a package under another top folder's name", lambda: streamed_zip(Recipe().files(), top="x")),
    good("descriptors on one file only", _medium(describe)),
    good("sizes in ZIP64 fields", _medium(enlarge)),
    good("ZIP64 end records", raw(_zip64())),
    good("a directory in another order than the files", raw(lambda archive: archive.order.extend(range(12, -1, -1)))),
    good("the flag for UTF-8 names", raw(lambda archive: [part.both(flags=0x800) for part in archive.parts])),
]

ENDS = [
    bad("an empty file", lambda: b"", 1, ("zip-end", "")),
    bad("a file that is no ZIP file", lambda: b"%PDF-1.7\n" * 100, 1, ("zip-end", "")),
    bad("a ZIP file of no files", lambda: b"PK\x05\x06" + bytes(18), 1, ("zip-directory", "")),
    bad("cut off by one byte", edited(lambda package: package[:-1]), 1, ("zip-end", "")),
    bad("cut off in the middle", edited(lambda package: package[: len(package) // 2]), 1, ("zip-end", "")),
    bad("a byte appended", edited(lambda package: package + b"\0"), 1, ("zip-end", "")),
    bad("a second end record appended", edited(lambda package: package + package[-22:]), 1, ("zip-directory", "")),
    bad("an archive comment", raw(_set(comment=b"hello")), 1, ("zip-end", "")),
    bad("an end record in the comment", raw(_set(comment=b"PK\x05\x06" + bytes(18))), 1, ("zip-directory", "")),
    bad("bytes before the first file", raw(_set(prefix=b"#!/bin/sh\n", shift=-10)), 1, ("zip-directory", "")),
    bad("bytes before the first file, offsets adjusted", raw(_set(prefix=b"#!/bin/sh\n")), 1, ("zip-layout", SHOWN)),
    bad("more than one disk", raw(_end(0, 1)), 1, ("zip-end", "")),
    bad("the directory on another disk", raw(_end(1, 1)), 1, ("zip-end", "")),
    bad("two different numbers of files", raw(_end(2, 3)), 1, ("zip-end", "")),
    bad(
        "one file fewer than there are",
        raw(lambda archive: setattr(archive, "end", lambda values: [0, 0, 12, 12, *values[4:]])),
        1,
        ("zip-directory", ""),
    ),
    bad(
        "one file more than there are",
        raw(lambda archive: setattr(archive, "end", lambda values: [0, 0, 14, 14, *values[4:]])),
        1,
        ("zip-directory", ""),
    ),
    bad("a directory of another length", raw(_end(4, 100)), 1, ("zip-directory", "")),
    bad("a directory that begins elsewhere", raw(_end(5, 0)), 1, ("zip-directory", "")),
    bad("bytes behind the directory", raw(_set(after_directory=b"stray")), 1, ("zip-directory", "")),
    bad("bytes before the directory", raw(_set(before_directory=b"stray")), 1, ("zip-layout", "")),
    bad("another archive's directory before ours", raw(_second_directory), 1, ("zip-layout", "")),
    bad("a file that no directory names", raw(_hidden), 1, ("zip-layout", "")),
    bad("ZIP64 records of another version", raw(_zip64(3, 63)), 1, ("zip-end", "")),
    bad("ZIP64 records with more data", raw(_zip64(1, 45)), 1, ("zip-end", "")),
    bad("ZIP64 records with another number of files", raw(_zip64(6, 12)), 1, ("zip-end", "")),
    bad("ZIP64 records with a directory elsewhere", raw(_zip64(9, 5)), 1, ("zip-end", "")),
    bad("ZIP64 records beyond what a browser counts", raw(_zip64(9, 2**63)), 1, ("zip-end", "")),
    bad("a ZIP64 locator that points elsewhere", raw(_zip64(2, 7, locator=True)), 1, ("zip-end", "")),
    bad("a ZIP64 locator of two disks", raw(_zip64(3, 2, locator=True)), 1, ("zip-end", "")),
]

ENTRIES = [
    bad(name, make, 1, ("zip-entry", SHOWN))
    for name, make in {
        "a compressed file": _medium(_deflate),
        "an encrypted file": _medium(lambda part: part.both(flags=1)),
        "a file comment": _medium(_set(comment=b"hello")),
        "an extra field in the directory": _medium(_central(extra=b"UT\x01\x00\x00")),
        "an extra field in the local header": _medium(_local(extra=b"UT\x01\x00\x00")),
        "a Unicode path in an extra field": _medium(
            _central(extra=struct.pack("<2HBL", 0x7075, 12, 1, 0) + b"evil.js")
        ),
        "another name in the local header": _medium(_local(name=f"{TOP}/data/AB-2 front door.mp4".encode())),
        "another size in the local header": _medium(_local(size=5, packed=5)),
        "another checksum in the local header": _medium(_local(crc=5)),
        "another time in the local header": _medium(_local(moment=(0, 0x5D76))),
        "another method in the local header": _medium(_local(method=8)),
        "another flag in the local header": _medium(_local(flags=0x800)),
        "another version in the local header": _medium(_local(version=10)),
        "two sizes in the directory": _medium(_central(packed=5)),
        "a version that packages do not use": _medium(lambda part: (part.both(version=63), _set(made_by=0x033F)(part))),
        "made by another system": _medium(_set(made_by=0x0014)),
        "a symbolic link": raw(lambda archive: [_set(attributes=0o120777 << 16)(part) for part in archive.parts]),
        "a folder by its attributes": raw(
            lambda archive: [_set(attributes=0o040755 << 16)(part) for part in archive.parts]
        ),
        "attributes of DOS": raw(lambda archive: [_set(attributes=0x10)(part) for part in archive.parts]),
        "on another disk": _medium(_set(disk=1)),
        "internal attributes": _medium(_set(internal=1)),
        "a descriptor with another checksum": _medium(lambda part: describe(part, crc=7)),
        "a descriptor without its signature": _medium(lambda part: describe(part, signature=b"")),
        "a descriptor that is not announced": _medium(lambda part: (describe(part), _local(flags=0)(part))),
        "a descriptor and sizes before it": _medium(
            lambda part: (describe(part), _local(size=part.central.size, packed=part.central.size)(part))
        ),
        "a ZIP64 field that nothing asks for": _medium(_central(extra=struct.pack("<2HQ", 1, 8, 0))),
        "a ZIP64 field that is too long": _medium(
            lambda part: (enlarge(part), _central(extra=part.central.extra + b"\0")(part))
        ),
        "a file that ends behind the directory": _medium(_central(size=10**6, packed=10**6)),
        "a size beyond what a browser counts": _medium(
            lambda part: (
                enlarge(part),
                part.both(extra=struct.pack("<2H2Q", 1, 16, 2**63, 2**63)),
            )
        ),
    }.items()
] + [
    bad(
        "one file with other attributes",
        raw(lambda archive: _set(attributes=0)(archive[LABEL])),
        1,
        ("zip-entry", f"{TOP}/{LABEL}"),
    ),
    bad("two files that overlap", raw(_overlap), 1, ("zip-layout", f"{TOP}/data/inner.bin")),
    bad("two files of the same bytes", raw(_twice), 1, ("zip-layout", f"{TOP}/data/second.bin")),
    bad(
        "bytes between two files",
        raw(lambda archive: _set(before=b"stray")(archive[LABEL])),
        1,
        ("zip-layout", f"{TOP}/{LABEL}"),
    ),
    bad("two files' names exchanged in the directory", raw(_swapped_names), 1, ("zip-entry", f"{TOP}/{LABEL}")),
]

NAMES = [
    bad(name, make, 1, ("zip-name", where))
    for name, make, where in [
        ("a path out of the folder", _rename(f"{TOP}/data/../../evil.js"), f"{TOP}/data/../../evil.js"),
        ("a path out of the top folder", _rename("../evil.js"), "../evil.js"),
        ("an absolute path", _rename("/etc/passwd"), "/etc/passwd"),
        ("a drive's letter", _rename("C:/evil.js"), "C:/evil.js"),
        ("a backslash", _rename(f"{TOP}\\data\\evil.js"), f"{TOP}\\data\\evil.js"),
        ("a backslash below the folder", _rename(f"{TOP}/data\\evil.js"), f"{TOP}/data\\evil.js"),
        ("a dot as a folder", _rename(f"{TOP}/./data/x.mp4"), f"{TOP}/./data/x.mp4"),
        ("an empty folder's name", _rename(f"{TOP}//data/x.mp4"), f"{TOP}//data/x.mp4"),
        ("a folder's entry", _rename(f"{TOP}/data/x/"), f"{TOP}/data/x/"),
        ("a zero byte", _rename(f"{TOP}/data/x.mp4\0.exe"), f"{TOP}/data/x.mp4?.exe"),
        ("a line break", _rename(f"{TOP}/data/x\n.mp4"), f"{TOP}/data/x?.mp4"),
        ("letters beyond ASCII", _rename(f"{TOP}/data/caf\u00e9.mp4"), f"{TOP}/data/caf??.mp4"),
        ("bytes that are no UTF-8", _rename(f"{TOP}/data/".encode() + b"\xff\xfe"), f"{TOP}/data/??"),
        ("a device of Windows", _rename(f"{TOP}/data/CON.mp4"), f"{TOP}/data/CON.mp4"),
        ("a dot at the end", _rename(f"{TOP}/data/x.mp4."), f"{TOP}/data/x.mp4."),
        ("a space at the end", _rename(f"{TOP}/data/x.mp4 "), f"{TOP}/data/x.mp4 "),
        ("a hidden file", _rename(f"{TOP}/data/.profile"), f"{TOP}/data/.profile"),
        ("another stream of a file", _rename(f"{TOP}/verify.html:evil"), f"{TOP}/verify.html:evil"),
        ("a path that is too long", _rename(f"{TOP}/data/{'x/' * 130}y"), f"{TOP}/data/{'x/' * 130}y"),
        ("no top folder", _rename("x.mp4"), "x.mp4"),
        ("an empty name", _rename(""), ""),
        ("a second top folder", raw(_two_tops), f"Another/{LABEL}"),
        ("two names that differ in case only", raw(lambda archive: archive.add("DATA/Exhibit-Label.pdf", b"")), ""),
        ("the same name twice", raw(lambda archive: archive.add(LABEL, b"another label")), ""),
        ("a file that is also a folder", raw(lambda archive: archive.add(f"{LABEL}/x.pdf", b"")), ""),
    ]
]

CASES: list[Case] = [*GOOD, *ENDS, *ENTRIES, *NAMES]
