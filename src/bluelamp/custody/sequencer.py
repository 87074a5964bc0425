"""Puts committed events into the Merkle tree, in batches, and signs a checkpoint of each new size.

Trees follow RFC 9162, checkpoints C2SP tlog-checkpoint. Events are taken from the pending table, never by "id greater
than the last one seen", because ids commit out of order.
"""

from __future__ import annotations

from django.db import connection
from django.db.transaction import atomic

from bluelamp.custody import keys
from bluelamp.custody.models import CustodyCheckpoint
from bluelamp.formats import merkle, signed_note
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.kernel import clock

_BATCH = 4096
_LOCK = 0x626C756C  # "blul": one sequencer at a time over all processes

_DRAIN = """
DELETE FROM custody_pending WHERE event_id IN (
    SELECT event_id FROM custody_pending ORDER BY event_id LIMIT %s
) RETURNING event_id
"""


def run_once() -> Checkpoint | None:
    """Sequence one batch of pending events and sign a checkpoint over them; None where nothing was pending."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_DRAIN, [_BATCH])
        event_ids = sorted(event_id for (event_id,) in cursor.fetchall())
        if not event_ids:
            return None
        latest = CustodyCheckpoint.objects.order_by("-size").first()
        tree = merkle.CompactRange.from_bytes(bytes(latest.frontier)) if latest else merkle.CompactRange()
        first = tree.size
        cursor.execute("SELECT id, entry FROM custody_event WHERE id = ANY(%s)", [event_ids])
        entries = {event_id: bytes(entry) for event_id, entry in cursor.fetchall()}
        for event_id in event_ids:
            tree.append(merkle.leaf_hash(entries[event_id]))
        cursor.execute(
            "INSERT INTO custody_leaf (index, event_id) "
            "SELECT %s + ordinality - 1, event_id FROM unnest(%s::bigint[]) WITH ORDINALITY AS t(event_id, ordinality)",
            [first, event_ids],
        )
        checkpoint = Checkpoint(keys.log_origin(), tree.size, tree.root())
        CustodyCheckpoint.objects.create(
            size=tree.size,
            root=tree.root(),
            frontier=tree.to_bytes(),
            note=signed_note.sign_note(checkpoint.text(), checkpoint.origin, keys.log_key()),
            created_at=clock.now(),
        )
    return checkpoint


def drain() -> int:
    """Sequence until nothing is pending; returns the number of batches."""
    batches = 0
    while run_once() is not None:
        batches += 1
    return batches
