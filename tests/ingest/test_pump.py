"""Nothing goes on behind a body that has ended."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bluelamp.ingest.wire.pump import BUFFERS, Pump


def fill(pump: Pump, count: int = 10) -> None:
    buffer = pump.get()
    assert buffer is not None
    pump.put(buffer, count)


def test_drained_means_that_every_buffer_is_back_and_no_callback_is_to_come() -> None:
    async def story() -> None:
        freed = 0

        def count() -> None:
            nonlocal freed
            freed += 1

        pump = Pump(lambda piece: None, count)
        for _ in range(200):
            while not pump.is_full:
                fill(pump)
            await pump.drained()
            assert pump._out == 0
            told = freed
            await asyncio.sleep(0)
            assert freed == told
            pump._draining = False

    asyncio.run(story())


def test_a_cancellation_waits_for_the_thread_at_work() -> None:
    async def story() -> None:
        may_end, ended = threading.Event(), threading.Event()

        def sink(piece: memoryview) -> None:
            may_end.wait(10)
            ended.set()

        pump = Pump(sink, lambda: None)
        fill(pump)
        draining = asyncio.create_task(pump.drained())
        await asyncio.sleep(0.05)
        draining.cancel()
        await asyncio.sleep(0.05)
        assert not draining.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await draining
        assert ended.is_set()

    asyncio.run(story())


def test_what_the_sink_raised_is_raised_once_all_is_back() -> None:
    async def story() -> None:
        def sink(piece: memoryview) -> None:
            raise ValueError("no room")

        pump = Pump(sink, lambda: None)
        for _ in range(BUFFERS):
            fill(pump)
        with pytest.raises(ValueError, match="no room"):
            await pump.drained()
        assert pump._out == 0

    asyncio.run(story())
