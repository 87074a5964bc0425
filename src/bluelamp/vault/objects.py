"""Sealed objects: footage and its derivatives, sealed under a recording's data key and kept in the store.

The object's name is the seal's associated data, so that one object cannot be passed off as another.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bluelamp.formats import sealed
from bluelamp.formats.sealed import BytesLike, SealBroken, SealingWriter, SegmentOpener
from bluelamp.vault.errors import ObjectDamaged
from bluelamp.vault.keyring import Keyring, get_keyring
from bluelamp.vault.stores import Store, get_store

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def associated_data(name: str) -> bytes:
    """What a seal binds besides its bytes: the object's name, in UTF-8."""
    return name.encode()


def seal_stream(
    name: str,
    key_id: str,
    pieces: Iterable[BytesLike],
    *,
    store: Store | None = None,
    keyring: Keyring | None = None,
) -> int:
    """Seal the pieces under the existing key `key_id` into the object `name`, in constant memory.

    Returns the plaintext's size in bytes. If the iterable raises, nothing is stored. Raises KeyUnknown,
    KeyErased, NameRefused, StorageFull.
    """
    key = (keyring or get_keyring()).get(key_id)
    writer = SealingWriter(key, associated_data(name))
    (store or get_store()).put_stream(name, _sealed_pieces(writer, pieces))
    return writer.size


def seal_bytes(
    name: str, key_id: str, data: bytes, *, store: Store | None = None, keyring: Keyring | None = None
) -> None:
    """Seal `data` under the existing key `key_id` into the object `name`. Raises like `seal_stream`."""
    seal_stream(name, key_id, [data], store=store, keyring=keyring)


def delete(name: str, *, store: Store | None = None) -> None:
    """Remove the object from the store; removing what is not there is no error. Its key is not touched."""
    (store or get_store()).delete(name)


class SealedReader:
    """Reads any range of a sealed object, opening only the segments that the range touches.

    Bytes are handed out only after their segment was found good. `size` (plaintext bytes) is computed from
    the stored size, which is itself proven only by opening the last segment. The last opened segment is kept,
    so that small reads in sequence open each segment once. Not for use by two threads at a time.
    """

    def __init__(self, name: str, key_id: str, *, store: Store | None = None, keyring: Keyring | None = None) -> None:
        """Raises KeyUnknown, KeyErased, ObjectMissing, ObjectDamaged."""
        self._name = name
        self._store = store or get_store()
        key = (keyring or get_keyring()).get(key_id)
        self._sealed_size = self._store.size(name)
        with self._damage_said():
            self.size = sealed.plaintext_size(self._sealed_size)
            header = self._store.get_range(name, 0, sealed.HEADER_SIZE)
            self._opener = SegmentOpener(key, header, associated_data(name))
            self._last = sealed.segment_count(self._sealed_size) - 1
        self._kept: tuple[int, bytes] = (-1, b"")

    def read(self, start: int, length: int) -> bytes:
        """Plaintext from `start` (bytes), `length` long; less at the end, nothing past it.

        Raises ObjectDamaged for a segment that is not what was sealed, ObjectMissing if the object has gone.
        """
        return b"".join(self.iter(start, length))

    def iter(self, start: int, length: int, chunk: int = sealed.SEGMENT) -> Iterator[memoryview]:
        """The same range in pieces of at most `chunk` bytes, opened one segment at a time."""
        if start < 0 or length < 0 or chunk < 1:
            raise ValueError("A range begins at 0 or later and is not negative in length.")
        end = min(start + length, self.size)
        for segment in sealed.segments_for_range(start, length, self._sealed_size):
            begin = sealed.plaintext_start(segment)
            plain = memoryview(self._open(segment))[max(start - begin, 0) : end - begin]
            for at in range(0, len(plain), chunk):
                yield plain[at : at + chunk]

    def file(self) -> io.BufferedReader:
        """The plaintext as a read-only, seekable file, for libraries that want one."""
        return io.BufferedReader(_SealedFile(self))

    def _open(self, segment: int) -> bytes:
        if self._kept[0] != segment:
            ciphertext = self._store.get_range(self._name, *sealed.segment_place(segment, self._sealed_size))
            with self._damage_said():
                self._kept = (segment, self._opener.open(segment, segment == self._last, ciphertext))
        return self._kept[1]

    @contextmanager
    def _damage_said(self) -> Iterator[None]:
        try:
            yield
        except SealBroken as error:
            raise ObjectDamaged(self._name, str(error)) from error


class _SealedFile(io.RawIOBase):
    def __init__(self, reader: SealedReader) -> None:
        self._reader = reader
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size}[whence]
        if base + offset < 0:
            raise ValueError("A position in a file is not negative.")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        filled = 0
        for piece in self._reader.iter(self._at, len(target)):
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._at += filled
        return filled


def _sealed_pieces(writer: SealingWriter, pieces: Iterable[BytesLike]) -> Iterator[BytesLike]:
    yield writer.header
    for piece in pieces:
        yield from writer.update(piece)
    yield writer.finish()
