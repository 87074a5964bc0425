"""Watches from the web server whether a worker lives, since a worker that is down can tell nobody.

While one does, the web server shows a sign of life outside: that it stands itself, with the database and a worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, connection

from bluelamp.oversight import rules, services
from bluelamp.oversight.queries import working

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 30.0
_HEARTBEAT_SECONDS = 60.0


class Patience:
    """Says when nobody has been there for too long: a look at a time, each with how it stands and when it was."""

    def __init__(self, seconds: float = rules.WORKER_TOLD.total_seconds()) -> None:
        self._seconds = seconds
        self._silent_since: float | None = None

    def ended(self, alive: bool, at: float) -> bool:
        """Whether patience has ended; `at` in seconds of a clock that nobody sets."""
        if alive:
            self._silent_since = None
            return False
        if self._silent_since is None:
            self._silent_since = at
        return at - self._silent_since >= self._seconds


class Watch:
    """A thread that looks every half minute, from `start` to `stop`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._patience = Patience()
        self._telling = False
        self._shown_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_for_ever, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Begin to look, half a minute from now."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more. A look under way is not waited for."""
        self._stop.set()

    def look(self) -> None:
        """Look once; tell where patience has ended, and send until it is sent or a worker lives again.

        A database that does not answer is no worker's silence.
        """
        try:
            alive = working.standing().alive
        except (OperationalError, InterfaceError):
            self._patience = Patience()
            return
        if alive:
            self._show()
        self._telling = self._telling and not alive
        if self._patience.ended(alive, self._now()):
            self._telling = True
            if services.tell_silence():
                # A worker that works without showing itself says that all is well: not to be contradicted at once.
                self._patience = Patience()
        if self._telling:
            services.send_waiting()

    def _show(self) -> None:
        """A sign of life, once a minute."""
        at = self._now()
        if self._shown_at is None or at - self._shown_at >= _HEARTBEAT_SECONDS:
            self._shown_at = at
            services.send_heartbeat()

    def _look_for_ever(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # the next look is soon, and the pages are served meanwhile
                log.exception("worker_watch.failed")
            finally:
                connection.close()
