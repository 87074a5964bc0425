"""The sealed file of an upload, written in whole blocks past the page cache, a few behind the sealing.

A segment with its tag is exactly 1 MiB in the file, so blocks stand where direct writing wants them. Footage is
written once and read much later: cached it would only push out what is in use, and copying it into the cache costs as
much as hashing it (docs/decisions/009). Where the file system cannot write directly, the same calls go through the
cache.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from bluelamp.formats import sealed
from bluelamp.ingest.staging.state import write_all
from bluelamp.kernel import memory
from bluelamp.kernel.threads import Crew
from bluelamp.vault.disk import sync

_BUFFERS = 4
"""Of an open file at most: one is sealed into while the others are written."""

_writers = Crew("staging-write", 8)

_FEW = 2
_open: set[object] = set()
"""The files being written. A few of them keep the disk busy only if each is written while its next block is sealed;
many keep it busy anyway, and the turns between threads would cost more than they bring (docs/decisions/009)."""


class SealedFile:
    """Header and full segments of a sealed object, in order; then the last segment.

    `space` gives the memory to seal the next full segment into, `append` writes it while the next ones are being
    sealed; `written` counts the segments that are in the file without a gap (for `sync` to make durable). What a write
    in the background raised, the next call raises.
    """

    def __init__(self, path: Path, header: bytes, segments: int, *, new: bool) -> None:
        """Open `path` to go on after `segments` full segments; anything behind them is cut off."""
        self._header = header
        self._changed = threading.Condition()
        self._free: list[memoryview] = []
        self._made = 0
        self._filling: memoryview | None = None
        self._under_way = 0
        self._ahead: set[int] = set()
        self._failure: BaseException | None = None
        self._direct, self._directly = -1, False
        self._is_open = object()
        self._appended = segments
        self.written = segments
        self._descriptor = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        try:
            if new:
                write_all(self._descriptor, header)
            else:
                os.ftruncate(self._descriptor, _length(segments))
            self._direct = _open_directly(path)
            self._directly = self._direct >= 0
            _open.add(self._is_open)
        except BaseException:
            self.close()
            raise

    @property
    def under_way(self) -> int:
        """Bytes that were appended and may not be in the file yet: the disk does not count them as used."""
        return self._under_way * sealed.SEGMENT

    def space(self) -> memoryview:
        """Where the next segment's ciphertext goes: exactly as long as it is. Waits where all memory is in use."""
        if self._filling is None:
            self._filling = self._take_buffer()
        return self._filling if self._appended else self._filling[sealed.HEADER_SIZE :]

    def append(self, segment: memoryview) -> None:
        """Write the segment that was sealed into `space`."""
        self._raise_failure()
        number, buffer = self._appended, self._filling
        if buffer is None:
            raise ValueError("A segment is sealed into the space that was given for it.")
        if not number:
            buffer[: sealed.HEADER_SIZE] = self._header
        self._appended, self._filling = number + 1, None
        with self._changed:
            self._under_way += 1
        if len(_open) > _FEW:
            self._write(number, buffer)
        else:
            try:
                _writers.submit(lambda: self._write(number, buffer))
            except RuntimeError:  # no thread could be started
                self._write(number, buffer)

    def flush(self) -> None:
        """Wait until all that was appended is in the file. Raises OSError."""
        self._settle()
        self._raise_failure()

    def sync(self) -> None:
        """Make what `written` counts durable, and the last segment."""
        sync(self._descriptor, data_only=True)

    def append_last(self, segment: bytes) -> None:
        """Write the object's last segment. Of one that finds no room nothing is left but a byte.

        That byte keeps the file longer than any state says, so that whoever comes next seals afresh.
        """
        self.flush()
        end = _length(self._appended)
        os.lseek(self._descriptor, end, os.SEEK_SET)
        try:
            write_all(self._descriptor, segment)
        except OSError:
            os.ftruncate(self._descriptor, end + 1)
            raise

    def close(self) -> None:
        """Let go of the file; what is being written is waited for."""
        _open.discard(self._is_open)
        self._settle()
        for descriptor in (self._direct, self._descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self._direct = self._descriptor = -1
        unused = self._free if self._filling is None else [*self._free, self._filling]
        for buffer in unused:
            memory.give_back(buffer)
        self._free, self._filling = [], None

    def _settle(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _take_buffer(self) -> memoryview:
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._made < _BUFFERS)
            if self._free:
                return self._free.pop()
            buffer = memory.take()
            self._made += 1
        return buffer

    def _write(self, number: int, buffer: memoryview) -> None:
        """In whatever thread; blocks may end in another order than they were begun in."""
        failure: BaseException | None = None
        try:
            self._write_block(number, buffer)
        except BaseException as error:  # raised again by the next call
            failure = error
        with self._changed:
            if failure is None:
                self._ahead.add(number)
                while self.written in self._ahead:
                    self._ahead.remove(self.written)
                    self.written += 1
            else:
                self._failure = failure
            self._free.append(buffer)
            self._under_way -= 1
            self._changed.notify_all()

    def _write_block(self, number: int, block: memoryview) -> None:
        at, count = number * sealed.SEGMENT, 0
        if self._directly:
            try:
                count = os.pwrite(self._direct, block, at)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                # Some file systems open for it and then refuse. Closed at the end: another block may be on its way.
                self._directly = False
        while count < sealed.SEGMENT:  # a disk that is nearly full takes a part; the cache takes odd lengths
            count += os.pwrite(self._descriptor, block[count:], at + count)


def _length(segments: int) -> int:
    return max(segments * sealed.SEGMENT, sealed.HEADER_SIZE)


def _open_directly(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_DIRECT)
    except OSError:  # a file system without it
        return -1
