"""Sealed objects in an object store (S3 as Ceph, MinIO and AWS speak it).

The bytes go through obstore; versions, unfinished puts and Object Lock, which it does not speak of, through boto3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore

from bluelamp.formats.sealed import BytesLike
from bluelamp.kernel import clock
from bluelamp.vault.errors import HeldInStore, ObjectMissing, StoreRefused, StoreUnavailable
from bluelamp.vault.stores.answers import said
from bluelamp.vault.stores.base import R, Store, T, check_name, check_prefix, check_range

if TYPE_CHECKING:
    from bluelamp.vault.stores.s3 import Connection

# 64 GiB in 8 MiB parts stays below S3's 10,000 parts; four at a time bound a put's memory to some 32 MiB.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 4
_AT_ONCE = 8  # fewer than the connections that boto3 keeps
_PAST_THE_END = {"InvalidRange", "416"}


class ObjectStore(Store):
    """A bucket, or a folder in one; connected to at first use.

    The service makes a put atomic and durable, and checks each part as it arrives against the SHA-256 that its request
    is signed with; the size of the whole is compared afterwards. What an interrupted put leaves is invisible, and for
    `sweep_temporary` to remove. Where a bucket keeps versions, a put leaves one of its name and a delete none.
    """

    may_support_hold = True

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect

    @classmethod
    def from_url(cls, url: str) -> ObjectStore:
        """At `s3://bucket/folder`; credentials and endpoint come from the usual `AWS_*` variables."""
        return cls(partial(_connect_s3, url))

    def put_file(self, name: str, path: Path, *, move: bool = False) -> None:
        path = Path(path)
        check_name(name)
        self._put(name, path, _Counter(path.stat().st_size))
        if move:
            path.unlink()

    def make_durable(self, name: str) -> None:
        """Nothing is to be done: what a bucket shows is durable."""

    def put_stream(self, name: str, pieces: Iterable[BytesLike]) -> None:
        check_name(name)
        counter = _Counter()
        self._put(name, counter.counted(pieces), counter)

    def get_range(self, name: str, start: int, length: int) -> bytes:
        check_range(start, length)
        check_name(name)
        try:
            with said(name):
                return bytes(obstore.get_range(self._to.quick, name, start=start, length=max(length, 1)))[:length]
        except ObjectMissing:
            self._require_bucket()
            raise
        except StoreRefused as error:
            # S3 refuses a range that begins at or past the end instead of answering with nothing.
            if error.code in _PAST_THE_END:
                return b""
            raise
        except StoreUnavailable:
            if self._to.bucket is None and start >= self.size(name):
                return b""
            raise

    def size(self, name: str) -> int:
        check_name(name)
        try:
            return self._size(name)
        except ObjectMissing:
            self._require_bucket()
            raise

    def delete(self, name: str) -> None:
        check_name(name)
        if self._to.bucket is not None:
            self._to.bucket.remove(name)
            return
        try:
            with said(name):
                obstore.delete(self._to.quick, name)
        except ObjectMissing:
            pass

    def each(self, action: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        _ = self._to  # connected to once, not by each thread
        with ThreadPoolExecutor(_AT_ONCE, "object-store") as threads:
            return list(threads.map(action, items))

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except ObjectMissing:
            return False
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        folder = check_prefix(prefix)
        with said(folder):
            for batch in obstore.list(self._to.quick, folder or None):
                yield from (found["path"] for found in batch)

    def remains(self, name: str) -> Iterator[str]:
        if self._to.bucket is None:
            yield from super().remains(name)
        else:
            yield from self._to.bucket.names(check_name(name))

    def supports_hold(self) -> bool:
        return self._to.bucket is not None and self._to.bucket.lock.enabled

    def hold(self, name: str, held: bool) -> None:
        check_name(name)
        bucket = self._to.bucket
        if bucket is None or not bucket.lock.enabled:
            return
        versions = [version for version in bucket.versions(name) if not version.marker]
        if held and not versions:
            raise ObjectMissing(name)
        for version in versions:
            if bucket.is_held(version) != held:
                bucket.set_hold(version, held)

    def retention_period(self) -> str:
        return self._to.bucket.lock.keeps if self._to.bucket is not None else ""

    def sweep_temporary(self, older_than_seconds: float) -> int:
        if self._to.bucket is None:
            return 0
        # The service's times are real time, whatever a demonstration's clock says.
        return self._to.bucket.abort_unfinished(clock.real_now() - timedelta(seconds=older_than_seconds))

    @cached_property
    def _to(self) -> Connection:
        return self._connect()

    def _put(self, name: str, content: Any, counter: _Counter) -> None:
        bucket = self._to.bucket
        # Asked first, so that a store that is down is found in seconds and not with the first part's long patience.
        before = bucket.found(name) if bucket is not None else None
        if before is not None and before.held:
            raise HeldInStore(name)
        with said(name, putting=True):
            put = obstore.put(self._to.bulk, name, content, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
            stored = obstore.head(self._to.quick, name)["size"]
        if stored != counter.bytes:
            if bucket is not None:
                bucket.remove_version(name, put["version"])
            raise StoreUnavailable
        if bucket is not None and before is not None:
            bucket.remove_older(name, put["version"])

    def _size(self, name: str) -> int:
        with said(name):
            return int(obstore.head(self._to.quick, name)["size"])

    def _require_bucket(self) -> None:
        if self._to.bucket is not None:
            self._to.bucket.require()


class _Counter:
    """How many bytes a put has been given."""

    def __init__(self, size: int = 0) -> None:
        self.bytes = size

    def counted(self, pieces: Iterable[BytesLike]) -> Iterator[BytesLike]:
        for piece in pieces:
            self.bytes += memoryview(piece).nbytes
            yield piece


def _connect_s3(url: str) -> Connection:
    # Here, since boto3 takes a quarter of a second to import and only this kind of store wants it.
    from bluelamp.vault.stores.s3 import connect

    return connect(url)
