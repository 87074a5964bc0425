"""Folders and names that survive a power cut."""

import os
import stat
from pathlib import Path

from django.conf import settings


def sync(descriptor: int, *, data_only: bool = False) -> None:
    """Make what was written through `descriptor` durable; `data_only` leaves out times and the like.

    Does nothing where BLUELAMP_FSYNC is 0, as measurements want it.
    """
    if settings.BLUELAMP.fsync:
        (os.fdatasync if data_only else os.fsync)(descriptor)


def fsync_folder(folder: Path) -> None:
    """Make names created in, or removed from, `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create `folder` (0700) and what is missing above it, each one's name made durable in its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        # Somebody else made it (and may even have removed it again): only a file in its place is an error. One look,
        # since between two of them it could go.
        if _is_something_else(folder):
            raise
    fsync_folder(folder.parent)


def _is_something_else(folder: Path) -> bool:
    try:
        return not stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        return False
