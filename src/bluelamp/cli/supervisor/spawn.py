"""Command lines for children that do not outlive the supervisor."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")


def guarded(
    command: Sequence[str | Path], death_signal: signal.Signals, user: tuple[int, int] | None = None
) -> list[str]:
    """`command`, wrapped so that it gets `death_signal` when this process ends and runs as `user` (uid, gid).

    Start it from a thread that lives longer than the child: Linux counts the end of the forking *thread* as the
    parent's death (prctl(2), PR_SET_PDEATHSIG).
    """
    uid, gid = user or (-1, -1)
    numbers = (os.getpid(), int(death_signal), uid, gid)
    return [sys.executable, "-I", "-S", str(_GUARD), *map(str, numbers), *map(str, command)]
