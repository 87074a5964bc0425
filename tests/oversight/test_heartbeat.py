"""A sign of life goes out while the web server, the database and a worker stand, and says nothing of what is in it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from bluelamp.oversight import services
from bluelamp.oversight.queries import working
from bluelamp.oversight.silence import Watch
from bluelamp.project import configuration
from tests.oversight.test_silence import Clock, heard_of
from tests.verify.static_log import serve

pytestmark = pytest.mark.django_db

SECRET = "5f0e-not-for-logs"


@contextmanager
def outside(settings: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Iterator[list[str]]:
    """Somebody who waits for signs of life, and is the one that is configured; gives what was asked for."""
    asked: list[str] = []

    class Waiting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with serve(settings.BLUELAMP.data, Waiting) as base:
        url = f"{base}/ping/{SECRET}"
        settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, heartbeat_url=url)
        yield asked


def test_it_is_shown_once_a_minute_while_a_worker_runs(settings: Any) -> None:
    heard_of(timedelta(seconds=1))
    clock = Clock()
    watch = Watch(clock)
    with outside(settings) as asked:
        for clock.at in range(0, 181, 30):
            watch.look()
    assert asked == [f"/ping/{SECRET}"] * 4


def test_without_a_worker_or_a_database_there_is_silence(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise OperationalError

    heard_of(timedelta(minutes=2))
    watch = Watch(Clock())
    with outside(settings) as asked:
        watch.look()
        monkeypatch.setattr(working, "standing", down)
        watch.look()
    assert asked == []


@pytest.mark.parametrize("status", [404, 500, 302])
def test_what_is_not_taken_is_logged_without_the_address(settings: Any, status: int) -> None:
    with outside(settings, status, (("Location", "/elsewhere"),)) as asked, capture_logs() as logged:
        assert services.send_heartbeat() is False
    assert asked == [f"/ping/{SECRET}"], "a redirect is not followed"
    assert [(one["event"], one["host"]) for one in logged] == [("heartbeat.not_taken", "127.0.0.1")]
    assert SECRET not in str(logged)


def test_nobody_there_is_no_fault_of_the_watch(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    with outside(settings):
        pass  # it has gone again
    heard_of(timedelta(seconds=1))
    with capture_logs() as logged, caplog.at_level(logging.DEBUG):
        Watch(Clock()).look()
    assert [one["event"] for one in logged] == ["heartbeat.not_taken"]
    assert SECRET not in str(logged) + caplog.text


def test_nothing_is_asked_for_where_no_address_is_set(settings: Any) -> None:
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, heartbeat_url="")
    with capture_logs() as logged:
        assert services.send_heartbeat() is False
    assert logged == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", f"ftp://host/{SECRET}", f"https:///{SECRET}", f"host/{SECRET}"])
def test_what_is_no_web_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="BLUELAMP_HEARTBEAT_URL does not begin with") as refused:
        configuration.load({"BLUELAMP_HEARTBEAT_URL": url})
    assert SECRET not in str(refused.value)
