"""Sealed objects in an object store (S3 as Ceph, MinIO and AWS speak it), through obstore."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore.store
from obstore.exceptions import BaseError

from bluelamp.formats.sealed import BytesLike
from bluelamp.vault.errors import ObjectMissing, StoreUnavailable
from bluelamp.vault.stores.base import Store, check_name, check_prefix, check_range

# 64 GiB in 8 MiB parts stays below S3's 10,000 parts; four at a time bound a put's memory to some 32 MiB.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 4


class ObjectStore(Store):
    """A bucket, or a folder in one, as an obstore store.

    The service itself makes a put atomic and durable. What an interrupted multipart put leaves is invisible,
    and for the bucket's own lifecycle rule to remove.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def from_url(cls, url: str) -> "ObjectStore":
        """From `s3://bucket/folder`; credentials and endpoint come from the usual `AWS_*` variables."""
        return cls(obstore.store.from_url(url))

    def put_file(self, name: str, path: Path, *, move: bool = False) -> None:
        self._put(name, Path(path))
        if move:
            Path(path).unlink()

    def put_stream(self, name: str, pieces: Iterable[BytesLike]) -> None:
        self._put(name, iter(pieces))

    def get_range(self, name: str, start: int, length: int) -> bytes:
        check_range(start, length)
        check_name(name)
        try:
            with _said(name):
                return bytes(obstore.get_range(self._store, name, start=start, length=max(length, 1)))[:length]
        except StoreUnavailable:
            # Services refuse a range that begins at or past the end instead of answering with nothing.
            if start >= self.size(name):
                return b""
            raise

    def size(self, name: str) -> int:
        check_name(name)
        with _said(name):
            return int(obstore.head(self._store, name)["size"])

    def delete(self, name: str) -> None:
        check_name(name)
        try:
            with _said(name):
                obstore.delete(self._store, name)
        except ObjectMissing:
            pass

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except ObjectMissing:
            return False
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        folder = check_prefix(prefix)
        with _said(folder):
            for batch in obstore.list(self._store, folder or None):
                yield from (found["path"] for found in batch)

    def sweep_temporary(self, older_than_seconds: float) -> int:
        return 0

    def _put(self, name: str, content: Any) -> None:
        check_name(name)
        try:
            obstore.put(self._store, name, content, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
        except BaseError as error:
            raise StoreUnavailable from error


@contextmanager
def _said(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(name) from error
    except BaseError as error:
        raise StoreUnavailable from error
