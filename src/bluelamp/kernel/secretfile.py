"""Files with a secret: written once, whole, readable by their owner only, and still there after a power cut."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def create(path: Path, content: bytes) -> None:
    """Write `content` to `path` (mode 0600, its folder 0700 where it is new) unless the file exists already.

    Processes that start at once agree on one of their contents: read the file afterwards. When this returns, file and
    folder are on disk, so that nothing is ever signed or sealed with a key that a power cut takes away. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link appears with its full content or not at all, and never replaces an existing file.
            os.link(aside, path)
        except FileExistsError:
            pass
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
