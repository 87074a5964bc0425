"""Cameras record and are docked: real files over the real protocols."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bluelamp.camera.device import Device
from bluelamp.camera.dock import DockClient
from bluelamp.camera.spec import RecordingSpec
from bluelamp.cli.demo.force import Force

PRE_EVENT_SECONDS = 5


@dataclass(frozen=True)
class Docked:
    """What came of one camera's docking."""

    serial: str
    recorded: int
    uploaded: int
    receipts: int
    left_on_device: int
    problems: tuple[str, ...]


def plan(
    force: Force, now: datetime, each: int, seconds: float, seed: int = 0
) -> list[tuple[int, list[RecordingSpec]]]:
    """For each camera what it records: `each` recordings over the last day, the first 720p or 1080p in turn."""
    plans = []
    for number, (_, _, (lat, lon)) in enumerate(force.wearers):
        specs = []
        for turn in range(each):
            start = now - timedelta(hours=20 - 6 * turn, minutes=7 * number)
            specs.append(
                RecordingSpec(
                    started_at=start,
                    seconds=seconds,
                    pre_event_seconds=min(PRE_EVENT_SECONDS, int(seconds // 2)),
                    size="1080p" if number == 0 and turn == 0 else "720p",
                    seed=seed + 100 * number + turn,
                    markers=(seconds * 0.7,),
                    mutes=((seconds * 0.8, seconds * 0.9),) if number % 4 == 1 else (),
                    stealths=((seconds * 0.6, seconds * 0.9),) if number == 11 else (),
                    lat=lat,
                    lon=lon,
                    told=None if number % 5 == 4 else number % 3 != 2,
                )
            )
        plans.append((number, specs))
    return plans


def run(
    force: Force,
    devices: Path,
    plans: list[tuple[int, list[RecordingSpec]]],
    server: str,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
) -> list[Docked]:
    """Record with two processes and dock each camera as soon as it is done; returns when all are docked."""
    devices.mkdir(mode=0o700, parents=True, exist_ok=True)
    results: list[Docked] = []
    lock = threading.Lock()

    def dock(serial: str, recorded: int) -> Docked:
        result = DockClient(server, force.dock_token, clock).dock(devices / serial)
        docked = Docked(
            serial,
            recorded,
            len(result.uploaded),
            len(result.receipts_verified),
            len(Device.open(devices / serial).inventory()),
            tuple(str(problem) for problem in result.problems),
        )
        with lock:
            results.append(docked)
            left = f"{docked.left_on_device} left on the camera" if docked.left_on_device else "camera empty"
            say(f"  {serial}: {docked.uploaded} uploaded, {docked.receipts} receipts verified, {left}")
        return docked

    with ProcessPoolExecutor(2) as recorders, ThreadPoolExecutor(4) as docks:
        recordings: dict[Future[int], str] = {}
        for number, specs in plans:
            camera = force.wearers[number][0]
            job = recorders.submit(_record, devices / camera.serial, camera.serial, camera.model, camera.mount, specs)
            recordings[job] = camera.serial
        dockings = [docks.submit(dock, recordings[job], job.result()) for job in as_completed(recordings)]
        for docking in dockings:
            docking.result()
    return results


def _record(folder: Path, serial: str, model: str, mount: str, specs: list[RecordingSpec]) -> int:
    """In a process of its own: one camera's recordings, one after the other. Returns how many files it made."""
    device = Device.open(folder, serial=serial, model=model, mount=mount)
    return sum(len(device.record(spec)) for spec in specs)


def files(folder: Path) -> Iterator[Path]:
    """Every file below a folder."""
    return (path for path in folder.rglob("*") if path.is_file())
