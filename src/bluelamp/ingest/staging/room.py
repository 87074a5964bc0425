"""Room on the disk: staging stops before it is used up."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bluelamp.kernel.errors import StorageFull

RESERVE_BYTES = 128 * 1024 * 1024
"""Left free: the database beside it must go on, and what has arrived must still be recorded."""

_FULL = {errno.ENOSPC, errno.EDQUOT}


def free_bytes(folder: Path) -> int:
    """Bytes free on the disk of `folder`."""
    return shutil.disk_usage(folder).free


def require_room(folder: Path, wanted: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Raises StorageFull unless `wanted` bytes fit beside the reserve."""
    if free(folder) < RESERVE_BYTES + wanted:
        raise full()


def full() -> StorageFull:
    """The error of a full disk."""
    return StorageFull(
        "The server's disk is full.",
        "What arrived so far is kept, and the camera keeps its copy.",
        "The operator frees or adds disk space; then the upload goes on where it stopped.",
    )


@contextmanager
def full_said() -> Iterator[None]:
    """Turn the kernel's word for a full disk into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise full() from error
