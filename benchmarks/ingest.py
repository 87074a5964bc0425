"""Uploads of recordings: Bluelamp beside servers that only store, and beside this machine's own limits.

One run, one machine, the same client and files; rounds are interleaved, so that what else the machine does meets all
alike. Bluelamp authorises, hashes, seals, syncs and enters each recording in the ledger before it answers; the peers
neither hash nor encrypt nor sync. Each round ends with the same bytes written to the disk alone and made durable, one
block at a time for each file: what the disk does for somebody who waits for each, not the most that it can do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import certificate, machine, transfer
from benchmarks.servers import Bluelamp, Nginx, Server, TusNode, require_peers

MIB = 1024 * 1024
PEER = TusNode.name
DISK = "the disk alone, direct and synced"


@dataclass
class Figures:
    """One server's rounds of one load: MB/s, and CPU seconds a GB of the server (none for the disk itself)."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        return {
            "mb_per_s": round(statistics.median(self.rates), 1),
            "lowest": round(min(self.rates), 1),
            "highest": round(max(self.rates), 1),
            **({"cpu_s_per_gb": round(statistics.median(self.cpu), 2)} if self.cpu else {}),
        }


@dataclass(frozen=True)
class Load:
    """How many files at once, of which size in bytes."""

    name: str
    files: int
    size: int


LOADS = (Load("one 2 GiB", 1, 2048 * MIB), Load("eight 256 MiB at once", 8, 256 * MIB))


def run(
    rounds: int = 5,
    loads: Sequence[Load] = LOADS,
    tell: Callable[[str], None] = lambda line: None,
    *,
    tls: bool = False,
) -> dict[str, Any]:
    """Measure; MB/s are 10^6 bytes a second from the first request of a round to the last answer (a median each).

    Raises Invalid where a peer is not installed, Failed.
    """
    require_peers()
    folder = Path(tempfile.mkdtemp(prefix="bluelamp-bench-"))
    secured = certificate.make(folder) if tls else None
    figures: dict[str, dict[str, Figures]] = {}
    servers: list[Server] = []
    try:
        servers.append(Bluelamp(folder / "bluelamp", secured))
        servers.append(Bluelamp(folder / "bluelamp-no-fsync", secured, fsync=False))
        servers.append(TusNode(folder / "tus", secured))
        servers.append(Nginx(folder / "nginx", secured))
        for load in loads:
            files, sha256 = _files(folder / load.name.replace(" ", "-"), load)
            by_server = figures[load.name] = {name: Figures() for name in (*(each.name for each in servers), DISK)}
            for number in range(rounds):
                turn = number % len(servers)
                for server in servers[turn:] + servers[:turn]:
                    rate, cpu = _round(server, load, files, sha256)
                    by_server[server.name].rates.append(rate)
                    by_server[server.name].cpu.append(cpu)
                    tell(f"{load.name}, round {number + 1}: {server.name} {rate:.0f} MB/s, {cpu:.2f} CPU s/GB")
                os.sync()
                rate = load.files * load.size / machine.seconds_to_write(folder, load.files, load.size) / 1e6
                by_server[DISK].rates.append(rate)
                tell(f"{load.name}, round {number + 1}: {DISK} {rate:.0f} MB/s")
            shutil.rmtree(files[0].parent)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {**_report(figures), "tls": tls}


def _round(server: Server, load: Load, files: list[Path], sha256: dict[Path, str]) -> tuple[float, float]:
    prepared = server.prepare(files, sha256)
    machine.warm_memory(server.folder, load.files * load.size)
    cpu = machine.cpu_seconds(server.process.pid)
    began = time.perf_counter()
    with ThreadPoolExecutor(load.files) as pool:
        for done in [pool.submit(server.upload, one) for one in prepared]:
            done.result()
    seconds = time.perf_counter() - began
    used = machine.cpu_seconds(server.process.pid) - cpu
    size = load.files * load.size
    server.tidy()
    return size / seconds / 1e6, used / (size / 1e9)


def _files(folder: Path, load: Load) -> tuple[list[Path], dict[Path, str]]:
    folder.mkdir()
    files = [folder / str(number) for number in range(load.files)]
    for path in files:
        transfer.make_file(path, load.size)
    sha256 = {}
    for path in files:
        with open(path, "rb") as content:
            sha256[path] = hashlib.file_digest(content, "sha256").hexdigest()
    return files, sha256


def _report(figures: dict[str, dict[str, Figures]]) -> dict[str, Any]:
    report: dict[str, Any] = {
        "machine": machine.describe(),
        "sha256_mb_per_s_a_core": round(machine.sha256_bytes_a_second() / 1e6),
        "loads": {},
    }
    for load, by_server in figures.items():
        rows = {name: found.summary() for name, found in by_server.items()}
        for row in rows.values():
            row["times_the_peer"] = round(row["mb_per_s"] / rows[PEER]["mb_per_s"], 2)
            row["of_the_disk"] = round(row["mb_per_s"] / rows[DISK]["mb_per_s"], 2)
        report["loads"][load] = rows
    return report
