"""What can befall an installation: processes killed, disks full, a store that takes nothing. Each ends by itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.campaigns.installation import STILL_SECONDS, Installation
from tests.ingest.up import _below

MIB = 1024 * 1024

KINDS = ("web", "worker", "postgres", "all", "staging full", "store full", "store read-only")


class Faults:
    """Lets one thing after the other befall `up`, as the seed wills."""

    def __init__(self, up: Installation, chance: random.Random, *, disks: bool) -> None:
        self._up = up
        self._chance = chance
        self._kinds = KINDS if disks else KINDS[:4]
        self.counts = dict.fromkeys(self._kinds, 0)

    def next(self) -> str:
        """One fault, to its end: afterwards the installation answers again. Returns its kind."""
        kind = self._chance.choice(self._kinds)
        time.sleep(self._chance.uniform(0.0, 0.6))
        _ACTIONS[kind](self)
        self._up.wait_ready()
        self.counts[kind] += 1
        return kind

    def kill_web(self) -> None:
        _kill(lambda: self._up.pid("web"))

    def kill_worker(self) -> None:
        _kill(lambda: self._up.pid("worker"))

    def kill_postgres(self) -> None:
        _kill(self._postmaster)

    def _postmaster(self) -> int | None:
        assert self._up._process is not None
        for pid, command in _below(self._up._process.pid):
            words = command.split("\0")
            if Path(words[0]).name == "postgres" and "-D" in words:
                return pid
        return None

    def kill_all(self) -> None:
        self._up.kill()
        self._up.start()

    def fill(self, folder: Path) -> None:
        """No room for some moments."""
        filler = folder / "filler"
        free = os.statvfs(folder)
        size = max(0, free.f_bavail * free.f_frsize - self._chance.choice([0, 64 * 1024, 100 * MIB]))
        try:
            with open(filler, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
        except OSError:
            pass  # somebody else took the room first: it is full all the same
        time.sleep(self._chance.uniform(0.3, 1.2))
        filler.unlink(missing_ok=True)

    def read_only(self, folder: Path) -> None:
        """A store that takes nothing for some moments."""
        # While something is being written the kernel refuses; that never lasts.
        while subprocess.run(["mount", "-o", "remount,ro", folder], capture_output=True, check=False).returncode:
            time.sleep(0.02)
        time.sleep(self._chance.uniform(0.3, 1.2))
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)

    @property
    def staging(self) -> Path:
        return self._up.data / "staging"

    @property
    def store(self) -> Path:
        return self._up.data / "store"


def _kill(find: Callable[[], int | None]) -> None:
    """Who died a moment ago may not be there again yet."""
    until = time.monotonic() + STILL_SECONDS
    while (pid := find()) is None:
        assert time.monotonic() < until, "nobody to kill"
        time.sleep(0.05)
    with suppress(ProcessLookupError):  # it has ended by itself, over what befell before
        os.kill(pid, signal.SIGKILL)


_ACTIONS: dict[str, Callable[[Faults], None]] = {
    "web": Faults.kill_web,
    "worker": Faults.kill_worker,
    "postgres": Faults.kill_postgres,
    "all": Faults.kill_all,
    "staging full": lambda faults: faults.fill(faults.staging),
    "store full": lambda faults: faults.fill(faults.store),
    "store read-only": lambda faults: faults.read_only(faults.store),
}
