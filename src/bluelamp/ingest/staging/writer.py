"""Writes an upload's bytes into staging, hashed and sealed on the way; resumes after whatever happened before."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from bluelamp.formats import sealed
from bluelamp.formats.sealed import BytesLike, SealBroken, SealingWriter, SegmentOpener
from bluelamp.ingest.staging import hashes
from bluelamp.ingest.staging.blocks import SealedFile
from bluelamp.ingest.staging.folder import Lease
from bluelamp.ingest.staging.room import free_bytes, full_said, require_room
from bluelamp.ingest.staging.state import StagingDamaged, State, StateFile, sealed_name
from bluelamp.vault.disk import fsync_folder

if TYPE_CHECKING:
    from hashlib import _Hash

log = structlog.get_logger()


def plaintext(folder: Path, state: State, data_key: bytes, associated_data: bytes) -> Iterator[bytes]:
    """What is acknowledged in `state`, from its beginning, in pieces of at most 1 MiB. Raises StagingDamaged."""
    try:
        opener = SegmentOpener(data_key, state.header, associated_data)
        with open(folder / state.sealed_name, "rb", buffering=0) as file:
            if file.read(sealed.HEADER_SIZE) != state.header:
                raise StagingDamaged("its header changed")
            for segment in range(state.segments):
                begin, length = sealed.segment_place(segment, state.sealed_bytes)
                yield opener.open(segment, False, os.pread(file.fileno(), length, begin))
    except (SealBroken, FileNotFoundError) as error:
        raise StagingDamaged(str(error)) from error
    yield state.tail


class StagedWriter:
    """One upload in staging, opened for writing under its lease.

    No key and nonce ever cover two plaintexts. Where the sealed file holds more than what is acknowledged, its last
    holder ended in mid-write; the sender may now send other bytes for that place, so what is acknowledged is sealed
    again under a fresh salt. Only a complete upload's last segment may be written again: its bytes cannot differ.

    `write`, `acknowledge`, `digest` and `complete` belong to one thread at a time; `checkpoint` may run beside `write`.
    """

    def __init__(
        self,
        lease: Lease,
        upload_id: UUID,
        data_key: bytes,
        associated_data: bytes,
        length: int | None,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """`length` None: nobody has said it yet, so it is not complete.

        Raises StagingDamaged when acknowledged bytes cannot be read back, StorageFull when there is no room.
        """
        self._folder = lease.path
        self._upload_id = upload_id
        self._key = data_key
        self._associated_data = associated_data
        self._length = length
        self._free = free
        self._state_file = StateFile(self._folder, upload_id, data_key)
        self._file: SealedFile | None = None
        self._acknowledging = threading.Lock()
        self._failed = False
        self._last: bytes | None = None
        self._is_whole = False
        self._generation = b""
        self._hash: _Hash | None = None
        self.acknowledged = 0
        try:
            with full_said():
                self._open()
        except BaseException:
            if self._file is not None:
                self._file.close()
            raise

    @property
    def size(self) -> int:
        """Plaintext bytes taken in, acknowledged or not."""
        return self._writer.size

    @property
    def room(self) -> int:
        """Bytes that fill the present segment: a batch of so many is sealed without a copy."""
        return self._writer.room

    @property
    def length(self) -> int | None:
        """Plaintext bytes that there will be; None while nobody has said it."""
        return self._length

    @length.setter
    def length(self, length: int) -> None:
        self._length = self._writer.total = length

    @property
    def is_complete(self) -> bool:
        """Whether all of the upload is acknowledged."""
        return self.acknowledged == self._length

    def write(self, data: BytesLike) -> None:
        """Take in the next bytes: hash, seal, append. Not durable before `acknowledge`.

        Raises StorageFull. After that raised for want of room in advance, what was taken in can still be acknowledged.
        """
        require_room(self._folder, len(data) + self._opened.under_way, self._free)
        try:
            if self._hash is not None:
                self._hash.update(data)
            with full_said():
                self._writer.update_into(data, self._opened.append, self._opened.space)
        except BaseException:
            self._failed = True
            raise

    def checkpoint(self) -> int:
        """Acknowledge the segments written so far, while `write` goes on. Returns the acknowledged offset."""
        with self._acknowledging:
            segments = self._opened.written
            offset = sealed.plaintext_start(segments)
            if offset > self.acknowledged and not self._failed:
                try:
                    self._opened.sync()
                except OSError:
                    # Told once for an open file, so this writer acknowledges nothing more: the next seals again.
                    self._failed = True
                    raise
                self._state_file.save(State(self._writer.header, segments, b""))
                self.acknowledged = offset
            return self.acknowledged

    def acknowledge(self) -> int:
        """Make all that was taken in durable. Returns the acknowledged offset.

        After a failure nothing is added to what was acknowledged before. With a complete upload's last bytes goes its
        last segment, which `complete` need not wait for then; nothing can be written any more.
        """
        with self._acknowledging:
            return self._acknowledge()

    def _acknowledge(self) -> int:
        if self._failed or (self._generation and self.acknowledged == self._writer.size):
            return self.acknowledged
        with full_said():
            try:
                self._opened.flush()
                state = State(self._writer.header, self._writer.segment, self._writer.tail)
                if state.offset == self._length:
                    self._append_last()
                self._opened.sync()
                self._state_file.save(state)
            except BaseException:
                self._failed = True
                raise
        self.acknowledged = state.offset
        self._generation = state.generation
        return self.acknowledged

    def _append_last(self) -> None:
        """Where it does not go onto the disk the upload is acknowledged all the same, and `complete` tries again."""
        last = self._writer.finish()
        try:
            self._opened.append_last(last)
            self._is_whole = True
        except OSError:
            self._last = last
            log.warning("staging.last_segment_unwritten", upload=str(self._upload_id), exc_info=True)

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the acknowledged plaintext. Raises StagingDamaged."""
        if self._hash is None:
            whole = hashes.new()
            state = self._state_file.load()
            if state is not None:
                for plain in self._plaintext(state):
                    whole.update(plain)
            self._hash = whole
        return self._hash.hexdigest()

    def complete(self) -> Path:
        """The finished object's file, with its last segment, durable. The writer is of no more use."""
        if not self.is_complete:
            raise ValueError("Only an upload that is acknowledged to its end can be completed.")
        self._failed = True
        if not self._is_whole:
            with full_said():
                self._opened.append_last(self._last or self._writer.finish())
                self._opened.sync()
                # The state may be another process's, which ended before its name was durable.
                fsync_folder(self._folder)
        return self._path

    def close(self) -> None:
        """Let go of the file; the running hash is kept for the next request to this process."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        if not self._failed and self._hash is not None and self._generation and self.acknowledged == self.size:
            hashes.keep(self._upload_id, self._generation, self._hash)

    def _open(self) -> None:
        state = self._state_file.load()
        self._remove_strangers(state)
        if state is None:
            self._hash = hashes.new()
            self._begin(SealingWriter(self._key, self._associated_data))
            return
        self.acknowledged, self._generation = state.offset, state.generation
        self._hash = hashes.take(self._upload_id, state.generation) if state.offset else hashes.new()
        path = self._folder / state.sealed_name
        size = path.stat().st_size if path.exists() else 0
        if size < state.sealed_bytes:
            raise StagingDamaged(f"{state.sealed_bytes - size} bytes of it are missing from the disk")
        if size > state.sealed_bytes and not self.is_complete:
            self._reseal(state)
            return
        self._path = path
        self._file = SealedFile(path, state.header, state.segments, new=False)
        self._writer = SealingWriter.resume(self._key, state.header, state.segments, state.tail, self._associated_data)
        self._writer.total = self._length

    @property
    def _opened(self) -> SealedFile:
        if self._file is None:
            raise ValueError("This writer is closed.")
        return self._file

    def _begin(self, writer: SealingWriter) -> None:
        self._writer = writer
        writer.total = self._length
        self._path = self._folder / sealed_name(writer.header)
        self._file = SealedFile(self._path, writer.header, 0, new=True)

    def _reseal(self, state: State) -> None:
        """Seal what is acknowledged again under a fresh header; the new state is the moment of change."""
        require_room(self._folder, state.sealed_bytes, self._free)
        self._hash = whole = hashes.new()
        self._begin(SealingWriter(self._key, self._associated_data))
        try:
            for plain in self._plaintext(state):
                whole.update(plain)
                self._writer.update_into(plain, self._opened.append, self._opened.space)
            self._opened.flush()
            self._opened.sync()
            again = State(self._writer.header, self._writer.segment, self._writer.tail)
            self._state_file.save(again)
        except BaseException:
            self._remove_strangers(state)
            raise
        self._generation = again.generation
        self._remove_strangers(again)

    def _plaintext(self, state: State) -> Iterator[bytes]:
        return plaintext(self._folder, state, self._key, self._associated_data)

    def _remove_strangers(self, state: State | None) -> None:
        """Remove sealed files that the state does not name: none of their bytes is acknowledged."""
        for path in self._folder.glob("sealed-*"):
            if state is None or path.name != state.sealed_name:
                path.unlink()
        (self._folder / "state.new").unlink(missing_ok=True)
