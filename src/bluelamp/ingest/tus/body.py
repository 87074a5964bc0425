"""A request's body on its way into a writer: receiving overlaps with hashing, sealing and writing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum

from starlette.types import Receive

from bluelamp.ingest.threads import on_disk

BATCH_BYTES = 1024 * 1024
"""Handed over at a time: smaller costs more switches between threads, larger more memory a connection."""

BATCHES = 4
"""A connection's buffers; the network waits when all are full."""

_TICK_SECONDS = 1.0


class Ending(Enum):
    """How a body ended."""

    COMPLETE = "complete"
    DISCONNECTED = "disconnected"
    TOO_LONG = "too long"
    SILENT = "silent"
    WANTED = "wanted"
    STOPPED = "stopped"


class Body:
    """Reads one request's body and feeds `sink` in order from a worker thread, in batches.

    `most`: bytes that may come. `wanted` is asked while the sender is silent: whether somebody else waits for the
    upload. `progress` is called after each batch that the sink took, and every second.
    """

    def __init__(
        self,
        receive: Receive,
        sink: Callable[[memoryview], None],
        *,
        most: int,
        wanted: Callable[[], bool] = lambda: False,
        progress: Callable[[], None] = lambda: None,
        gives_way_seconds: float = 2.0,
        silent_seconds: float = 60.0,
    ) -> None:
        self._receive = receive
        self._sink = sink
        self._most = most
        self._wanted = wanted
        self._progress = progress
        self._gives_way_seconds = gives_way_seconds
        self._silent_seconds = silent_seconds
        self._full: asyncio.Queue[tuple[bytearray, int] | None] = asyncio.Queue()
        self._free: asyncio.Queue[bytearray | None] = asyncio.Queue()
        for _ in range(BATCHES):
            self._free.put_nowait(None)
        self._buffer = bytearray()
        self._filled = 0
        self._heard = time.monotonic()
        self._receiving: asyncio.Task[Ending] | None = None
        self.received = 0

    def stop(self) -> None:
        """End at once, with what has arrived."""
        if self._receiving is not None:
            self._receiving.cancel()

    async def run(self) -> Ending:
        """Returns when the body has ended and the sink has taken all of it. Raises what the sink raises."""
        receiving = self._receiving = asyncio.create_task(self._read())
        working = asyncio.create_task(self._work())
        try:
            ending = await self._watch(receiving, working)
            if not working.done():
                self._hand_over()
                self._full.put_nowait(None)
            await working
            return ending
        finally:
            # The worker is never cut off: whatever happens next must not meet a thread that still writes.
            receiving.cancel()
            self._full.put_nowait(None)
            await asyncio.wait({receiving, working})

    async def _watch(self, receiving: asyncio.Task[Ending], working: asyncio.Task[None]) -> Ending:
        while True:
            await asyncio.wait({receiving, working}, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if receiving.cancelled() or working.done():
                return Ending.STOPPED
            if receiving.done():
                return receiving.result()
            self._progress()
            silent = time.monotonic() - self._heard
            # While the disk is what is slow, the sender is not to blame for silence.
            if self._free.empty():
                continue
            if silent >= self._silent_seconds:
                return Ending.SILENT
            if silent >= self._gives_way_seconds and self._wanted():
                return Ending.WANTED

    async def _read(self) -> Ending:
        while True:
            message = await self._receive()
            self._heard = time.monotonic()
            if message["type"] == "http.disconnect":
                return Ending.DISCONNECTED
            piece = message.get("body", b"")
            if self.received + len(piece) > self._most:
                return Ending.TOO_LONG
            await self._take(piece)
            if not message.get("more_body", False):
                return Ending.COMPLETE

    async def _take(self, piece: bytes) -> None:
        self.received += len(piece)
        view = memoryview(piece)
        while view:
            if not self._buffer:
                self._buffer = await self._free.get() or bytearray(BATCH_BYTES)
            count = min(len(view), BATCH_BYTES - self._filled)
            self._buffer[self._filled : self._filled + count] = view[:count]
            self._filled += count
            view = view[count:]
            if self._filled == BATCH_BYTES:
                self._hand_over()

    def _hand_over(self) -> None:
        if self._filled:
            self._full.put_nowait((self._buffer, self._filled))
        self._buffer, self._filled = bytearray(), 0

    async def _work(self) -> None:
        while (batch := await self._full.get()) is not None:
            buffer, filled = batch
            await on_disk(self._sink, memoryview(buffer)[:filled])
            self._free.put_nowait(buffer)
            self._progress()
