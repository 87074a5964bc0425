"""What can befall an installation: processes killed, disks full, a store that takes nothing. Each ends by itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ingest.up import Up, _below

MIB = 1024 * 1024
STAGING_MIB = 320
STORE_MIB = 1024

KINDS = ("web", "worker", "postgres", "all", "staging full", "store full", "store read-only")


def can_mount() -> bool:
    """Whether this test may mount file systems of its own, as full disks need."""
    return (
        os.geteuid() == 0 and subprocess.run(["mount", "--version"], capture_output=True, check=False).returncode == 0
    )


@contextmanager
def small_disks(data: Path) -> Iterator[None]:
    """A data folder whose staging and store lie on small file systems of their own."""
    mounted = []
    try:
        for name, size in (("staging", STAGING_MIB), ("store", STORE_MIB)):
            path = data / name
            path.mkdir(mode=0o700)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", path], check=True)
            mounted.append(path)
        yield
    finally:
        for path in reversed(mounted):
            subprocess.run(["umount", "-l", path], check=True)


class Faults:
    """Lets one thing after the other befall `up`, as the seed wills."""

    def __init__(self, up: Up, chance: random.Random, *, disks: bool) -> None:
        self._up = up
        self._chance = chance
        self._kinds = KINDS if disks else KINDS[:4]
        self.counts = dict.fromkeys(self._kinds, 0)

    def next(self) -> str:
        """One fault, to its end: afterwards the installation answers again. Returns its kind."""
        kind = self._chance.choice(self._kinds)
        time.sleep(self._chance.uniform(0.0, 0.6))
        self.counts[kind] += 1
        _ACTIONS[kind](self)
        self._up.wait_ready(120)
        return kind

    def kill_web(self) -> None:
        self._up.kill("web")

    def kill_worker(self) -> None:
        self._up.kill("worker")

    def kill_postgres(self) -> None:
        assert self._up._process is not None
        for pid, command in _below(self._up._process.pid):
            words = command.split("\0")
            if Path(words[0]).name == "postgres" and "-D" in words:
                os.kill(pid, signal.SIGKILL)
                return

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
        filler.unlink()

    def read_only(self, folder: Path) -> None:
        """A store that takes nothing for some moments."""
        for _ in range(50):
            done = subprocess.run(["mount", "-o", "remount,ro", folder], capture_output=True, check=False)
            if done.returncode == 0:
                break
            time.sleep(0.02)  # something is being written just now
        time.sleep(self._chance.uniform(0.3, 1.2))
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)

    @property
    def staging(self) -> Path:
        return self._up.data / "staging"

    @property
    def store(self) -> Path:
        return self._up.data / "store"


_ACTIONS: dict[str, Callable[[Faults], None]] = {
    "web": Faults.kill_web,
    "worker": Faults.kill_worker,
    "postgres": Faults.kill_postgres,
    "all": Faults.kill_all,
    "staging full": lambda faults: faults.fill(faults.staging),
    "store full": lambda faults: faults.fill(faults.store),
    "store read-only": lambda faults: faults.read_only(faults.store),
}
