"""What the ledger costs, and what it can do: calls with and without it, lag, bulk, proofs, verification.

One PostgreSQL of its own, in one run. Calls are made by eight processes at once, in turns with the ledger and with one
that does nothing (`benchmarks.ledger_calls`); everything else is measured after them, on the rows that they left.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import machine

WRITERS = 8
SECONDS = 4.0
CALLS = ("accept", "flag", "view", "one INSERT")
_HERE = Path(__file__).parents[1]


def run(
    rounds: int = 5,
    events: int = 1_000_000,
    leaves: int = 10_000_000,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure. Throughputs are medians of `rounds`; `events` are verified, `leaves` stand in the tree of the proofs."""
    folder = Path(tempfile.mkdtemp(prefix="bluelamp-bench-ledger-"))
    (folder / "staging").mkdir()
    (folder / "instance.json").write_text(json.dumps({"demonstration": True, "instance": "bench"}))
    os.environ["BLUELAMP_DATA"] = str(folder)
    from bluelamp.cli.supervisor.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(folder, demonstration=True)
    server.start()
    try:
        os.environ["BLUELAMP_DATABASE_URL"] = server.url("app")
        os.environ["BLUELAMP_DATABASE_OWNER_URL"] = server.url("owner")
        subprocess.run([sys.executable, "-m", "benchmarks.ledger_calls", "migrate"], check=True, cwd=_HERE)
        figures: dict[str, Any] = {"machine": machine.describe(), "writers": WRITERS}
        figures["calls"] = {call: _call(call, rounds, tell) for call in CALLS}
        figures["sequencing_lag"] = _lag(server.url("owner"), tell)
        figures |= _events(events, server.url("owner"), tell)
        figures["proofs"] = _proofs(leaves, server.url("owner"), tell)
        return figures
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class _Writers:
    """Eight processes that wait for a word, then make one call for some seconds."""

    def __init__(self, call: str, ledger: bool) -> None:
        command = [sys.executable, "-m", "benchmarks.ledger_calls", "with" if ledger else "without", call]
        self.processes = [
            subprocess.Popen(command, cwd=_HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(WRITERS)
        ]

    def calls_a_second(self) -> float:
        for process in self.processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("A writer did not start.")
        begun = time.perf_counter()
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(f"{SECONDS}\n")
            process.stdin.flush()
        done = sum(int(process.communicate()[0]) for process in self.processes)
        return done / (time.perf_counter() - begun)


def _call(call: str, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    rates: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for ledger in (True, False) if number % 2 else (False, True):
            rates[ledger].append(_Writers(call, ledger).calls_a_second())
        tell(f"{call}, round {number + 1}: {rates[False][-1]:.0f}/s without, {rates[True][-1]:.0f}/s with the ledger")
    without, with_it = statistics.median(rates[False]), statistics.median(rates[True])
    return {
        "without_per_s": round(without),
        "with_per_s": round(with_it),
        "cost_percent": round(100 * (1 - with_it / without), 1),
    }


def _lag(url: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """From an event's time to the time of the first checkpoint over it, while eight write and the sequencer runs."""
    sequencer = subprocess.Popen([sys.executable, "-m", "benchmarks.ledger_calls", "sequence"], cwd=_HERE)
    try:
        with psycopg.connect(url, autocommit=True) as database:
            while database.execute("SELECT EXISTS (SELECT FROM custody_pending)").fetchone() == (True,):
                time.sleep(0.5)
            row = database.execute("SELECT coalesce(max(index), -1) FROM custody_leaf").fetchone()
            first = row[0] if row else -1
            writers = _Writers("view", ledger=True)
            rate = writers.calls_a_second()
            while database.execute("SELECT EXISTS (SELECT FROM custody_pending)").fetchone() == (True,):
                time.sleep(0.1)
            rows = database.execute(_LAGS, [first]).fetchall()
    finally:
        sequencer.terminate()
        sequencer.wait()
    lags = sorted(float(lag) for (lag,) in rows)
    found = {
        "events": len(lags),
        "events_per_s": round(rate),
        "p50_s": round(lags[len(lags) // 2], 3),
        "p99_s": round(lags[int(len(lags) * 0.99)], 3),
        "longest_s": round(lags[-1], 3),
    }
    tell(f"sequencing lag: {found}")
    return found


_LAGS = """
SELECT extract(epoch FROM c.created_at - e.at) FROM custody_leaf l JOIN custody_event e ON e.id = l.event_id
CROSS JOIN LATERAL (SELECT created_at FROM custody_checkpoint WHERE size > l.index ORDER BY size LIMIT 1) c
WHERE l.index > %s
"""


def _apart(what: str, count: int) -> dict[str, Any]:
    """What one thing of `benchmarks.ledger_calls` measures, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ledger_calls", what, str(count)]
    result = subprocess.run(command, cwd=_HERE, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _events(events: int, url: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Bulk appends, sequencing and verification."""
    found = _apart("bulk", events)
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE")
        sizes = database.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND relname LIKE 'custody_%'"
        ).fetchone()
        count = database.execute("SELECT count(*) FROM custody_event").fetchone()
    if sizes and count:
        found["bytes_per_event_with_indexes"] = round(sizes[0] / count[0])
    tell(f"bulk and verification: {found}")
    return found


def _proofs(leaves: int, url: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Fill the tree up to `leaves` with entries that say nothing, then make inclusion proofs of random leaves."""
    begun = time.perf_counter()
    _fill(leaves, url)
    tell(f"a tree of {leaves:,} leaves was filled in {time.perf_counter() - begun:.0f} s")
    found = _apart("prove", leaves)
    tell(f"proofs: {found}")
    return found


def _fill(leaves: int, url: str) -> None:
    from bluelamp.formats import merkle, tiles

    with psycopg.connect(url) as database:
        row = database.execute("SELECT count(*), coalesce(max(event_id), 0) FROM custody_leaf").fetchone()
        had, last = row or (0, 0)
        database.execute(
            "INSERT INTO custody_event (id, entry, tag, at) "
            "SELECT %(last)s + n, sha256(int8send(n)), 'bench.filled', now() FROM generate_series(1, %(more)s) n",
            {"last": last, "more": leaves - had},
        )
        database.execute(
            "INSERT INTO custody_leaf (index, event_id) "
            "SELECT %(had)s + n - 1, %(last)s + n FROM generate_series(1, %(more)s) n",
            {"had": had, "last": last, "more": leaves - had},
        )
        database.execute("ALTER TABLE custody_tile DISABLE TRIGGER USER")
        database.execute("DELETE FROM custody_tile")
        level, hashes = 0, _leaf_hashes(database, leaves)
        with database.cursor().copy("COPY custody_tile (level, index, hashes, root) FROM STDIN") as copy:
            while len(hashes) >= tiles.WIDTH:
                above = []
                for index in range(len(hashes) // tiles.WIDTH):
                    row_of = hashes[index * tiles.WIDTH : (index + 1) * tiles.WIDTH]
                    above.append(merkle.root(row_of))
                    copy.write_row((level, index, b"".join(row_of), above[-1]))
                level, hashes = level + 1, above
        database.execute("ALTER TABLE custody_tile ENABLE TRIGGER USER")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE custody_leaf, custody_event, custody_tile")


def _leaf_hashes(database: psycopg.Connection[Any], leaves: int) -> list[bytes]:
    found: list[bytes] = []
    with database.cursor(name="entries", binary=True) as cursor:
        cursor.itersize = 50_000
        cursor.execute("SELECT e.entry FROM custody_leaf l JOIN custody_event e ON e.id = l.event_id ORDER BY l.index")
        sha256 = hashlib.sha256
        for (entry,) in cursor:
            found.append(sha256(b"\0" + entry).digest())
    return found[:leaves]
