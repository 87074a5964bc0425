"""Checking the ledger in the database against its checkpoints: what `bluelamp verify --database` and the pages run."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection

from bluelamp.custody import keys, timestamping
from bluelamp.custody.models import CustodyCheckpoint, CustodyLogKey
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.verify.ledger import (
    STRETCH,
    CheckpointRow,
    CosignatureRow,
    KeyRow,
    LedgerReport,
    Stretch,
    conclude,
)
from bluelamp.verify.stored import check_at, check_from

_HIGH_TILES = "SELECT level, index, hashes, root FROM custody_tile WHERE level > 1"
# In one statement, hence at one moment: what is sequenced while the check runs is left to the next.
_EXTENT = """
SELECT (SELECT coalesce(max(index) + 1, 0) FROM custody_leaf), (SELECT coalesce(max(size), 0) FROM custody_checkpoint)
"""
_COSIGNATURES = "SELECT size, witness, line FROM custody_cosignature WHERE size <= %s"
# An event whose leaf, or place in the queue to the tree, somebody removed; or what it says without the event.
_OUTSIDE = """
SELECT e.id FROM custody_event e
WHERE NOT EXISTS (SELECT FROM custody_leaf l WHERE l.event_id = e.id)
  AND NOT EXISTS (SELECT FROM custody_pending p WHERE p.event_id = e.id)
UNION ALL
SELECT d.event_id FROM custody_detail d WHERE NOT EXISTS (SELECT FROM custody_event e WHERE e.id = d.event_id)
LIMIT 1000
"""
_SAID = """
SELECT d.event_id, d.stored FROM custody_detail d JOIN custody_leaf l ON l.event_id = d.event_id
WHERE d.event_id = ANY(%s)
"""


def verify_ledger(
    *, trusted: Sequence[str] = (), kept_note: str = "", processes: int = 1
) -> tuple[LedgerReport, int | None]:
    """Check everything that the checkpoints cover, and what `kept_note`, a note that somebody kept, did.

    `trusted`: the vkeys to believe, this installation's own where none are given, which proves less. With more than one
    process each reads the database by itself, so that only what is committed is seen. Returns the report, whose
    problems include those against the kept note, and the kept note's size, None without one.
    """
    listed = [VerifierKey.parse(vkey) for vkey in (trusted or keys.log_vkeys())]
    kept, problems = _kept(kept_note, listed)
    ((leaves, latest),) = _all(_EXTENT, [])
    jobs = [(first, min(first + STRETCH, leaves)) for first in range(0, leaves, STRETCH)]
    extra = [kept.size] if kept else []
    with _checking(jobs, extra, processes) as stretches:
        # Beside the others, where there are any: it is the database that works here.
        outside = [number for (number,) in _all(_OUTSIDE, [])]
        problems += timestamping.problems()
        checked = list(stretches)
    report = conclude(
        checked,
        _checkpoints(kept, latest),
        listed,
        listed=[KeyRow(*row) for row in CustodyLogKey.objects.order_by("since_size").values_list("vkey", "since_size")],
        cosigned=[CosignatureRow(*row) for row in _all(_COSIGNATURES, [latest])],
        witnesses=_witness_keys(),
        high_tiles=_all(_HIGH_TILES, []),
        outside=outside,
        events=_said,
    )
    return LedgerReport(report.size, (*problems, *report.problems)), kept.size if kept else None


@contextmanager
def _checking(jobs: list[tuple[int, int]], extra: list[int], processes: int) -> Iterator[Iterable[Stretch]]:
    """What is found in each stretch, in order; by other processes where there are to be several, which work already."""
    if processes > 1 and len(jobs) > 1:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context) as pool:
            check = partial(check_at, settings.BLUELAMP.database_url, extra=extra)
            yield pool.map(check, [first for first, _ in jobs], [end for _, end in jobs])
    else:
        connection.ensure_connection()
        yield (check_from(connection.connection, first, end, extra) for first, end in jobs)


def processors() -> int:
    """How many processes a check may keep busy here."""
    return len(os.sched_getaffinity(0))


def _witness_keys() -> list[WitnessKey]:
    return [witness.key for witness in settings.BLUELAMP.witnesses]


def _kept(note: str, listed: list[VerifierKey]) -> tuple[CheckpointRow | None, list[str]]:
    if not note.strip():
        return None, []
    # As it was signed, after a browser's form or a mail changed the ends of its lines.
    text = "\n".join(line.rstrip() for line in note.strip().splitlines()) + "\n"
    try:
        checkpoint = verify_checkpoint(text, listed)
    except FormatError as error:
        return None, [f"The note that was kept cannot be trusted: {error}"]
    return CheckpointRow(checkpoint.size, checkpoint.root, None, text), []


def _checkpoints(kept: CheckpointRow | None, latest: int) -> Iterator[CheckpointRow]:
    if kept:
        yield kept
    stored = CustodyCheckpoint.objects.filter(size__lte=latest).order_by("size")
    for size, root, frontier, note, previous in stored.values_list(
        "size", "root", "frontier", "note", "previous"
    ).iterator():
        yield CheckpointRow(size, bytes(root), bytes(frontier), note, previous)


def _said(numbers: Sequence[int]) -> Mapping[int, bytes]:
    return {number: bytes(stored) for number, stored in _all(_SAID, [list(numbers)])}


def _all(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor.fetchall()]
