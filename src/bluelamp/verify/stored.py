"""Reading a stretch of the ledger from the database, to be checked by `verify.ledger`.

Without Django, so that a process that only checks starts in a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from bluelamp.verify.ledger import STRETCH, Row, Stretch, TileRow, check_stretch

_PAGE = 8192
_ROWS = """
SELECT l.index, l.event_id, e.entry, e.tag, e.at AT TIME ZONE 'UTC', d.stored, d.actor, d.subject, d.also
FROM custody_leaf l LEFT JOIN custody_event e ON e.id = l.event_id LEFT JOIN custody_detail d ON d.event_id = l.event_id
WHERE l.index >= %s AND l.index < %s ORDER BY l.index
"""
_TILES = "SELECT level, index, hashes, root FROM custody_tile WHERE level = %s AND index >= %s AND index < %s"
_SIZES = "SELECT size FROM custody_checkpoint WHERE size > %s AND size <= %s"


def check_at(url: str, first: int, end: int, extra: Sequence[int]) -> Stretch:
    """`check_from` over a connection of its own to the database at `url`."""
    with psycopg.connect(url) as database:
        # As many processes check as there are processors: workers of the database's own would only be in their way.
        database.execute("SET max_parallel_workers_per_gather = 0")
        return check_from(database, first, end, extra)


def check_from(database: psycopg.Connection[Any], first: int, end: int, extra: Sequence[int]) -> Stretch:
    """Check the leaves from `first`, a multiple of 65,536, up to `end`, exclusive, at most so many later.

    The tree's frontier is told at the size of each checkpoint among them, and at `extra` sizes.
    """
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
