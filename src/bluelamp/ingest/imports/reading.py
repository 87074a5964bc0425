"""Reading one file at the source: its bytes, its hashes, and whether it stood still meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from bluelamp.ingest.models import ImportItem

CHUNK = 1024 * 1024


class CannotRead(Exception):
    """A sentence on why the file cannot be taken now."""


@dataclass
class Opened:
    """A file that is open for reading; `size` in bytes and `mtime_ns` as they were when it was opened."""

    file: BufferedReader
    size: int
    mtime_ns: int
    hashes: dict[str, str] = field(default_factory=dict)

    def whole(self) -> bytes:
        """All its bytes. Raises CannotRead."""
        self.file.seek(0)
        with _said():
            data = self.file.read(self.size + 1)
        self.require_still(len(data))
        return data

    def pieces(self) -> Iterator[bytes]:
        """Its bytes in order, at most 1 MiB at a time; raises CannotRead at the end if it changed meanwhile."""
        self.file.seek(0)
        read = 0
        while True:
            with _said():
                piece = self.file.read(CHUNK)
            if not piece:
                break
            read += len(piece)
            if read > self.size:
                break
            yield piece
        self.require_still(read)

    def digests(self, algorithms: Iterable[str]) -> dict[str, str]:
        """Its hashes in hexadecimal. Raises CannotRead."""
        return digests(self.pieces(), algorithms)

    def require_still(self, read: int) -> None:
        """Raises CannotRead unless it is as it was when it was opened and `read` bytes long."""
        now = os.fstat(self.file.fileno())
        if (now.st_size, now.st_mtime_ns, read) != (self.size, self.mtime_ns, self.size):
            raise CannotRead("It changed while it was being read.")


def digests(pieces: Iterable[bytes], algorithms: Iterable[str]) -> dict[str, str]:
    """Hashes of the pieces in hexadecimal, by algorithm."""
    running = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    for piece in pieces:
        for each in running.values():
            each.update(piece)
    return {name: each.hexdigest() for name, each in running.items()}


def path_of(base: Path, item: ImportItem) -> bytes:
    """Where the file lies."""
    name = bytes(item.raw) if item.raw is not None else item.path.encode()
    return os.path.join(os.fsencode(base), name)


@contextmanager
def opened(base: Path, item: ImportItem) -> Iterator[Opened]:
    """The file, open. Raises CannotRead; FileNotFoundError where it has gone."""
    with _said():
        file = _open(path_of(base, item))
    with file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise CannotRead("It is no ordinary file.")
        yield Opened(file, facts.st_size, facts.st_mtime_ns)


def _open(path: bytes) -> BufferedReader:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(descriptor, "rb")


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CannotRead(f"It cannot be read: {error.strerror or error}.") from error
