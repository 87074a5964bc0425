"""Buffers on their way into a sink: received in the event loop, taken in a thread, in order."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from bluelamp.ingest.threads import sealing
from bluelamp.kernel import memory

BUFFERS = 6
"""A connection's buffers; the network waits when all are full."""

_AT_A_TIME = 2
"""Buffers that are handed over together: fewer turns between threads, and still most of them left for receiving."""


class Pump:
    """Feeds `sink` what is put into it. All methods belong to the event loop; only the sink runs in a thread.

    A buffer (1 MiB) holds what one sealed segment takes, so that whole segments are sealed from where they were
    received. `freed` is called whenever buffers have been worked off.
    """

    def __init__(self, sink: Callable[[memoryview], None], freed: Callable[[], None]) -> None:
        self._sink = sink
        self._freed = freed
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[tuple[memoryview, int]] = deque()
        self._at_work = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._out = 0
        self._draining = False
        self.error: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether every buffer is in use."""
        return self._out >= BUFFERS

    def get(self) -> memoryview | None:
        """A buffer to fill; None when all are in use. What is not put must be given back with `drop`."""
        if self.is_full:
            return None
        buffer = memory.take()
        self._out += 1
        self._idle.clear()
        return buffer

    def put(self, buffer: memoryview, filled: int) -> None:
        """Hand over the first `filled` bytes of a buffer that `get` gave. They may wait for some more."""
        self._waiting.append((buffer, filled))
        if len(self._waiting) >= _AT_A_TIME:
            self.flush()

    def flush(self) -> None:
        """Let the sink have what waits."""
        with self._lock:
            if self._at_work or not self._waiting:
                return
            self._at_work = True
        sealing.submit(self._work)

    def drop(self, buffer: memoryview) -> None:
        """Give back a buffer without its bytes."""
        self._out -= 1
        if not self._out:
            self._idle.set()
        memory.give_back(buffer)

    async def drained(self) -> None:
        """Wait until the sink has taken everything and every buffer is back. Raises what the sink raised.

        A cancellation waits as well: what follows must not meet a thread that still works.
        """
        self._draining = True
        self.flush()
        cancelled: asyncio.CancelledError | None = None
        while self._out:
            try:
                await self._idle.wait()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        """In a thread: what waits, but no more than a connection's share before another's turn comes."""
        done = []
        for _ in range(min(len(self._waiting), BUFFERS)):
            buffer, filled = self._waiting.popleft()
            if self.error is None:
                try:
                    self._sink(buffer[:filled])
                except BaseException as error:  # raised again in the event loop
                    self.error = error
            done.append(buffer)
        with self._lock:
            self._at_work = again = len(self._waiting) >= _AT_A_TIME
        self._loop.call_soon_threadsafe(self._worked_off, done)
        if again:
            sealing.submit(self._work)

    def _worked_off(self, buffers: list[memoryview]) -> None:
        for buffer in buffers:
            self.drop(buffer)
        if self._draining:
            self.flush()
        self._freed()
