"""Checking the ledger against its latest signed checkpoint, a stretch at a time, so that memory stays small."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connection

from bluelamp.custody.queries import latest_checkpoint
from bluelamp.custody.verification import verify_ledger
from bluelamp.kernel.errors import Busy, Conflict

MOST_LEAVES = 100_000
"""Leaves that a page checks while somebody waits; a larger ledger is checked by the command."""

_LOCK = 0x626C7672  # "blvr": one check at a time over all processes


@dataclass(frozen=True)
class Verification:
    """The result: `size` leaves checked in `seconds`; each sign of tampering in words.

    `remembered`: how many of them the kept note covers, None where no note was given.
    """

    size: int
    remembered: int | None
    seconds: float
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.problems


def verify(kept_note: str = "") -> Verification:
    """Check everything that the latest checkpoint covers, and what `kept_note`, an earlier signed note, did.

    It is what `bluelamp verify --database` checks. Must run in a transaction, for its lock. Raises Conflict without a
    checkpoint or for a ledger too large to wait for, Busy while another check runs.
    """
    checkpoint = latest_checkpoint()
    if checkpoint is None:
        raise Conflict(
            "There is no checkpoint yet, so nothing can be verified.",
            "Events are kept; they stand in a checkpoint as soon as a worker runs.",
            "Ask the operator whether the worker runs.",
        )
    if checkpoint.size > MOST_LEAVES:
        raise Conflict(
            f"The ledger has {checkpoint.size:,} events: checking them takes longer than a page may take.",
            "Nothing was checked.",
            "Ask the operator to run: bluelamp verify --database",
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Busy(
                "Somebody else is having the ledger checked.", "Nothing was checked twice.", "Try again shortly."
            )
    begun = time.perf_counter()
    report, remembered = verify_ledger(kept_note=kept_note)
    return Verification(report.size, remembered, time.perf_counter() - begun, report.problems)
