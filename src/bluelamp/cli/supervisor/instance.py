"""The data folder: its identity in `instance.json`, and the lock of the one `bluelamp up` that may use it."""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bluelamp.kernel.errors import Conflict


@dataclass(frozen=True)
class Instance:
    """An installation: its data folder (absolute), its id, and whether it is a demonstration."""

    data: Path
    id: str
    demonstration: bool
    cluster: str | None
    """Id of the embedded PostgreSQL cluster, once there is one."""

    def with_cluster(self, cluster: str) -> Instance:
        """Remember the cluster's id, durably."""
        content = read_json(self.data / "instance.json") | {"cluster": cluster}
        write_json(self.data / "instance.json", content)
        return open_instance(self.data)


def open_instance(data: Path, demonstration: bool | None = None) -> Instance:
    """The instance of the folder `data`, made when there is none yet (closed to other users).

    Raises Conflict when `demonstration` is given and the folder was made for the other purpose: a demonstration's
    clock can be moved, so it must never meet real footage.
    """
    data = data.expanduser().resolve()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("run", "logs"):
        (data / name).mkdir(mode=0o700, exist_ok=True)
    path = data / "instance.json"
    if not path.exists():
        write_json(path, {"instance": str(uuid.uuid4()), "demonstration": bool(demonstration)})
    content = read_json(path)
    if "instance" not in content:
        raise Conflict(
            f"{path} cannot be read as what Bluelamp wrote there.",
            "Nothing was started and no footage was touched.",
            "Restore that file from a backup; without it the database of this folder cannot be told.",
        )
    found = bool(content.get("demonstration", False))
    if demonstration is not None and found != demonstration:
        kind = "a demonstration" if found else "real use"
        raise Conflict(
            f"The data folder {data} was made for {kind}.",
            "Demonstration and real footage never share a folder, so nothing was started.",
            "Choose another folder with --data.",
        )
    return Instance(data, str(content["instance"]), found, content.get("cluster"))


class DataLock:
    """Held by the one `bluelamp up` of a data folder; released when that process ends, however it ends."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._path = data / "run" / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock. Raises Conflict, naming the process and the address, while another holds it."""
        file = os.fdopen(_private(str(self._path), os.O_RDWR | os.O_CREAT), "r+")
        if not _lock(file):
            file.seek(0)
            holder = _parse(file.read())
            file.close()
            who = f"process {holder['pid']}" if "pid" in holder else "another process"
            where = f" at {holder['address']}" if holder.get("address") else ""
            stop = f"kill {holder['pid']}" if "pid" in holder else "Ctrl+C in its terminal"
            raise Conflict(
                f"Bluelamp already runs on {self._data}: {who}{where}.",
                "That one goes on undisturbed.",
                f"Use it, or stop it first ({stop}), or choose another folder with --data.",
            )
        self._file = file
        self.describe(pid=os.getpid())

    def describe(self, **facts: Any) -> None:
        """Write who holds the lock and where it answers, for whoever is refused."""
        assert self._file is not None, "the lock is not held"
        self._file.seek(0)
        self._file.truncate()
        json.dump(facts, self._file)
        self._file.flush()

    def release(self) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def holder(data: Path) -> dict[str, Any] | None:
    """Who runs Bluelamp on this data folder (`pid`, `address`), or None when nobody does."""
    try:
        with open(data / "run" / "lock") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _parse(file.read())
    except OSError:
        pass
    return None


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; an empty one where there is none."""
    try:
        return _parse(path.read_text())
    except OSError:
        return {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` (mode 0600) as a whole and durably."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(aside, "w", opener=_private) as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _lock(file: IO[str]) -> bool:
    for _ in range(3):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.05)  # `holder` below takes the lock for an instant, to look
    return False


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _parse(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
