"""What strangers can cause to be recorded is recorded at a bounded rate, and the rest is counted."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

_PEERS = 1000


class Limiter:
    """Lets one event a source through in each window, and `most` events in all; counts the others."""

    def __init__(self, window_seconds: float = 600.0, most: int = 60) -> None:
        self._window = window_seconds
        self._most = most
        self._lock = threading.Lock()
        self._sources: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._window_began = float("-inf")
        self._in_window = 0
        self._overflow = 0

    def admit(self, source: str, now: float | None = None) -> int | None:
        """How many earlier attempts went unreported, if this one is to be reported; else None. `now` in seconds."""
        now = time.monotonic() if now is None else now
        with self._lock:
            if now - self._window_began >= self._window:
                self._window_began, self._in_window = now, 0
            last, unreported = self._sources.get(source, (float("-inf"), 0))
            if now - last < self._window:
                self._sources[source] = (last, unreported + 1)
                return None
            if self._in_window >= self._most:
                self._overflow += 1
                return None
            self._in_window += 1
            self._sources[source] = (now, 0)
            self._sources.move_to_end(source)
            while len(self._sources) > _PEERS:
                _, (_, forgotten) = self._sources.popitem(last=False)
                self._overflow += forgotten
            overflow, self._overflow = self._overflow, 0
            return unreported + overflow
