"""Folders and names that survive a power cut."""

import os
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Make names created in, or removed from, `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
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
        # Somebody else made it (and may even have removed it again): only a file in its place is an error.
        if folder.exists() and not folder.is_dir():
            raise
    fsync_folder(folder.parent)
