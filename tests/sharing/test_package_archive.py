"""The ZIP file: every byte in its place, any stretch of it to be had, read by others as it was written."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from bluelamp.sharing.packages.archive import Archive, File, fixed
from bluelamp.verify.zipreader import read_entries

MOMENT = ((2026 - 1980) << 9 | 11 << 5 | 22, 7 << 11 | 19 << 5 | 2)
FILES = {"bag/bagit.txt": b"one\n", "bag/data/AB-1.mp4": bytes(range(256)) * 5, "bag/empty": b""}


def _archive(files=FILES) -> Archive:
    made = [File(path, len(content), zlib.crc32(content), fixed(content)) for path, content in files.items()]
    return Archive(made, MOMENT)


def _whole(archive: Archive) -> bytes:
    return b"".join(archive.iter(0, archive.size))


def test_pythons_own_reader_finds_the_files_as_they_were_put_in():
    archive = _archive()
    content = _whole(archive)
    assert len(content) == archive.size
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == FILES
        assert {item.compress_type for item in read.infolist()} == {zipfile.ZIP_STORED}
        assert {item.date_time for item in read.infolist()} == {(2026, 11, 22, 7, 19, 4)}


def test_the_verifiers_strict_reader_takes_it():
    entries = read_entries(io.BytesIO(_whole(_archive())))
    assert [(entry.path, entry.size) for entry in entries] == [("bagit.txt", 4), ("data/AB-1.mp4", 1280), ("empty", 0)]


def test_any_stretch_is_the_same_bytes_as_in_the_whole():
    archive = _archive()
    content = _whole(archive)
    for start in range(0, archive.size, 7):
        for length in (0, 1, 30, 700, archive.size):
            assert b"".join(archive.iter(start, length)) == content[start : start + length]
    assert b"".join(archive.iter(archive.size, 10)) == b""
    with pytest.raises(ValueError):
        next(archive.iter(-1, 2))


class _Pretended:
    """A file of `size` zeros that is nowhere in memory."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, start: int, length: int):
        assert start + length <= self.size
        while length:
            piece = min(length, 1 << 20)
            yield memoryview(bytes(piece))
            length -= piece


class _Spread(io.RawIOBase):
    """A huge archive as a file, read stretch by stretch."""

    def __init__(self, archive: Archive) -> None:
        self._archive, self._at = archive, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._archive.size}[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        length = self._archive.size - self._at if size < 0 else size
        assert length < 1 << 20, "no reader of an archive's directory needs that much"
        found = b"".join(self._archive.iter(self._at, length))
        self._at += len(found)
        return found


@pytest.mark.parametrize("size", [0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 5 * 2**32])
def test_files_and_places_beyond_four_gigabytes_are_said_in_zip64_and_only_those(size):
    files = [File("bag/data/long.mp4", size, 0, _Pretended(size).read), File("bag/seal.json", 2, 0, fixed(b"{}"))]
    archive = Archive(files, MOMENT)
    spread = _Spread(archive)
    long, last = read_entries(spread)
    assert (long.size, last.size) == (size, 2)
    assert b"".join(archive.iter(last.offset, 2)) == b"{}"
    with zipfile.ZipFile(spread) as read:
        assert [item.file_size for item in read.infolist()] == [size, 2]
