"""The parties that watch a log, as real processes: a witness that listens, and a monitor that looks once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMAND = [sys.executable, "-P", "-m", "bluelamp.cli.main"]
NAME = "witness.example/w1"


@dataclass(frozen=True)
class Listening:
    """A witness process: where it listens, and its key."""

    url: str
    vkey: str
    process: subprocess.Popen[str]


@contextmanager
def witness(data: Path, log_vkeys: Sequence[str], *, name: str = NAME, port: int = 0) -> Iterator[Listening]:
    """`bluelamp witness` on a port of the loopback, any free one by default; ended at the end."""
    logs = [part for vkey in log_vkeys for part in ("--log", vkey)]
    process = subprocess.Popen(
        [*_COMMAND, "witness", "--data", str(data), "--name", name, "--port", str(port), *logs],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(),
    )
    try:
        assert process.stdout is not None
        found = re.search(r" at (http://\S+)", process.stdout.readline())
        key = re.search(r": (\S+\+\S+)$", process.stdout.readline())
        assert found, "the witness did not start"
        assert key, "the witness did not say its key"
        yield Listening(found[1], key[1], process)
    finally:
        process.kill()
        process.wait()


def bluelamp(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The `bluelamp` command."""
    return subprocess.run(
        [*_COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=_environment()
    )


def monitor(url: str, key: str, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """`bluelamp verify --follow URL --once`: its exit code and what it found.

    Its short interval is what it waits before it takes a smaller checkpoint for a rollback.
    """
    done = bluelamp("verify", "--follow", url, "--key", key, "--once", "--every", "0.01", "--json", *arguments)
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)


def _environment() -> dict[str, str]:
    """Nothing of the force's: a witness and a monitor have no database and no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BLUELAMP_", "DJANGO_"))}
    return {**kept, "PYTHONUNBUFFERED": "1"}
