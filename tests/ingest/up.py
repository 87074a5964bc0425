"""A real `bluelamp up` that can be killed without warning, and looked at from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import psycopg
from benchmarks.certificate import Certificate

from tests.ports import free_port

BLUELAMP = Path(sys.executable).with_name("bluelamp")


class Up:
    """Runs on a data folder of its own; `start` may be called again after a `kill`."""

    def __init__(self, data: Path, tls: Certificate | None = None, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self._context = tls.context() if tls else None
        if tls:
            environment |= {"BLUELAMP_TLS_CERTIFICATE": str(tls.certificate), "BLUELAMP_TLS_KEY": str(tls.key)}
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
        self._environment.update(environment, BLUELAMP_DATA=str(data))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [BLUELAMP, "up", "--data", self.data, "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.wait_ready()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Until /readyz says so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self._process is not None
            assert self._process.poll() is None, "bluelamp up ended"
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2, context=self._context) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("bluelamp up did not become ready")

    def pid(self, role: str) -> int | None:
        """The process id of "web" or "worker"; None while there is none."""
        assert self._process is not None
        for pid, command in _below(self._process.pid):
            if role in command.split("\0") and "bluelamp" in command:
                return pid
        return None

    def kill(self, role: str | None = None) -> None:
        """kill -9: of one process, which is then started again, or of everything at once, database included."""
        assert self._process is not None
        if role is not None:
            pid = self.pid(role)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            return
        pids = [self._process.pid, *(pid for pid, _ in _below(self._process.pid))]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    @staticmethod
    def resident_bytes(pid: int) -> int:
        """How much memory a process holds now."""
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def dock_token(self, *serials: str) -> str:
        """Registers cameras and adds a dock."""
        return self._run(*serials)

    def prepare(self, recording: uuid.UUID) -> None:
        """Prepares a recording as the periodic job does with one whose job a crash took along, only sooner."""
        self._run("--prepare", str(recording))

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "tests.ingest.force", *arguments]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, env=self._environment, cwd=root, check=True, capture_output=True, text=True)
        return done.stdout.strip().rpartition("\n")[2]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query of the database answers; nothing while it does not answer."""
        try:
            url = json.loads((self.data / "run" / "database.json").read_text())["app"]
            with psycopg.connect(url, connect_timeout=5) as connection:
                return connection.execute(sql, values).fetchall()
        except (OSError, ValueError, KeyError, psycopg.Error):
            return []


def demonstration(data: Path) -> Path:
    """A new data folder whose database goes with it."""
    data.mkdir(mode=0o700)
    (data / "instance.json").write_text(json.dumps({"demonstration": True, "instance": str(uuid.uuid4())}))
    return data


def _below(pid: int) -> list[tuple[int, str]]:
    """All descendants of a process: id and command line."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            waiting.append(child)
            try:
                found.append((child, (Path("/proc") / str(child) / "cmdline").read_text()))
            except OSError:
                continue
    return found
