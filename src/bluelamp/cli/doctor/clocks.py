"""Clocks: the machine's, the database's, and the demonstration's."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from bluelamp.cli.doctor.finding import Finding, bad, note, ok, warn
from bluelamp.project.configuration import Configuration

_TOLERATED_SECONDS = 2.0
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # more than struct timex has on any system
_RELEASED = datetime(2026, 1, 1, tzinfo=UTC)


def check(configuration: Configuration, database_answers: bool) -> Iterator[Finding]:
    from bluelamp.kernel import clock

    here = clock.real_now()
    if here < _RELEASED:
        yield bad("clock", f"This machine believes it is {here:%d %B %Y}.", "Set the clock before any footage arrives.")
    elif _is_synchronised() is False:
        yield warn(
            "clock",
            "The kernel says that nothing keeps this machine's clock right; cameras are measured against it.",
            "Switch on time synchronisation (systemd-timesyncd or chrony).",
        )
    else:
        yield ok("clock", f"{here:%d %B %Y %H:%M:%S} UTC.")
    if not database_answers:
        return
    yield from _database_clock()
    if configuration.demonstration:
        offset = clock.offset()
        yield note("demonstration clock", f"It stands {offset.days} days ahead of real time, by intention.")


def _database_clock() -> Iterator[Finding]:
    from django.db import connection

    from bluelamp.kernel import clock

    with connection.cursor() as cursor:
        before = clock.real_now()
        cursor.execute("SELECT clock_timestamp()")
        (there,) = cursor.fetchone()
        after = clock.real_now()
    away = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    if away > _TOLERATED_SECONDS:
        yield bad(
            "database clock",
            f"The database's clock is {away:.0f} s away from this machine's.",
            "Synchronise both machines; due dates and the ledger use this machine's.",
        )
    else:
        yield ok("database clock", "It agrees with this machine's.")


def _is_synchronised() -> bool | None:
    """What the kernel says; None where it does not say."""
    if sys.platform != "linux":
        return None
    state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))  # modes 0: only asks
    return None if state < 0 else state != _TIME_ERROR
