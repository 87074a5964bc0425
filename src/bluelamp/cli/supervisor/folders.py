"""Bluelamp's own folders outside the data folder, used when it runs as root.

PostgreSQL refuses to run as root, and its user may not be able to reach the data folder (a closed home); so its
programs, clusters and sockets stand below /var/lib/bluelamp. No other folder's permissions are ever changed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bluelamp.kernel.errors import Conflict

SYSTEM = Path("/var/lib/bluelamp")


def make_system_folder(folder: Path) -> None:
    """Make `folder` at or below SYSTEM, with its parents, owned by root, readable by all, writable by root only.

    Raises Conflict where one of them belongs to somebody else or can be written by others: programs and
    configuration there are run and read with privileges.
    """
    for path in reversed([folder, *folder.parents]):
        if path == SYSTEM or SYSTEM in path.parents:
            make(path, 0o755)
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
                raise Conflict(
                    f"{path} is not a folder that root alone can write to.",
                    "The database was not started; no footage is affected.",
                    f"Check who made it, then: chown root {path} && chmod 755 {path}",
                )


def make(folder: Path, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Make one folder with exactly `mode` (whatever the umask) and `owner` (uid, gid); leave an existing one alone."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    if owner:
        os.chown(folder, *owner)
    folder.chmod(mode)
