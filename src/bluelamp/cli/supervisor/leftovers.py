"""Processes and lock files that an earlier, killed PostgreSQL of the same cluster may have left.

Called only while the cluster's lock is held, so whatever is still running has lost its supervisor. A process id found
in `postmaster.pid` proves nothing (after a restart it may be anybody's); processes are told by their user and by what
they call themselves, which `ps` and `/proc/<pid>/cmdline` show to everybody.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from bluelamp.cli.supervisor.cluster import Cluster
from bluelamp.kernel.errors import Busy

_SHUTDOWN_SECONDS = 10.0  # a fast shutdown, which a postmaster without a supervisor is asked for
_ORPHAN_SECONDS = 1.0  # backends without a postmaster end by themselves, unless a query keeps them busy
_QUIT_SECONDS = 5.0


def clear(cluster: Cluster, say: Callable[[str], None]) -> None:
    """End what is left of an earlier run of `cluster` and remove its lock files.

    Raises Busy when a process cannot be ended: starting beside it could corrupt the database.
    """
    pids = processes(cluster)
    if pids:
        say("ending what an earlier run of PostgreSQL left behind")
        pids = _end(cluster, pids)
    if pids:
        raise Busy(
            f"PostgreSQL processes of an earlier run do not end (process {', '.join(map(str, pids))}).",
            "Nothing acknowledged is lost; the database was not started beside them.",
            "Wait for them, or restart the machine, then start Bluelamp again.",
        )
    # PostgreSQL would believe a process id in these that has been given to another process since. Its second check,
    # for shared memory still in use, does not need them.
    for stale in (cluster.data / "postmaster.pid", cluster.sockets / ".s.PGSQL.5432.lock"):
        stale.unlink(missing_ok=True)


def _end(cluster: Cluster, pids: list[int]) -> list[int]:
    """End these processes of the cluster, ever more firmly; returns those that remain."""
    postmaster = _recorded_postmaster(cluster)
    if postmaster in pids:
        # To the postmaster only: to its children SIGINT means other things (the checkpointer would begin too early
        # with what belongs to the end of a shutdown).
        _send(postmaster, signal.SIGINT)
        pids = _wait_until_gone(cluster, _SHUTDOWN_SECONDS)
    else:
        pids = _wait_until_gone(cluster, _ORPHAN_SECONDS)
    for stop_signal in (signal.SIGQUIT, signal.SIGKILL):
        for pid in pids:
            _send(pid, stop_signal)
        pids = _wait_until_gone(cluster, _QUIT_SECONDS) if pids else []
    return pids


def processes(cluster: Cluster) -> list[int]:
    """Ids of all processes of the cluster: postmaster and backends."""
    title = f"postgres: {cluster.name}: ".encode()
    argument = b"--config_file=" + os.fsencode(cluster.folder / "postgresql.conf")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if entry.stat().st_uid != cluster.uid:
                continue
            command = (entry / "cmdline").read_bytes()
        except OSError:  # ended meanwhile
            continue
        program, *arguments = command.split(b"\0")
        if command.startswith(title) or (program.endswith(b"/postgres") and argument in arguments):
            found.append(int(entry.name))
    return found


def _recorded_postmaster(cluster: Cluster) -> int | None:
    try:
        return int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _wait_until_gone(cluster: Cluster, seconds: float) -> list[int]:
    until = time.monotonic() + seconds
    while (pids := processes(cluster)) and time.monotonic() < until:
        time.sleep(0.02)
    return pids


def _send(pid: int, stop_signal: signal.Signals) -> None:
    try:
        os.kill(pid, stop_signal)
    except ProcessLookupError:
        pass
