"""Sealed objects as plain files in a folder."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import structlog

from bluelamp.formats.sealed import BytesLike
from bluelamp.kernel import clock
from bluelamp.kernel.errors import StorageFull
from bluelamp.vault.disk import fsync_folder, make_folder, sync
from bluelamp.vault.errors import ObjectMissing, StoreUnavailable
from bluelamp.vault.stores.base import TEMPORARY_PREFIX, Store, check_name, check_prefix, check_range

T = TypeVar("T")

log = structlog.get_logger(__name__)

_COPY_BYTES = 1024 * 1024
_ATTEMPTS = 100
_FULL = {errno.ENOSPC, errno.EDQUOT}
# A file system that was taken away, turned read-only over its errors, or answers nobody; a folder closed to us.
_UNUSABLE = {errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ESTALE, errno.ENXIO, errno.ETIMEDOUT}


class LocalStore(Store):
    """Objects are files named by their object names below `root` (created 0700).

    A put writes beside its destination under a temporary name, makes the bytes durable, renames, and makes
    the name durable; a file that is moved only gets the name. What a crash leaves are files beginning with `.tmp-`,
    which no listing shows.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(root)
        make_folder(self._root)

    def put_file(self, name: str, path: Path, *, move: bool = False) -> None:
        path = Path(path)
        if move and self._moved(name, path):
            return
        with open(path, "rb") as source:
            self._put(name, lambda target: shutil.copyfileobj(source, target, _COPY_BYTES))
        if move:
            path.unlink()

    def make_durable(self, name: str) -> None:
        with _trouble_said():
            self._sync_names(self._path(name).parent)

    def put_stream(self, name: str, pieces: Iterable[BytesLike]) -> None:
        self._put(name, lambda target: target.writelines(pieces))

    def put_all(self, objects: Sequence[tuple[str, Sequence[BytesLike]]]) -> None:
        # Everything is written before the first sync, and named before the folders' first: what a journal then commits
        # with the first of them it need not commit again for the others.
        with _trouble_said(), ExitStack() as opened:
            written: list[tuple[int, Path, Path]] = []
            for name, pieces in objects:
                target = self._path(name)
                temporary = target.with_name(TEMPORARY_PREFIX + secrets.token_hex(8))
                if target.parent != self._root:
                    self._in_folder(target.parent.parent, partial(target.parent.mkdir, mode=0o700, exist_ok=True))
                descriptor = self._in_folder(target.parent, partial(_create, temporary))
                file = opened.enter_context(os.fdopen(descriptor, "wb"))
                opened.callback(temporary.unlink, missing_ok=True)
                file.writelines(pieces)
                file.flush()
                written.append((file.fileno(), temporary, target))
            for file_number, _, _ in written:
                sync(file_number)
            for _, temporary, target in written:
                temporary.rename(target)
            folders = {target.parent for _, _, target in written}
            for folder in folders | {each.parent for each in folders - {self._root}}:
                fsync_folder(folder)

    def get_range(self, name: str, start: int, length: int) -> bytes:
        check_range(start, length)
        data = bytearray()
        with _trouble_said(), _missing_said(name), open(self._path(name), "rb", buffering=0) as file:
            while piece := os.pread(file.fileno(), length - len(data), start + len(data)):
                if len(piece) == length:  # the usual case, without a copy
                    return piece
                data += piece
        return bytes(data)

    def size(self, name: str) -> int:
        path = self._path(name)
        with _trouble_said(), _missing_said(name):
            found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ObjectMissing(name)
        return found.st_size

    def delete(self, name: str) -> None:
        self.delete_all([name])

    def delete_all(self, names: Iterable[str]) -> None:
        touched: set[Path] = set()
        with _trouble_said():
            for path in map(self._path, names):
                with suppress(FileNotFoundError, NotADirectoryError):
                    path.unlink()
                touched.add(path.parent)
            # A folder that went is durably gone with its name; only what is left of them has to be made durable.
            left: set[Path] = set()
            while touched:
                folder = touched.pop()
                if folder != self._root and _removed(folder):
                    touched.add(folder.parent)
                else:
                    left.add(folder)
            for folder in left:
                with suppress(FileNotFoundError, NotADirectoryError):
                    fsync_folder(folder)

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

    def list(self, prefix: str = "") -> Iterator[str]:
        for path in self._files(self._root / check_prefix(prefix)):
            if not path.name.startswith(TEMPORARY_PREFIX):
                yield path.relative_to(self._root).as_posix()

    def unfinished(self, name: str) -> Iterator[str]:
        for path in self._files(self._path(name)):
            if path.name.startswith(TEMPORARY_PREFIX):
                yield path.relative_to(self._root).as_posix()

    def remains(self, name: str) -> Iterator[str]:
        # Most often there is nothing: one look says so.
        if os.path.lexists(self._path(name)):
            yield from super().remains(name)

    def sweep_temporary(self, older_than_seconds: float) -> int:
        # File times are real time, whatever a demonstration's clock says.
        limit = clock.real_now().timestamp() - older_than_seconds
        removed = 0
        for path in self._files(self._root):
            try:
                if path.name.startswith(TEMPORARY_PREFIX) and path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:  # its put has just finished
                continue
        return removed

    def _path(self, name: str) -> Path:
        return self._root / check_name(name)

    def _files(self, folder: Path) -> Iterator[Path]:
        for parent, _, names in os.walk(folder):
            for name in names:
                yield Path(parent, name)

    def _put(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        target = self._path(name)
        temporary = target.with_name(TEMPORARY_PREFIX + secrets.token_hex(8))
        with _trouble_said():
            descriptor = self._in_folder(target.parent, partial(_create, temporary))
            try:
                with os.fdopen(descriptor, "wb") as file:
                    write(file)
                    file.flush()
                    sync(file.fileno())
                temporary.rename(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            fsync_folder(target.parent)

    def _moved(self, name: str, path: Path) -> bool:
        """Rename the file into place; False where it lies on another file system."""
        target = self._path(name)
        folder = target.parent

        def place() -> None:
            folder.mkdir(mode=0o700, exist_ok=True)
            path.rename(target)

        with _trouble_said():
            path.lstat()  # not to be mistaken for a folder that went
            try:
                self._in_folder(folder if folder == self._root else folder.parent, place)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                moved = False
            else:
                moved = True
            self._sync_names(folder)
        return moved

    def _sync_names(self, folder: Path) -> None:
        """Make durable what stands in `folder`, and its own name: what a journal commits with the first of them it need
        not commit again."""
        fsync_folder(folder)
        if folder != self._root:
            fsync_folder(folder.parent)

    def _in_folder(self, folder: Path, action: Callable[[], T]) -> T:
        """Run `action` with `folder` in place, although a delete elsewhere may be removing empty folders."""
        for _ in range(_ATTEMPTS - 1):
            try:
                make_folder(folder)
                return action()
            except FileNotFoundError:
                continue
        make_folder(folder)
        return action()


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _removed(folder: Path) -> bool:
    """Whether the folder is no more: it was empty and is removed, or was not there."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass
    except OSError:  # not empty, or no folder
        return False
    return True


@contextmanager
def _missing_said(name: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ObjectMissing(name) from error


@contextmanager
def _trouble_said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _UNUSABLE:
            # Senders and pages are told that it cannot be used; what it is, the operator finds in the log.
            log.warning("store.unusable", exc_info=True)
            raise StoreUnavailable from error
        if error.errno not in _FULL:
            raise
        raise StorageFull(
            "There is no room left in the store.",
            "Nothing was stored; the sender keeps its copy.",
            "Free or add disk space, then send again.",
        ) from error
