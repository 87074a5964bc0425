"""Run by test_crash.py as a process of its own: a sweep that is killed at one point of a deletion.

    python -m tests.retention.crash POINT

The points are the ends of the steps; the process kills itself with SIGKILL, so nothing of it can clean up.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _after(owner: Any, name: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def then_die(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        _die()

    setattr(owner, name, then_die)


def arm(point: str) -> None:
    from bluelamp.retention import certificates
    from bluelamp.retention.services import deleting, sweeping
    from bluelamp.vault.keyring import SqliteKeyring

    match point:
        case "before the row is closed is committed":
            _after(sweeping, "close")
        case "after the row is closed":
            deleting._erase_keys_and_look = _die
        case "after the key is erased":
            _after(SqliteKeyring, "erase_all")
        case "after the names are noted":
            _after(deleting, "_erase_keys_and_look")
        case "after one object is removed":
            _after(Path, "unlink")
        case "after all objects are removed":
            _after(deleting, "_remove")
        case "after the certificate is signed":
            _after(certificates, "sign")
        case "after everything is committed":
            _after(sweeping, "finish_deletions")
        case _:
            raise SystemExit(f"no point {point!r}")


if __name__ == "__main__":
    import django

    django.setup()
    arm(sys.argv[1])
    from bluelamp.retention import services

    services.sweep()
