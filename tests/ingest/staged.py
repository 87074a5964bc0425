"""One upload in staging, written as requests do, for the tests of what becomes of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bluelamp.formats import sealed
from bluelamp.formats.sealed import SegmentOpener
from bluelamp.ingest import staging
from bluelamp.ingest.staging import hashes
from bluelamp.kernel.ids import new_id

KEY = bytes(range(32))
NAME = b"recordings/x/original"
MIB = 1024 * 1024


class Staged:
    """One upload in a folder of its own, opened and closed as requests do."""

    def __init__(self, root: Path, content: bytes) -> None:
        self.id = new_id()
        self.content = content
        self.folder = root / str(self.id)

    def open(self, **more: object) -> tuple[staging.StagedWriter, staging.Lease]:
        lease = staging.Lease.acquire(self.folder)
        assert lease is not None
        try:
            return staging.StagedWriter(lease, self.id, KEY, NAME, len(self.content), **more), lease
        except BaseException:
            lease.release()
            raise

    def patch(self, count: int) -> int:
        """One request of `count` bytes from where the upload stands."""
        writer, lease = self.open()
        at = writer.acknowledged
        writer.write(self.content[at : at + count])
        offset = writer.acknowledge()
        writer.close()
        lease.release()
        return offset

    def crash(self, count: int, *, torn: int = 0) -> None:
        """A server that dies after `count` more bytes, nothing of them acknowledged; `torn` bytes written short."""
        writer, lease = self.open()
        at = writer.acknowledged
        writer.write(self.content[at : at + count])
        path = writer._path
        writer._opened.close()
        if torn:
            os.truncate(path, max(path.stat().st_size - torn, 0))
        hashes.forget(self.id)
        lease.release()

    def finish(self) -> bytes:
        writer, lease = self.open()
        writer.acknowledge()
        assert writer.digest() == hashlib.sha256(self.content).hexdigest()
        path = writer.complete()
        writer.close()
        lease.release()
        return path.read_bytes()


def opened(obj: bytes) -> bytes:
    opener = SegmentOpener(KEY, obj[: sealed.HEADER_SIZE], NAME)
    last = sealed.segment_count(len(obj)) - 1
    plain = b""
    for segment in range(last + 1):
        begin, length = sealed.segment_place(segment, len(obj))
        plain += opener.open(segment, segment == last, obj[begin : begin + length])
    return plain
