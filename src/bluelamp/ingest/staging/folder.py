"""An upload's folder, and the lease of whoever writes into it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from bluelamp.vault.disk import make_folder

_WANTED = "wanted"


def folder_of(upload_id: UUID) -> Path:
    """Where an upload's bytes wait; it may not exist yet."""
    return settings.BLUELAMP.staging / str(upload_id)


def all_folders() -> Iterator[tuple[UUID, Path]]:
    """Every upload's folder. What has another name in staging is not ours and is left alone."""
    try:
        paths = list(settings.BLUELAMP.staging.iterdir())
    except FileNotFoundError:
        return
    for path in paths:
        try:
            upload_id = UUID(path.name)
        except ValueError:
            continue
        yield upload_id, path


class Lease:
    """The right to write one upload: a lock on its folder, which the kernel releases however its holder ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> Lease | None:
        """The lease of the folder `path`, which is made if missing; None while somebody else holds it."""
        while True:
            if not path.is_dir():
                make_folder(path)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:  # removed by its holder just now
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    (path / _WANTED).unlink(missing_ok=True)
                    return cls(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except FileNotFoundError:
                pass
            os.close(descriptor)  # the lock of a folder that its last holder removed

    @staticmethod
    def want(path: Path) -> None:
        """Ask the present holder, in whatever process, to let go if it has nothing to do."""
        try:
            (path / _WANTED).touch(mode=0o600)
        except FileNotFoundError:
            pass

    @property
    def wanted(self) -> bool:
        """Whether somebody else asked for the lease."""
        return (self.path / _WANTED).exists()

    def remove_folder(self) -> None:
        """Remove the folder with all that is in it. The lease is still to be released.

        A power cut just afterwards may bring it back: recovery removes folders that no open upload names.
        """
        shutil.rmtree(self.path, ignore_errors=True)

    def release(self) -> None:
        """Let go; an empty folder is removed. Does nothing twice."""
        if self._descriptor is None:
            return
        try:
            self.path.rmdir()
        except OSError:  # it holds something, or has gone
            pass
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
