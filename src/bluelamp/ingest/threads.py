"""Where blocking work of the dock routes runs: beside the event loop, in few threads of a fixed number each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")

# Each thread of the first two holds one database connection.
_database = ThreadPoolExecutor(4, "dock-database")
_settling = ThreadPoolExecutor(2, "dock-settling")
_disk = ThreadPoolExecutor(max(4, 2 * (os.cpu_count() or 1)), "dock-disk")


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Short work with the database."""
    return await _run(_database, _with_connection, function, *args, **kwargs)


async def settling(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Work with database and store that may take long, as moving gigabytes to an object store does."""
    return await _run(_settling, _with_connection, function, *args, **kwargs)


async def on_disk(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Hashing, sealing and files, without the database."""
    return await _run(_disk, function, *args, **kwargs)


async def _run(pool: ThreadPoolExecutor, function: Callable[..., R], *args: object, **kwargs: object) -> R:
    """Run it to its end, also when this task is cancelled meanwhile: what follows must not meet a thread at work."""
    future = asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return future.result()


def _with_connection(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()
