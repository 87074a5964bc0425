"""Puts committed events into the Merkle tree, in batches, and signs a checkpoint of each new size.

Trees follow RFC 9162, checkpoints C2SP tlog-checkpoint, tiles C2SP tlog-tiles. Events are taken from the pending table,
never by "id greater than the last one seen", because ids commit out of order. A batch is one transaction: leaves, the
tiles that became full, and the checkpoint over them, or none of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.transaction import atomic

from bluelamp.custody import keys, proving
from bluelamp.custody.models import CustodyCheckpoint, CustodyTile
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.formats import merkle, tiles
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.kernel import clock

_BATCH = 4096
_LOCK = 0x626C756C  # "blul": one sequencer at a time over all processes

_DRAIN = """
DELETE FROM custody_pending WHERE event_id IN (
    SELECT event_id FROM custody_pending ORDER BY event_id LIMIT %s
) RETURNING event_id
"""
_LEAVES = """
INSERT INTO custody_leaf (index, event_id)
SELECT %s + ordinality - 1, event_id FROM unnest(%s::bigint[]) WITH ORDINALITY AS t(event_id, ordinality)
"""


def run_once() -> Checkpoint | None:
    """Sequence one batch of pending events and sign a checkpoint over them; None where nothing was pending."""
    return _batch()[0]


def keep_up() -> int:
    """Sequence what is pending now, in as few batches as it takes; returns their number.

    What comes in meanwhile waits for the next time: else a busy force would sign a checkpoint for every few events.
    """
    batches = 0
    while True:
        checkpoint, events = _batch()
        batches += checkpoint is not None
        if events < _BATCH:
            return batches


def _batch() -> tuple[Checkpoint | None, int]:
    with atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_DRAIN, [_BATCH])
        event_ids = sorted(event_id for (event_id,) in cursor.fetchall())
        if not event_ids:
            return None, 0
        latest = latest_checkpoint()
        tree = merkle.CompactRange.from_bytes(bytes(latest.frontier)) if latest else merkle.CompactRange()
        first = tree.size
        cursor.execute("SELECT id, entry FROM custody_event WHERE id = ANY(%s)", [event_ids])
        entries = {event_id: bytes(entry) for event_id, entry in cursor.fetchall()}
        leaves = [merkle.leaf_hash(entries[event_id]) for event_id in event_ids]
        for leaf in leaves:
            tree.append(leaf)
        # Tiles before leaves: what a tile begins with is read as the tree was.
        CustodyTile.objects.bulk_create(_filled(first, leaves))
        cursor.execute(_LEAVES, [first, event_ids])
        checkpoint = Checkpoint(keys.present_origin(), tree.size, tree.root())
        CustodyCheckpoint.objects.create(
            size=tree.size,
            previous=first,
            root=tree.root(),
            frontier=tree.to_bytes(),
            note=keys.sign_checkpoint(checkpoint),
            created_at=clock.now(),
        )
    return checkpoint, len(event_ids)


def drain() -> int:
    """Sequence until nothing is pending; returns the number of batches."""
    batches = 0
    while run_once() is not None:
        batches += 1
    return batches


def _filled(size: int, new: list[bytes]) -> Iterator[CustodyTile]:
    """The tiles that become full when `new` hashes are added at each level to a tree of `size` leaves."""
    level = 0
    while new:
        had = size >> (tiles.HEIGHT * level)
        index, width = divmod(had, tiles.WIDTH)
        if width + len(new) < tiles.WIDTH:
            return
        row = (tiles.split_hashes(proving.read(tiles.Tile(level, index, width))) if width else []) + new
        new = []
        for at in range(0, len(row) - tiles.WIDTH + 1, tiles.WIDTH):
            hashes = row[at : at + tiles.WIDTH]
            root = merkle.root(hashes)
            yield CustodyTile(level=level, index=index, hashes=b"".join(hashes), root=root)
            new.append(root)
            index += 1
        level += 1
