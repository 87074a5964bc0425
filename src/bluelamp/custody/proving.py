"""What others check the ledger with: tiles, entry bundles, proofs, and events as they are handed out.

Full tiles are stored. A partial one is cut from the leaves, or from the roots of the full tiles below it, so that every
checkpoint that was ever signed has its tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.custody.models import CustodyCheckpoint, CustodyCosignature, CustodyTile
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.formats import leaf, merkle, proofs, tiles
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.log_proof import LogProof
from bluelamp.kernel.errors import NotFound

_ENTRIES = """
SELECT e.entry FROM custody_leaf l JOIN custody_event e ON e.id = l.event_id
WHERE l.index >= %s AND l.index < %s ORDER BY l.index
"""
_ROOTS = "SELECT root FROM custody_tile WHERE level = %s AND index >= %s AND index < %s ORDER BY index"
_EVENTS = """
SELECT e.id, e.at, l.index, d.stored
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id JOIN custody_leaf l ON l.event_id = e.id
"""


@dataclass(frozen=True)
class Proven:
    """An event of the tree as it is handed out: its number, time, leaf index and inclusion proof (hashes)."""

    id: int
    at: datetime
    index: int
    event: DisclosedEvent
    path: tuple[bytes, ...]


def read(tile: tiles.Tile) -> bytes:
    """The content of a tile, or of an entry bundle (level -1). Raises NotFound where the tree does not have it."""
    if tile.level < 0:
        return tiles.write_bundle(_rows(tile, _ENTRIES, []))
    if tile.width == tiles.WIDTH:
        stored = CustodyTile.objects.filter(level=tile.level, index=tile.index).values_list("hashes", flat=True).first()
        if stored is None:
            raise _missing(tile)
        return bytes(stored)
    if tile.level == 0:
        return b"".join(merkle.leaf_hash(entry) for entry in _rows(tile, _ENTRIES, []))
    return b"".join(_rows(tile, _ROOTS, [tile.level - 1]))


def latest() -> CustodyCheckpoint:
    """The latest checkpoint. Raises NotFound while there is none."""
    found = latest_checkpoint()
    if found is None:
        raise NotFound(
            "There is no checkpoint yet.",
            "Events are kept; they stand in a checkpoint as soon as a worker runs.",
            "Try again in a moment.",
        )
    return found


def cosigned() -> CustodyCheckpoint:
    """The latest checkpoint that a witness has cosigned. Raises NotFound while there is none."""
    size = CustodyCosignature.objects.order_by("-size").values_list("size", flat=True).first()
    found = None if size is None else CustodyCheckpoint.objects.filter(size=size).first()
    if found is None:
        raise NotFound("No witness has cosigned a checkpoint yet.", "", "The latest checkpoint is at /log/checkpoint.")
    return found


def published(checkpoint: CustodyCheckpoint) -> str:
    """A checkpoint's note with the cosignatures it has."""
    lines = CustodyCosignature.objects.filter(size=checkpoint.size).order_by("witness").values_list("line", flat=True)
    return str(checkpoint.note) + "".join(lines)


def inclusion(index: int, size: int) -> list[bytes]:
    """The inclusion proof of leaf `index` in the tree of `size` leaves. Raises ProofError, NotFound."""
    return proofs.prove_inclusion(index, size, _nodes(size))


def consistency(old: int, new: int) -> list[bytes]:
    """The proof that the tree of `new` leaves continues that of `old`. Raises ProofError, NotFound."""
    return proofs.prove_consistency(old, new, _nodes(new))


def log_proof(event_id: int, checkpoint: CustodyCheckpoint | None = None) -> LogProof:
    """The proof that an event stands under a checkpoint, the latest where none is given.

    Raises NotFound while the event is not in the tree, ProofError where the checkpoint does not reach it.
    """
    under = checkpoint or latest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT index FROM custody_leaf WHERE event_id = %s", [event_id])
        found = cursor.fetchone()
    if found is None:
        raise NotFound("This event is not in a checkpoint yet.", "It is kept.", "Try again in a few seconds.")
    return LogProof(found[0], tuple(inclusion(found[0], under.size)), published(under))


def proven(checkpoint: CustodyCheckpoint, *, subjects: Sequence[str] = (), events: Iterable[int] = ()) -> list[Proven]:
    """Events about any of the subjects, or of these numbers, with their proofs under a checkpoint; oldest first.

    Events that came after the checkpoint are left out.
    """
    sql = _EVENTS + (
        "WHERE l.index < %s AND (e.id = ANY(%s) OR d.subject = ANY(%s) OR (d.also && %s AND d.also <> '{}'))"
        " ORDER BY l.index"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [checkpoint.size, list(events), list(subjects), list(subjects)])
        rows = cursor.fetchall()
    nodes = _nodes(checkpoint.size)
    return [
        Proven(
            event_id,
            at,
            index,
            leaf.disclosed(bytes(stored)),
            tuple(proofs.prove_inclusion(index, checkpoint.size, nodes)),
        )
        for event_id, at, index, stored in rows
    ]


def _nodes(size: int) -> proofs.Nodes:
    return tiles.TileNodes(size, read)


def _rows(tile: tiles.Tile, sql: str, before: list[Any]) -> list[bytes]:
    first = tile.index * tiles.WIDTH
    with connection.cursor() as cursor:
        cursor.execute(sql, [*before, first, first + tile.width])
        found = [bytes(value) for (value,) in cursor.fetchall()]
    if len(found) != tile.width:
        raise _missing(tile)
    return found


def _missing(tile: tiles.Tile) -> NotFound:
    return NotFound(f"The log has no {tile.path}.", "", "Ask for tiles of a checkpoint that was published.")
