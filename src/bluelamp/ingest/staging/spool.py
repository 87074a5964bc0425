"""A chunk that comes with a checksum waits here, sealed under a key that only this process's memory holds."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from bluelamp.formats import sealed
from bluelamp.formats.sealed import BytesLike, SealingWriter, SegmentOpener
from bluelamp.ingest.staging.room import full_said, require_room
from bluelamp.ingest.staging.state import write_all


class Spool:
    """Takes a chunk of any length in constant memory and gives it back, or drops it."""

    def __init__(self, folder: Path, algorithms: Iterable[str]) -> None:
        """`algorithms` are some of hashlib's: those that the chunk's checksum may be of."""
        self._folder = folder
        self._key = secrets.token_bytes(sealed.KEY_SIZE)
        self._writer = SealingWriter(self._key)
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._buffer = bytearray(sealed.SEGMENT)
        path = folder / f"spool-{secrets.token_hex(4)}"
        with full_said():
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            # Without a name it vanishes with the process.
            path.unlink()
            write_all(self._descriptor, self._writer.header)

    def write(self, data: BytesLike) -> None:
        """Take in the next bytes. Raises StorageFull."""
        require_room(self._folder, len(data))
        for digest in self._hashes.values():
            digest.update(data)
        with full_said():
            self._writer.update_into(data, lambda piece: write_all(self._descriptor, piece), self._buffer)

    def digest(self, algorithm: str) -> bytes:
        """The checksum of what was taken in. No more can be taken in afterwards."""
        with full_said():
            write_all(self._descriptor, self._writer.finish())
        return self._hashes[algorithm].digest()

    def pieces(self) -> Iterator[bytes]:
        """The chunk again, in pieces of at most 1 MiB. After `digest`."""
        size = os.fstat(self._descriptor).st_size
        opener = SegmentOpener(self._key, self._writer.header)
        last = sealed.segment_count(size) - 1
        for segment in range(last + 1):
            begin, length = sealed.segment_place(segment, size)
            yield opener.open(segment, segment == last, os.pread(self._descriptor, length, begin))

    def close(self) -> None:
        """Drop the chunk."""
        os.close(self._descriptor)
