"""What this machine is and can do, and what a process and its children have used of it."""

from __future__ import annotations

import hashlib
import mmap
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def describe() -> dict[str, str]:
    """The machine in words, for whoever compares figures later."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def descendants(pid: int) -> set[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, waiting = {pid}, [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all below it so far, those that have ended included where they were waited for."""
    total = 0.0
    for one in descendants(pid):
        try:
            fields = (Path("/proc") / str(one) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[index]) for index in (11, 12, 13, 14)) / _TICKS
    return total


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now."""
    for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def sha256_bytes_a_second(seconds: float = 1.0) -> float:
    """How fast one core of this machine hashes, in 1 MiB blocks."""
    block = os.urandom(1024 * 1024)
    digest = hashlib.sha256()
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        digest.update(block)
        count += 1
    return count * len(block) / (time.perf_counter() - began)


def seconds_to_write(folder: Path, files: int, size: int) -> float:
    """How long the disk takes for so many files at once, each of `size` bytes, past the page cache and made durable.

    Each file has one block of 1 MiB under way at a time; several would be faster still.
    """
    block = mmap.mmap(-1, 1024 * 1024)
    block.write(os.urandom(len(block)))

    def write(path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_DIRECT", 0), 0o600)
        try:
            for _ in range(0, size, len(block)):
                if os.write(descriptor, block) != len(block):
                    raise OSError(f"The disk took only a part of a block of {path}.")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    paths = [folder / f"limit-{number}" for number in range(files)]
    try:
        began = time.perf_counter()
        with ThreadPoolExecutor(files) as pool:
            list(pool.map(write, paths))
        return time.perf_counter() - began
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def warm_memory(folder: Path, size: int) -> None:
    """Fill and free `size` bytes of page cache, and let the disk come to rest.

    A virtual machine that hands free memory back to its host pays for it again at the next touch: 2 s a GiB were
    measured, against 0.25 s for a page that is still there. Without this, whoever comes second after a pause is slower.
    """
    scratch = folder / "warm"
    block = bytes(4 * 1024 * 1024)
    os.sync()
    with open(scratch, "wb") as file:
        for _ in range(0, size, len(block)):
            file.write(block)
    scratch.unlink()
