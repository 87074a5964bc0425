"""Buffers on their way into a sink: received in the event loop, taken in a thread, in order."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from bluelamp.formats import sealed
from bluelamp.ingest.threads import disk

BUFFERS = 4
"""A connection's buffers; the network waits when all are full."""

_TURN = 8
"""Buffers that one connection may have worked off before another's turn comes."""

_MOST_SPARE = 64

_spare: list[bytearray] = []


class Pump:
    """Feeds `sink` what is put into it. All methods belong to the event loop; only the sink runs in a thread.

    A buffer holds what one sealed segment takes, so that whole segments are sealed from where they were received.
    `freed` is called whenever a buffer has been worked off.
    """

    def __init__(self, sink: Callable[[memoryview], None], freed: Callable[[], None]) -> None:
        self._sink = sink
        self._freed = freed
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[tuple[bytearray, int]] = deque()
        self._at_work = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._out = 0
        self.error: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether every buffer is in use."""
        return self._out >= BUFFERS

    def get(self) -> bytearray | None:
        """A buffer to fill; None when all are in use. What is not put must be given back with `drop`."""
        if self.is_full:
            return None
        self._out += 1
        return _spare.pop() if _spare else bytearray(sealed.FULL)

    def put(self, buffer: bytearray, filled: int) -> None:
        """Hand over the first `filled` bytes of a buffer that `get` gave."""
        self._idle.clear()
        with self._lock:
            self._waiting.append((buffer, filled))
            start, self._at_work = not self._at_work, True
        if start:
            disk.submit(self._work)

    def drop(self, buffer: bytearray) -> None:
        """Give back a buffer without its bytes."""
        self._out -= 1
        if len(_spare) < _MOST_SPARE:
            _spare.append(buffer)

    async def drained(self) -> None:
        """Wait until the sink has taken everything. Raises what the sink raised."""
        await self._idle.wait()
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        for _ in range(_TURN):
            with self._lock:
                if not self._waiting:
                    self._at_work = False
                    self._loop.call_soon_threadsafe(self._rest)
                    return
                buffer, filled = self._waiting.popleft()
            if self.error is None:
                try:
                    self._sink(memoryview(buffer)[:filled])
                except BaseException as error:
                    self.error = error
            self._loop.call_soon_threadsafe(self._worked_off, buffer)
        disk.submit(self._work)

    def _worked_off(self, buffer: bytearray) -> None:
        self.drop(buffer)
        self._freed()

    def _rest(self) -> None:
        with self._lock:
            if not self._at_work and not self._waiting:
                self._idle.set()
