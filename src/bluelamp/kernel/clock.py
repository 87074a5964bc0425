"""The one clock.

Everything that decides about footage asks `now()`. In a demonstration the clock can be moved forward, by a row in the
database, so that every process agrees; outside a demonstration it is plain UTC and never asks the database.
One-time passwords and sign-in sessions stay on real time: they do not use this module.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.kernel.hooks import Hook

on_advance = Hook("clock.on_advance")
"""Functions called after the clock moved, without arguments; retention runs the sweeps that became due."""

_CACHE_SECONDS = 0.5
_cached: tuple[float, timedelta] = (float("-inf"), timedelta())


def real_now() -> datetime:
    """Real time, aware UTC; for sign-in, tokens and logs."""
    return datetime.now(UTC)


def now() -> datetime:
    """The time that decides about footage: aware UTC, with the demonstration's offset where there is one."""
    return real_now() + offset()


def offset() -> timedelta:
    """How far this installation's clock is ahead of real time; zero outside a demonstration."""
    global _cached
    if not settings.BLUELAMP.demonstration:
        return timedelta()
    read_at, value = _cached
    if time.monotonic() - read_at > _CACHE_SECONDS:
        value = _read_offset()
        _cached = (time.monotonic(), value)
    return value


def advance(by: timedelta) -> datetime:
    """Move a demonstration's clock forward by `by` and run what became due. Returns the new time.

    Raises Conflict outside a demonstration and Invalid for a move backwards.
    """
    global _cached
    if not settings.BLUELAMP.demonstration:
        raise Conflict(
            "The clock can be moved only in a demonstration.",
            "No footage is affected.",
            "Start a demonstration with: bluelamp demo",
        )
    if by < timedelta():
        raise Invalid("The demonstration's clock only moves forward.", "No footage is affected.")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_clock_offset (id, seconds) VALUES (1, %s) "
            "ON CONFLICT (id) DO UPDATE SET seconds = kernel_clock_offset.seconds + EXCLUDED.seconds",
            [int(by.total_seconds())],
        )
    _cached = (float("-inf"), timedelta())
    on_advance.call()
    return now()


def _read_offset() -> timedelta:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seconds FROM kernel_clock_offset WHERE id = 1")
        row = cursor.fetchone()
    return timedelta(seconds=row[0]) if row else timedelta()
