"""Writes an upload's bytes into staging, hashed and sealed on the way; resumes after whatever happened before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from bluelamp.formats import sealed
from bluelamp.formats.sealed import BytesLike, SealBroken, SealingWriter, SegmentOpener
from bluelamp.ingest.staging import hashes
from bluelamp.ingest.staging.folder import Lease
from bluelamp.ingest.staging.room import free_bytes, full_said, require_room
from bluelamp.ingest.staging.state import StagingDamaged, State, StateFile, sealed_name, write_all
from bluelamp.vault.disk import fsync_folder

if TYPE_CHECKING:
    from hashlib import _Hash


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
        length: int,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Raises StagingDamaged when acknowledged bytes cannot be read back, StorageFull when there is no room."""
        self._folder = lease.path
        self._upload_id = upload_id
        self._key = data_key
        self._associated_data = associated_data
        self._length = length
        self._free = free
        self._state_file = StateFile(self._folder, upload_id, data_key)
        self._buffer = bytearray(sealed.SEGMENT)
        self._descriptor = -1
        self._failed = False
        self._generation = b""
        self._hash: _Hash | None = None
        self._written = 0  # segments, wholly
        self.acknowledged = 0
        try:
            with full_said():
                self._open()
        except BaseException:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            raise

    @property
    def size(self) -> int:
        """Plaintext bytes taken in, acknowledged or not."""
        return self._writer.size

    @property
    def is_complete(self) -> bool:
        """Whether all of the upload is acknowledged."""
        return self.acknowledged == self._length

    def write(self, data: BytesLike) -> None:
        """Take in the next bytes: hash, seal, append. Not durable before `acknowledge`.

        Raises StorageFull. After that raised for want of room in advance, what was taken in can still be acknowledged.
        """
        require_room(self._folder, len(data), self._free)
        try:
            if self._hash is not None:
                self._hash.update(data)
            with full_said():
                self._writer.update_into(data, self._append, self._buffer)
        except BaseException:
            self._failed = True
            raise

    def checkpoint(self) -> int:
        """Acknowledge the segments written so far, while `write` goes on. Returns the acknowledged offset."""
        segments = self._written
        offset = sealed.plaintext_start(segments)
        if offset > self.acknowledged:
            os.fdatasync(self._descriptor)
            self._state_file.save(State(self._writer.header, segments, b""))
            self.acknowledged = offset
        return self.acknowledged

    def acknowledge(self) -> int:
        """Make all that was taken in durable. Returns the acknowledged offset.

        After a failed write nothing is added to what was acknowledged before.
        """
        if self._failed or (self._generation and self.acknowledged == self._writer.size):
            return self.acknowledged
        with full_said():
            os.fdatasync(self._descriptor)
            state = State(self._writer.header, self._writer.segment, self._writer.tail)
            self._state_file.save(state)
        self.acknowledged = state.offset
        self._generation = state.generation
        return self.acknowledged

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
        """Append the last segment, durably, and return the finished object's file. The writer is of no more use."""
        if not self.is_complete:
            raise ValueError("Only an upload that is acknowledged to its end can be completed.")
        self._failed = True
        with full_said():
            write_all(self._descriptor, self._writer.finish())
            os.fsync(self._descriptor)
        fsync_folder(self._folder)
        return self._path

    def close(self) -> None:
        """Let go of the file; the running hash is kept for the next request to this process."""
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
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
        self._descriptor = os.open(path, os.O_RDWR)
        os.ftruncate(self._descriptor, state.sealed_bytes)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        self._writer = SealingWriter.resume(self._key, state.header, state.segments, state.tail, self._associated_data)
        self._written = state.segments

    def _begin(self, writer: SealingWriter) -> None:
        self._writer = writer
        self._written = 0
        self._path = self._folder / sealed_name(writer.header)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        write_all(self._descriptor, writer.header)

    def _append(self, segment: memoryview) -> None:
        write_all(self._descriptor, segment)
        self._written += 1

    def _reseal(self, state: State) -> None:
        """Seal what is acknowledged again under a fresh header; the new state is the moment of change."""
        require_room(self._folder, state.sealed_bytes, self._free)
        self._hash = whole = hashes.new()
        self._begin(SealingWriter(self._key, self._associated_data))
        try:
            for plain in self._plaintext(state):
                whole.update(plain)
                self._writer.update_into(plain, self._append, self._buffer)
            os.fsync(self._descriptor)
            again = State(self._writer.header, self._writer.segment, self._writer.tail)
            self._state_file.save(again)
        except BaseException:
            self._remove_strangers(state)
            raise
        self._generation = again.generation
        self._remove_strangers(again)

    def _plaintext(self, state: State) -> Iterator[bytes]:
        path = self._folder / state.sealed_name
        try:
            opener = SegmentOpener(self._key, state.header, self._associated_data)
            with open(path, "rb", buffering=0) as file:
                if file.read(sealed.HEADER_SIZE) != state.header:
                    raise StagingDamaged("its header changed")
                for segment in range(state.segments):
                    begin, length = sealed.segment_place(segment, state.sealed_bytes)
                    yield opener.open(segment, False, os.pread(file.fileno(), length, begin))
        except (SealBroken, FileNotFoundError) as error:
            raise StagingDamaged(str(error)) from error
        yield state.tail

    def _remove_strangers(self, state: State | None) -> None:
        """Remove sealed files that the state does not name: none of their bytes is acknowledged."""
        for path in self._folder.glob("sealed-*"):
            if state is None or path.name != state.sealed_name:
                path.unlink()
        (self._folder / "state.new").unlink(missing_ok=True)
