"""The embedded PostgreSQL as one of the supervised processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from bluelamp.cli.supervisor.backoff import Backoff
from bluelamp.cli.supervisor.instance import Instance
from bluelamp.cli.supervisor.logs import ProcessLog
from bluelamp.cli.supervisor.postgres import RECOVERING, EmbeddedPostgres, PostgresStopped
from bluelamp.cli.supervisor.process import Status, describe_exit
from bluelamp.kernel.errors import BluelampError

_POLL_SECONDS = 0.02
_SAY_EVERY_SECONDS = 5.0


class SupervisedPostgres:
    """Starts PostgreSQL, files its log, starts it again when it ends, stops it last."""

    def __init__(self, instance: Instance, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()

        def say_from_thread(message: str) -> None:
            loop.call_soon_threadsafe(say, message)

        self.status = Status("postgres")
        self._postgres = EmbeddedPostgres(instance.data, say=say_from_thread)
        self._log = ProcessLog(instance.data / "logs", "postgres")
        self._changed = changed
        self._stopping = False
        self._preparation: asyncio.Task[None] | None = None
        self._follower: asyncio.Task[None] | None = None

    @property
    def app_url(self) -> str:
        return self._postgres.url("app")

    @property
    def owner_url(self) -> str:
        return self._postgres.url("owner")

    @property
    def socket(self) -> str:
        return str(self._postgres.sockets)

    @property
    def is_new(self) -> bool:
        """Whether no database was ever made here, so that all migrations wait."""
        return self._postgres.is_new

    async def open(self) -> None:
        """Find out where the database is, or will be; then the URLs are known."""
        await self._off_the_loop(self._postgres.open)

    async def prepare(self) -> None:
        """Make the cluster if need be and clear what an earlier run left."""
        self._show("preparing")
        await self._off_the_loop(self._postgres.prepare)

    async def start(self) -> None:
        """Start the server and return when it answers. Raises PostgresStopped when it ends first."""
        reader, writer = os.pipe()
        try:
            self._postgres.spawn(writer)
        finally:
            os.close(writer)
        self._follower = asyncio.create_task(self._follow(reader))
        self._show("starting")
        began = time.monotonic()
        while not await asyncio.to_thread(self._postgres.is_ready):
            waited = time.monotonic() - began
            if waited > _SAY_EVERY_SECONDS:
                self._show(
                    "starting", note=RECOVERING.format(seconds=waited // _SAY_EVERY_SECONDS * _SAY_EVERY_SECONDS)
                )
            await asyncio.sleep(_POLL_SECONDS)
        self._show("running")

    async def tidy(self) -> None:
        """Remove what demonstrations that are gone left of theirs."""
        await asyncio.to_thread(self._postgres.tidy)

    async def keep(self) -> None:
        """Start the server again, with back-off, whenever it ends."""
        backoff = Backoff()
        while True:
            began = time.monotonic()
            code = await asyncio.to_thread(self._postgres.wait)
            reason = f"ended with {describe_exit(code)}"
            while not self._stopping:
                delay = backoff.delay(time.monotonic() - began)
                self.status.restarts += 1
                self._show("restarting", note=f"{reason}; again in {delay:.1f} s")
                await asyncio.sleep(delay)
                began = time.monotonic()
                try:
                    await self.prepare()
                    await self.start()
                    break
                except PostgresStopped:
                    reason = self._log.last_words
                except (BluelampError, OSError) as error:
                    reason = str(error)
            if self._stopping:
                return

    async def stop(self, seconds: float) -> None:
        """A fast shutdown; after `seconds` an immediate one."""
        self._stopping = True
        if self._preparation is not None:
            await asyncio.wait({self._preparation})
        self._show("stopping")
        await asyncio.to_thread(self._postgres.stop, seconds)
        if self._follower is not None:
            await self._follower
        self._show("stopped")

    def checkpoint(self) -> None:
        """Blocking: make the coming shutdown short."""
        if self._postgres.pid is not None:
            self._postgres.checkpoint()

    async def _off_the_loop(self, work: Callable[[], None]) -> None:
        """In a thread, to whose end a stop waits."""
        self._preparation = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.shield(self._preparation)

    async def _follow(self, descriptor: int) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
        )
        try:
            await self._log.follow(reader)
        finally:
            transport.close()

    def _show(self, state: str, note: str = "") -> None:
        self.status.state, self.status.note, self.status.pid = state, note, self._postgres.pid
        self._changed()
