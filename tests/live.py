"""A real `bluelamp up` for tests of every room: a demonstration's data folder, a free port, processes of its own.

    with live.running() as server:                        # answers /readyz; gone with its data at the end
        made = server.call(seed.force, cameras=2)         # runs in a child process, Django set up on that folder
        server.bluelamp("dock", folder, "--server", server.base_url, "--token", made["dock_token"])
        link = server.mail_to("j.reid@cps.example", r"(http\\S+)")

A function given to `call` stands in a module that can be imported by name, and takes and returns what JSON can carry.
It runs elsewhere because Playwright's event loop keeps Django's ORM out of the test's own thread, and because the
test's process has settings of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).parents[1]
_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_CHILD_SECONDS = 180.0
_MAIL_SECONDS = 10.0

# A duty's next turn comes while its last one still waits, on a busy machine: procrastinate learns of it by trying, and
# leaves the one that waits. PostgreSQL logs the refused try as an error.
_ALREADY_WAITS = "procrastinate_jobs_queueing_lock_idx"


@dataclass(frozen=True)
class Live:
    """A running installation. `expected`: what its processes are to write down as errors."""

    data: Path
    base_url: str
    expected: tuple[str, ...] = ()

    def call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """What `function(**arguments)` returns in a child process; its output where it fails."""
        name = f"{function.__module__}:{function.__qualname__}"
        done = self._child([sys.executable, "-m", "tests.live", name, json.dumps(arguments)])
        assert done.returncode == 0, f"{name} failed:\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def bluelamp(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The `bluelamp` command, on this data folder."""
        done = self._child([sys.executable, "-m", "bluelamp.cli.main", *map(str, arguments)])
        if check:
            assert done.returncode == 0, f"bluelamp {arguments[0]} failed:\n{done.stdout}{done.stderr}"
        return done

    def mail_to(self, address: str, pattern: str) -> str:
        """The newest match of `pattern`'s first group in what was sent to `address`; waits some seconds for it."""
        from bluelamp.cli.demo.browser import Mail

        deadline = time.monotonic() + _MAIL_SECONDS
        while True:
            try:
                return Mail(self.data / "mail").newest_to(address, pattern)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def files(self, folder: str) -> set[str]:
        """The files below a folder of the data folder, as paths from there: of `store` or `staging`, say."""
        top = self.data / folder
        return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}

    def errors(self) -> list[str]:
        """What its processes wrote into their logs as errors, with where each arose."""
        found = []
        for path in sorted((self.data / "logs").glob("*.log")):
            for line in path.read_text().splitlines():
                said = json.loads(line) if line.startswith("{") else {"level": "error", "event": line}
                if said.get("event") in self.expected:
                    continue
                if said.get("level") in ("error", "critical") and _ALREADY_WAITS not in said.get("event", ""):
                    told = said.get("exception", "")
                    found.append(f"{path.name}: {said.get('event')}\n{told}".strip())
        return found

    def _child(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = _clean_environment() | {"BLUELAMP_DATA": str(self.data), "BLUELAMP_BASE_URL": self.base_url}
        return subprocess.run(
            command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=_CHILD_SECONDS
        )


@contextmanager
def running(**environment: str) -> Iterator[Live]:
    """`bluelamp up` on a new demonstration folder; both are gone at the end. `environment` holds BLUELAMP_ settings."""
    from bluelamp.cli.supervisor.instance import open_instance
    from tests import clusters

    parent = Path(tempfile.mkdtemp(prefix="bluelamp-live-"))
    data = parent / "data"
    try:
        open_instance(data, demonstration=True)
        with (parent / "up.log").open("w+") as log:
            process = _start(data, log, environment)
            try:
                yield Live(data, _base_url(data, process, log))
            finally:
                _stop(process)
    finally:
        clusters.remove_below(parent)
        shutil.rmtree(parent, ignore_errors=True)


def _start(data: Path, log: IO[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bluelamp.cli.main", "up", "--data", str(data), "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        env=_clean_environment() | environment,
    )


def _base_url(data: Path, process: subprocess.Popen[str], log: IO[str]) -> str:
    """Where it answers, once it says at /readyz that it is ready."""
    from bluelamp.cli.supervisor import instance

    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        address = (instance.holder(data) or {}).get("address")
        if address and _answers(f"{address}/readyz"):
            return str(address)
        time.sleep(0.1)
    log.seek(0)
    raise AssertionError(f"bluelamp up did not become ready:\n{log.read()}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _stop(process: subprocess.Popen[str]) -> None:
    """End what was started here: the supervisor, which ends its children."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clean_environment() -> dict[str, str]:
    """Without what the tests' own process was told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
    return kept | {"DJANGO_SETTINGS_MODULE": "bluelamp.project.settings"}


def _main(name: str, arguments: str) -> None:
    """The child's side of `Live.call`."""
    from bluelamp.cli import django_ready

    django_ready()
    module, _, qualname = name.partition(":")
    function = importlib.import_module(module)
    for part in qualname.split("."):
        function = getattr(function, part)
    sys.stdout.write("\n" + json.dumps(function(**json.loads(arguments))) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
