"""What the processes are told: their command lines, their environment, and when to begin."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWNER_URL = "BLUELAMP_DATABASE_OWNER_URL"


def command(*arguments: str) -> list[str]:
    """The command line of `bluelamp ARGUMENTS` in a child, whatever the PATH; the working folder holds no modules."""
    return [sys.executable, "-P", "-m", "bluelamp.cli.main", *arguments]


def for_child(data: Path, database_url: str, base_url: str, owner_url: str | None = None) -> dict[str, str]:
    """The environment of a child. Only the migrating child is given `owner_url`, the role that owns the tables."""
    environment = {name: value for name, value in os.environ.items() if name != _OWNER_URL}
    environment |= {
        "BLUELAMP_DATA": str(data),
        "BLUELAMP_DATABASE_URL": database_url,
        "BLUELAMP_BASE_URL": base_url,
        "PYTHONUNBUFFERED": "1",
    }
    return environment | ({_OWNER_URL: owner_url} if owner_url else {})


@contextmanager
def loading() -> Iterator[None]:
    """Load code in here: what stays for good is not searched for garbage, neither meanwhile nor ever after.

    Measured: a tenth of a web process's start, and no full collection of its 250,000 objects while it serves.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def wait_at_gate(descriptor: int | None) -> None:
    """Wait until the supervisor opens the gate (one byte): nothing is migrated before the database answers, and nothing
    is served before the migrations are done.

    Ends this process when the supervisor closes the gate instead.
    """
    if descriptor is None:
        return
    opened = os.read(descriptor, 1)
    os.close(descriptor)
    if not opened:
        sys.exit(0)
