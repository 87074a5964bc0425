"""A request's body on its way into a writer: receiving overlaps with hashing, sealing and writing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum

from starlette.requests import Request

from bluelamp.formats import sealed
from bluelamp.ingest.wire.connection import EXTENSION, Wire
from bluelamp.ingest.wire.pump import Pump

_TICK_SECONDS = 1.0


class Ending(Enum):
    """How a body ended."""

    COMPLETE = "complete"
    DISCONNECTED = "disconnected"
    TOO_LONG = "too long"
    SILENT = "silent"
    WANTED = "wanted"
    STOPPED = "stopped"


def wire_of(request: Request) -> Wire | None:
    """The request's way to its socket; None where another server than ours carries it."""
    wire = request.scope.get("extensions", {}).get(EXTENSION)
    return wire if isinstance(wire, Wire) else None


class Body:
    """Reads one request's body and feeds `sink` in order from a thread, a sealed segment's worth at a time.

    `length`: the request's Content-Length, if it has one; `most`: bytes that may come. `first`: bytes until the sink's
    segment is full. `wanted` is asked while the sender is silent: whether somebody else waits for the upload.
    `progress` is called after each buffer that the sink took, and every second.
    """

    def __init__(
        self,
        request: Request,
        sink: Callable[[memoryview], None],
        *,
        length: int | None,
        most: int,
        first: int = sealed.FULL,
        wanted: Callable[[], bool] = lambda: False,
        progress: Callable[[], None] = lambda: None,
        gives_way_seconds: float = 2.0,
        silent_seconds: float = 60.0,
    ) -> None:
        self._request = request
        self._length = length
        self._most = most
        self._wanted = wanted
        self._progress = progress
        self._gives_way_seconds = gives_way_seconds
        self._silent_seconds = silent_seconds
        self._wire = wire_of(request)
        self._pump = Pump(sink, self._freed)
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Event()
        self._buffer: memoryview | None = None
        self._filled = 0
        self._limit = first
        self._heard = time.monotonic()
        self._count = 0

    def stop(self) -> None:
        """End at once, with what has arrived."""
        self._end(Ending.STOPPED)

    async def run(self) -> Ending:
        """Returns when the body has ended and the sink has taken all of it. Raises what the sink raises."""
        reading = None
        arrived = None
        if self._wire is not None and self._length is not None:
            arrived = self._wire.take(self, self._length)
        if arrived is None:
            reading = asyncio.create_task(self._read())
        else:
            # Less than the buffers hold: reading was paused until now.
            view = memoryview(arrived)
            while view:
                view = self._copy(view)
        try:
            return await self._watch()
        finally:
            # Whatever happens next must not meet a thread that still writes.
            if reading is not None:
                reading.cancel()
            if self._wire is not None:
                self._wire.let_go()
            self._hand_over()
            await self._pump.drained()

    def get_buffer(self, most: int) -> memoryview:
        """For the wire: where the next bytes go."""
        if self._buffer is None:
            self._buffer, self._filled = self._pump.get(), 0
        if self._buffer is None:
            raise RuntimeError("A paused connection was read from.")
        return self._buffer[self._filled : min(self._limit, self._filled + most)]

    def received(self, count: int) -> bool:
        """From the wire: so many bytes stand in the buffer."""
        self._heard = time.monotonic()
        self._count += count
        self._filled += count
        if self._filled == self._limit:
            self._hand_over()
        return self._buffer is not None or not self._pump.is_full

    def ended(self, *, complete: bool) -> None:
        """From the wire: that was all, or the sender has gone."""
        self._end(Ending.COMPLETE if complete else Ending.DISCONNECTED)

    async def _watch(self) -> Ending:
        while True:
            await asyncio.wait({self._ending}, timeout=_TICK_SECONDS)
            if self._ending.done():
                return self._ending.result()
            self._pump.flush()
            self._progress()
            silent = time.monotonic() - self._heard
            # While the disk is what is slow, the sender is not to blame for silence.
            if self._pump.is_full:
                continue
            if silent >= self._silent_seconds:
                return Ending.SILENT
            if silent >= self._gives_way_seconds and self._wanted():
                return Ending.WANTED

    async def _read(self) -> None:
        try:
            while True:
                message = await self._request.receive()
                if message["type"] == "http.disconnect":
                    return self._end(Ending.DISCONNECTED)
                piece = message.get("body", b"")
                if self._count + len(piece) > self._most:
                    return self._end(Ending.TOO_LONG)
                await self._take(piece)
                if not message.get("more_body", False):
                    return self._end(Ending.COMPLETE)
        except Exception:
            self._end(Ending.DISCONNECTED)
            raise

    async def _take(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            while self._buffer is None and self._pump.is_full:
                self._room.clear()
                await self._room.wait()
            view = self._copy(view)

    def _copy(self, view: memoryview) -> memoryview:
        """Copy what the present buffer has room for; the rest."""
        target = self.get_buffer(len(view))
        count = len(target)
        target[:] = view[:count]
        self.received(count)
        return view[count:]

    def _hand_over(self) -> None:
        if self._buffer is None:
            return
        if self._filled:
            self._pump.put(self._buffer, self._filled)
        else:
            self._pump.drop(self._buffer)
        self._buffer, self._filled, self._limit = None, 0, sealed.FULL

    def _freed(self) -> None:
        self._room.set()
        self._progress()
        if self._pump.error is not None:
            self._end(Ending.STOPPED)
        elif self._wire is not None:
            self._wire.resume()

    def _end(self, ending: Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)
