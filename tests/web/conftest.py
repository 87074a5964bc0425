"""The web room's own site, served by a real server in a process of its own, and a browser to look at it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser import launch
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Site:
    url: str
    log: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port = free_port()
    log = tmp_path_factory.mktemp("site") / "server.log"
    command = [sys.executable, "-m", "uvicorn", "tests.web.site.server:app", "--host", "localhost", "--port", str(port)]
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*command, "--no-access-log"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.web.site.settings"},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            _wait_until_it_answers(f"http://localhost:{port}/footage/", server, log)
            yield Site(f"http://localhost:{port}", log)
        finally:
            server.terminate()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"The site did not start:\n{log.read_text()}")
