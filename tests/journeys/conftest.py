"""A live server with footage on it, shared by the journeys that leave its clock alone, and one browser for all.

Both end with this folder: while the browser is open, Django's ORM refuses to work in the tests of other rooms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser

from tests import live, signin
from tests.browser import launch
from tests.journeys import seed
from tests.journeys.visit import Visitor
from tests.live import Live

SECONDS = 6


class Visitors(Protocol):
    """Whoever comes to the site: `visitor()` is not signed in, `visitor("detective")` is, with that account."""

    def __call__(self, username: str = "", **options: Any) -> Visitor: ...


class Force:
    """The demonstration's force on a live server: its sign-ins, its cameras, what was recorded."""

    def __init__(self, server: Live, made: dict[str, Any]) -> None:
        self.server = server
        self.accounts: dict[str, dict[str, str]] = made["accounts"]
        self.cameras: list[dict[str, Any]] = made["cameras"]
        self._dock_token: str = made["dock_token"]
        self._ready: dict[str, dict[str, Any]] = {}

    def record(self, camera: dict[str, Any], hours_ago: float) -> None:
        """The camera really records; what it recorded stays on it."""
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours_ago)
        self.server.bluelamp(
            "camera", "record", "--out", self._folder(camera), "--serial", camera["serial"],
            "--model", camera["model"], "--mount", camera["mount"], "--seconds", str(SECONDS), "--pre-event", "2",
            "--marker", "4", "--told", "--lat", str(camera["lat"]), "--lon", str(camera["lon"]),
            "--seed", camera["serial"].removeprefix("BL"), "--at", began.isoformat(),
        )  # fmt: skip

    def dock(self, camera: dict[str, Any]) -> str:
        """Put it into the dock; returns what the dock shows."""
        return self.server.bluelamp(
            "dock", self._folder(camera), "--server", self.server.base_url, "--token", self._dock_token
        ).stdout

    def lose(self, camera: dict[str, Any], *sequences: int) -> None:
        """The camera no longer shows these recordings to any dock, as if somebody had taken them off it."""
        with (self._folder(camera) / "erased.jsonl").open("a") as erased:
            erased.writelines(json.dumps({"sequence": sequence}) + "\n" for sequence in sequences)

    def find(self, camera: dict[str, Any], sequence: int) -> None:
        """What was lost is on the camera after all."""
        path = self._folder(camera) / "erased.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if json.loads(line)["sequence"] != sequence))

    def footage_of(self, camera: dict[str, Any]) -> dict[str, Any]:
        """A recording of this camera that has been docked and prepared; made when it is first asked for."""
        serial = camera["serial"]
        if serial not in self._ready:
            self.record(camera, hours_ago=3)
            self.dock(camera)
            self._ready[serial] = self.server.call(seed.prepared, serial=serial)
        return self._ready[serial]

    def _folder(self, camera: dict[str, Any]) -> Path:
        return self.server.data / "devices" / str(camera["serial"])


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


@pytest.fixture(scope="package")
def force() -> Iterator[Force]:
    with live.running() as server:
        yield Force(server, server.call(seed.force))


@pytest.fixture
def visitor(request: pytest.FixtureRequest, chromium: Browser, force: Force) -> Iterator[Visitors]:
    """Browsers for the people of a journey; what was wrong on any of their pages is told at its end."""
    journey = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    present: list[Visitor] = []
    logged = len(force.server.errors())

    def come(username: str = "", **options: Any) -> Visitor:
        if username:
            options["storage_state"] = _session(chromium, force, username)
        present.append(Visitor(chromium, force.server.base_url, journey, **options))
        return present[-1]

    yield come
    found = [said for person in present for said in person.leave()] + force.server.errors()[logged:]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


_sessions: dict[tuple[str, str], Any] = {}


def _session(chromium: Browser, force: Force, username: str) -> Any:
    """Signed in once through the pages: each one-time code is good once in half a minute."""
    key = (force.server.base_url, username)
    if key not in _sessions:
        account = force.accounts[username]
        with chromium.new_context() as context:
            signin.in_browser(
                context.new_page(), force.server.base_url, username, account["password"], account["totp_secret"]
            )
            _sessions[key] = context.storage_state()
    return _sessions[key]
