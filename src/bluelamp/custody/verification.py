"""Checking the ledger in the database against its checkpoints: what `bluelamp verify --database` and the pages run."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import django
import psycopg
from django.conf import settings
from django.db import connection

from bluelamp.custody import keys
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
    Row,
    Stretch,
    TileRow,
    check_stretch,
    conclude,
)

_PAGE = 8192
_ROWS = """
SELECT l.index, l.event_id, e.entry, e.tag, e.at AT TIME ZONE 'UTC', d.stored, d.actor, d.subject, d.also
FROM custody_leaf l LEFT JOIN custody_event e ON e.id = l.event_id LEFT JOIN custody_detail d ON d.event_id = l.event_id
WHERE l.index >= %s AND l.index < %s ORDER BY l.index
"""
_TILES = "SELECT level, index, hashes, root FROM custody_tile WHERE level = %s AND index >= %s AND index < %s"
_HIGH_TILES = "SELECT level, index, hashes, root FROM custody_tile WHERE level > 1"
# In one statement, hence at one moment: what is sequenced while the check runs is left to the next.
_EXTENT = """
SELECT (SELECT coalesce(max(index) + 1, 0) FROM custody_leaf), (SELECT coalesce(max(size), 0) FROM custody_checkpoint)
"""
_COSIGNATURES = "SELECT size, witness, line FROM custody_cosignature WHERE size <= %s"
_SIZES = "SELECT size FROM custody_checkpoint WHERE size > %s AND size <= %s"
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
    if processes > 1 and len(jobs) > 1:
        context = multiprocessing.get_context("spawn")
        # The models must be loadable before a process can find what it is to do.
        with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context, initializer=django.setup) as pool:
            url = settings.BLUELAMP.database_url
            stretches = list(pool.map(_elsewhere, [url] * len(jobs), jobs, [extra] * len(jobs)))
    else:
        connection.ensure_connection()
        raw: psycopg.Connection[Any] = connection.connection
        stretches = [_stretch(raw, job, extra) for job in jobs]
    report = conclude(
        stretches,
        _checkpoints(kept, latest),
        listed,
        listed=[KeyRow(*row) for row in CustodyLogKey.objects.order_by("since_size").values_list("vkey", "since_size")],
        cosigned=[CosignatureRow(*row) for row in _all(_COSIGNATURES, [latest])],
        witnesses=_witness_keys(),
        high_tiles=_all(_HIGH_TILES, []),
        outside=[number for (number,) in _all(_OUTSIDE, [])],
        events=_said,
    )
    return LedgerReport(report.size, (*problems, *report.problems)), kept.size if kept else None


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


def _elsewhere(url: str, job: tuple[int, int], extra: list[int]) -> Stretch:
    with psycopg.connect(url) as database:
        return _stretch(database, job, extra)


def _stretch(database: psycopg.Connection[Any], job: tuple[int, int], extra: list[int]) -> Stretch:
    first, end = job
    # Not the connection's own kind of cursor: Django's sends and reads text.
    with psycopg.Cursor(database) as cursor:
        sizes = [size for (size,) in cursor.execute(_SIZES, [first, end]).fetchall()]
        sizes += [size for size in extra if first < size <= end]
        low, high = (first // 256, -(-end // 256)), (first // STRETCH, -(-end // STRETCH))
        tiles: list[TileRow] = cursor.execute(_TILES, [0, *low], binary=True).fetchall()
        tiles += cursor.execute(_TILES, [1, *high], binary=True).fetchall()
    return check_stretch(first, _rows(database, first, end), sizes, tiles)


def _rows(database: psycopg.Connection[Any], first: int, end: int) -> Iterator[Row]:
    for start in range(first, end, _PAGE):
        with psycopg.Cursor(database) as cursor:
            cursor.execute(_ROWS, [start, min(start + _PAGE, end)], binary=True)
            yield from map(Row._make, cursor)
