"""Where blocking work of the ASGI routes runs: beside the event loop, in pools of a fixed number of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

import structlog
from django.db import close_old_connections

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")


class Pool:
    """`threads` threads for one kind of work.

    They live as long as the process, so that each keeps its database connection; a request's own thread would open a
    new one. `database` False: for work without the database.
    """

    def __init__(self, name: str, threads: int, *, database: bool = True) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._database = database

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`function(*args, **kwargs)` in a thread of the pool, with Django's connection looked after.

        It runs to its end, also when this task is cancelled meanwhile: what follows must not meet a thread at work.
        """
        call = partial(function, *args, **kwargs)
        work = partial(_with_connection, call) if self._database else call
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            # Asked for, so that asyncio does not warn of a failure that nobody took.
            future.exception()
            raise cancelled
        return future.result()


class Crew:
    """Threads for very many very short pieces of work, where a future for each would cost as much as the work."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._started = False
        self._lock = threading.Lock()

    def submit(self, function: Callable[[], None]) -> None:
        """Start `function` in a thread of the crew. It must not raise, and has no database connection."""
        if not self._started:
            self._start()
        self._work.put(function)

    def _start(self) -> None:
        with self._lock:
            for number in range(0 if self._started else self._threads):
                threading.Thread(target=self._run, name=f"{self._name}_{number}", daemon=True).start()
            self._started = True

    def _run(self) -> None:
        while True:
            try:
                self._work.get()()
            except Exception:  # the thread is needed for what comes next
                log.exception("crew.failed", crew=self._name)


def _with_connection(call: Callable[[], R]) -> R:
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()
