"""`bluelamp up`, for root as for an ordinary user (`test_ordinary_user.py` runs this file as one)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bluelamp.cli.supervisor import leftovers
from bluelamp.cli.supervisor.cluster import open_cluster
from bluelamp.cli.supervisor.instance import open_instance, read_json

pytestmark = pytest.mark.server

_COMMAND = [sys.executable, "-P", "-m", "bluelamp.cli.main"]


class Up:
    """A running `bluelamp up`."""

    def __init__(self, data: Path, port: int = 0, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
        self.data = data
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*_COMMAND, "up", "--data", str(data), "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**clean, **environment},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def ready(self, seconds: float = 60) -> float:
        """Wait until it says so; returns the seconds that it says it took."""
        wait_for(lambda: "Ready after" in self.output or self.process.poll() is not None, seconds)
        found = re.search(r"Ready after ([\d.]+) s", self.output)
        assert found, self.output
        return float(found[1])

    @property
    def port(self) -> int:
        return int(read_json(self.data / "run" / "lock")["address"].rpartition(":")[2])

    def status(self, path: str = "/readyz") -> int:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=60)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def child(self, name: str) -> int:
        """The process id of `web` or `worker`."""
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
        raise AssertionError(f"no {name} among the children")

    def stop(self) -> float:
        """SIGTERM; returns the seconds until it ended."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(30)
        return time.monotonic() - began


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(entry.name)] = int(fields[1])
    found, grown = {pid}, True
    while grown:
        grown = bool(new := {child for child, parent in parents.items() if parent in found} - found)
        found |= new
    return sorted(found - {pid})


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and pid in descendants(1)]


@pytest.fixture
def start(kept_data: Path) -> Iterator[Callable[..., Up]]:
    """Starts `bluelamp up` on a folder that the tests of this module use one after the other."""
    with starting(kept_data) as begin:
        yield begin


@pytest.fixture
def start_anew(data: Path) -> Iterator[Callable[..., Up]]:
    """Starts it on a folder of the test's own."""
    with starting(data) as begin:
        yield begin


@contextlib.contextmanager
def starting(data: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []
    open_instance(data, demonstration=True)

    def begin(**environment: str) -> Up:
        started.append(Up(data, **environment))
        return started[-1]

    yield begin
    for up in started:
        if up.process.poll() is None:
            up.stop()


def test_it_serves_refuses_a_second_and_stops_within_five_seconds_leaving_nothing(start: Callable[..., Up]) -> None:
    up = start()
    up.ready()
    assert up.status() == 200

    second = start()
    assert second.process.wait(20) == 6
    wait_for(lambda: second.output)
    assert f"process {up.process.pid}" in second.output
    assert f"http://localhost:{up.port}" in second.output
    assert up.status() == 200

    everything = descendants(up.process.pid)
    waiting = socket.create_connection(("localhost", up.port))
    waiting.sendall(b"GET / HTTP/1.1\r\n")  # a client that never finishes what it says
    assert up.stop() < 5
    waiting.close()
    assert up.process.returncode == 0
    assert alive(everything) == []
    assert leftovers.processes(open_cluster(open_instance(up.data))) == []
    assert "PostgreSQL" in up.output
    assert str(up.data) in up.output


def test_web_and_worker_know_neither_the_owner_nor_more_than_they_need(start: Callable[..., Up]) -> None:
    up = start()
    up.ready()
    for name in ("web", "worker"):
        environment = Path(f"/proc/{up.child(name)}/environ").read_bytes()
        assert b"bluelamp_app@" in environment
        assert b"bluelamp_owner" not in environment
    urls = read_json(up.data / "run" / "database.json")
    with psycopg.connect(urls["app"], autocommit=True) as connection:
        for forbidden in (
            "DELETE FROM custody_event",
            "UPDATE custody_detail SET stored = ''",
            "TRUNCATE custody_leaf",
            "DELETE FROM django_migrations",
            "CREATE TABLE mine (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
    up.stop()
    for log in (up.data / "logs").glob("*.log"):
        for line in log.read_text().splitlines():
            assert isinstance(json.loads(line), dict)


def test_after_a_kill_nothing_runs_on_and_the_next_start_works_without_migrating_again(
    start: Callable[..., Up],
) -> None:
    up = start()
    up.ready()
    everything, port = descendants(up.process.pid), up.port
    migrated = (up.data / "logs" / "migrate.log").read_text()
    up.process.send_signal(signal.SIGKILL)
    up.process.wait()
    wait_for(lambda: alive(everything) == [])

    again = start(port=port)
    again.ready()
    assert again.port == port
    assert again.status() == 200
    assert (up.data / "logs" / "migrate.log").read_text() == migrated


def test_a_killed_database_comes_back(start: Callable[..., Up]) -> None:
    up = start()
    up.ready()
    cluster = open_cluster(open_instance(up.data))
    postmaster = int((cluster.data / "postmaster.pid").read_text().split("\n")[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_for(lambda: "postgres: ended with SIGKILL" in up.output)
    wait_for(lambda: up.status() == 200)
    assert postmaster not in leftovers.processes(cluster)


def test_no_connection_is_refused_while_a_killed_web_process_comes_back(start: Callable[..., Up]) -> None:
    up = start()
    up.ready()
    web = up.child("web")
    os.kill(web, signal.SIGKILL)
    assert up.status() == 200  # waits in the listening socket, which the supervisor holds
    assert up.child("web") != web


@pytest.mark.soak  # a time, which says something only on a machine that has nothing else to do
def test_it_starts_within_ten_seconds_cold_and_four_warm(start_anew: Callable[..., Up]) -> None:
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("this machine is busy with other work; a time would say nothing")
    cold = start_anew()
    assert cold.ready() < 10
    cold.stop()
    seconds = []
    for _ in range(3):
        warm = start_anew()
        seconds.append(warm.ready())
        warm.stop()
    assert min(seconds) < 4


def test_with_a_database_of_its_own_it_starts_none(start_anew: Callable[..., Up], tmp_path: Path) -> None:
    from bluelamp.cli.supervisor.postgres import EmbeddedPostgres

    with EmbeddedPostgres(tmp_path / "elsewhere", demonstration=True) as elsewhere:
        up = start_anew(
            BLUELAMP_DATABASE_URL=elsewhere.url("app"),
            BLUELAMP_DATABASE_OWNER_URL=elsewhere.url("owner"),
            BLUELAMP_WEB_PROCESSES="2",
        )
        up.ready()
        assert up.status() == 200
        assert "web-2" in up.output
        assert open_instance(up.data).cluster is None
        assert up.stop() < 5


def test_a_database_that_cannot_be_reached_ends_the_start_in_words(start: Callable[..., Up], tmp_path: Path) -> None:
    up = start(BLUELAMP_DATABASE_URL=f"postgresql://bluelamp_app:secret@/bluelamp?host={tmp_path}")
    assert up.process.wait(30) == 7
    wait_for(lambda: "cannot be reached" in up.output)
    assert "secret" not in up.output
    assert "Traceback" not in up.output
