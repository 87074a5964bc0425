"""The installation that a campaign torments: patient with a busy machine, and with disks of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from tests.axis.system import System
from tests.ingest.up import BLUELAMP, Up

STAGING_MIB = 320
STILL_SECONDS = 420.0
"""How long nothing may move. A busy machine is slow; what is stuck is still. The longest wait of the installation
itself is for its periodic recovery, five minutes."""


class Installation(Up):
    """`bluelamp up` that may take its time to begin."""

    def wait_ready(self, seconds: float = STILL_SECONDS) -> None:
        super().wait_ready(seconds)

    def officer(self) -> str:
        """Adds an officer; the warrant number."""
        return self.act("officer")

    def act(self, what: str) -> str:
        """See tests.campaigns.acts. Raises RuntimeError with what it said when it failed."""
        command = [sys.executable, "-m", "tests.campaigns.acts", what]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, env=self._environment, cwd=root, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip().rpartition("\n")[2]

    def system(self, name: str, officer: str) -> System:
        """A body-worn system with a connection file, a camera and a user, who is the officer with that number."""
        out = self.data / "connection.json"
        command = [BLUELAMP, "axis", "connection-file", "--out", out, "--name", name, "--data", self.data]
        subprocess.run(command, env=self._environment, capture_output=True, check=True)
        system = System(self.url, json.loads(out.read_text()))
        out.unlink()
        assert system.sign_in().status_code == 200
        system.announce(user_id=officer)
        return system


class Patience:
    """Waits as long as something moves."""

    def __init__(self, still_seconds: float = STILL_SECONDS) -> None:
        self._still_seconds = still_seconds
        self._last: object = None
        self._since = time.monotonic()

    def look(self, now: object, trouble: str) -> None:
        """`now` is anything that changes while there is progress. Raises AssertionError when it does not, for long."""
        if now != self._last:
            self._last, self._since = now, time.monotonic()
        assert time.monotonic() - self._since < self._still_seconds, f"nothing moves any more: {trouble}: {now}"


@lru_cache(maxsize=1)
def can_mount() -> bool:
    """Whether this test may mount file systems of its own, as full disks need. Tries it."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", "-l", folder], check=True)
    return True


@contextmanager
def small_disks(data: Path, store_mib: int) -> Iterator[None]:
    """A data folder whose staging and store lie on small file systems of their own."""
    mounted = []
    try:
        for name, size in (("staging", STAGING_MIB), ("store", store_mib)):
            path = data / name
            path.mkdir(mode=0o700)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", path], check=True)
            mounted.append(path)
        yield
    finally:
        for path in reversed(mounted):
            subprocess.run(["umount", "-l", path], check=True)
