"""The sweep of footage that is due, beside a plain SQL DELETE of the same rows, with people searching and holding.

One PostgreSQL of its own, in one run. The rows are copied to a second database first, and deleted there by plain SQL;
then the real sweep takes them: into quarantine, and, as two days later, out for good, with events, keys and
certificates. Meanwhile one process searches, and one places holds on what is being swept
(`benchmarks.retention_calls`). In the end it takes some that have objects in the store, which the others lack.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks import machine

SECONDS_IDLE = 20
WITH_OBJECTS = 2000  # more recordings, whose masters, posters and viewing copies stand in the store
_HERE = Path(__file__).parents[1]


def run(recordings: int = 20_000, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Measure with so many recordings due, and a quarter as many that are not."""
    folder = Path(tempfile.mkdtemp(prefix="bluelamp-bench-retention-"))
    (folder / "staging").mkdir()
    (folder / "instance.json").write_text(json.dumps({"demonstration": True, "instance": "bench"}))
    os.environ["BLUELAMP_DATA"] = str(folder)
    from bluelamp.cli.supervisor.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(folder, demonstration=True)
    server.start()
    try:
        os.environ["BLUELAMP_DATABASE_URL"] = server.url("app")
        os.environ["BLUELAMP_DATABASE_OWNER_URL"] = server.url("owner")
        filled = _call("fill", recordings, WITH_OBJECTS)
        tell(f"{recordings:,} recordings are due, {recordings // 4:,} are not; filled in {filled['seconds']} s")
        figures: dict[str, Any] = {"machine": machine.describe(), "recordings": recordings}
        figures["plain_delete"] = plain = _plain_delete(server)
        tell(f"plain DELETE: {plain}")
        figures["search_idle"] = idle = _search_idle()
        tell(f"searches, nothing else to do: {idle}")
        figures |= _sweeps(recordings, tell)
        figures["times_as_long_as_plain_delete"] = round(plain["per_s"] / figures["sweep"]["per_s"], 2)
        return figures
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _command(what: str, *given: object) -> list[str]:
    return [sys.executable, "-m", "benchmarks.retention_calls", what, *map(str, given)]


def _call(what: str, *given: object) -> dict[str, Any]:
    """What one thing of `benchmarks.retention_calls` answers, in a process of its own."""
    done = subprocess.run(_command(what, *given), cwd=_HERE, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class _Beside:
    """A process that goes on until it is asked what it found."""

    def __init__(self, what: str) -> None:
        self._process = subprocess.Popen(
            _command(what), cwd=_HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{what} did not start")

    def found(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._process.communicate()[0])
        return answer


def _plain_delete(server: Any) -> dict[str, Any]:
    """The rows of the recordings that are due and of what was made of them, deleted in a copy of the database."""
    with psycopg.connect(server.url("admin"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE peer TEMPLATE bluelamp OWNER bluelamp_owner STRATEGY file_copy")
    with psycopg.connect(make_conninfo(server.url("admin"), dbname="peer"), autocommit=True) as peer:
        peer.execute("VACUUM ANALYZE")
        peer.execute("CHECKPOINT")
        begun = time.perf_counter()
        with peer.transaction():
            peer.execute(
                "CREATE TEMP TABLE due ON COMMIT DROP AS SELECT id FROM footage_recording WHERE due_at < now()"
            )
            for table in ("footage_derivative", "oversight_fixity"):
                peer.execute(f"DELETE FROM {table} USING due WHERE recording_id = due.id")
            count = peer.execute("DELETE FROM footage_recording USING due WHERE footage_recording.id = due.id").rowcount
        seconds = time.perf_counter() - begun
    with psycopg.connect(server.url("admin"), autocommit=True) as admin:
        admin.execute("DROP DATABASE peer WITH (FORCE)")
        admin.execute("CHECKPOINT")
    return {"recordings": count, "seconds": round(seconds, 2), "per_s": round(count / seconds)}


def _search_idle() -> dict[str, Any]:
    searching = _Beside("search")
    time.sleep(SECONDS_IDLE)
    return searching.found()


def _sweeps(recordings: int, tell: Callable[[str], None]) -> dict[str, Any]:
    searching, holding = _Beside("search"), _Beside("hold")
    parts = {}
    for name, hours in (("quarantine", -48), ("deletion", 0)):
        parts[name] = part = _call("sweep", hours)
        part["per_s"] = round((part["quarantined"] if hours else part["deleted"]) / part["seconds"])
        tell(f"{name}: {part}")
    searches, holds = searching.found(), holding.found()
    with_objects = _call("sweep", 3)
    with_objects["per_s"] = round(with_objects["deleted"] / with_objects["seconds"])
    tell(f"deletion of recordings with three objects each: {with_objects}")
    tell(f"searches beside it: {searches}")
    tell(f"holds beside it: {holds}")
    left = _call("left")
    gone = parts["deletion"]["deleted"] + with_objects["deleted"]
    if any(left.values()) or gone + holds["held"] != recordings + WITH_OBJECTS:
        raise RuntimeError(f"The sweep did not do its work: {left}, {parts}, {holds}")
    seconds = sum(part["seconds"] for part in parts.values())
    return {
        **parts,
        "sweep": {"seconds": round(seconds, 2), "per_s": round(parts["deletion"]["deleted"] / seconds)},
        "search_beside": searches,
        "hold_beside": holds,
        "deletion_with_objects": with_objects,
    }


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.retention [RECORDINGS]`."""
    print(json.dumps(run(*map(int, arguments), tell=print), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
