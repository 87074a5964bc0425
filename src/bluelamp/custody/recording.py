"""The only way into the ledger."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from bluelamp.custody.event import Event
from bluelamp.custody.service import note_event
from bluelamp.formats import canonical
from bluelamp.kernel import clock

_SALT_BYTES = 16

# One statement: the event, what it says, and its place in the queue to the tree.
_INSERT = """
WITH event AS (
    INSERT INTO custody_event (entry, tag, at) VALUES (%s, %s, %s) RETURNING id
), detail AS (
    INSERT INTO custody_detail (event_id, fields, salts) SELECT id, %s, %s FROM event
), pending AS (
    INSERT INTO custody_pending (event_id) SELECT id FROM event
)
SELECT id FROM event
"""


@dataclass(frozen=True)
class CustodyRecord:
    """A recorded event: its id and the 32-byte entry that becomes its leaf."""

    id: int
    entry: bytes
    at: datetime


def record(event: Event) -> CustodyRecord:
    """Record `event` in the caller's transaction.

    Raises RuntimeError outside a transaction: an event without its change, or a change without its event, must be
    impossible. The leaf's format is docs/protocols/custody-leaf.md.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event.tag} was recorded outside a transaction")
    at = clock.now()
    fields = leaf_fields(event, at)
    salts = {name: secrets.token_bytes(_SALT_BYTES) for name in fields}
    entry = canonical.commit(fields, salts)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                entry,
                event.tag,
                at,
                Jsonb(fields),
                Jsonb({name: salt.hex() for name, salt in salts.items()}),
            ],
        )
        (event_id,) = cursor.fetchone()
    note_event()
    return CustodyRecord(event_id, entry, at)


def leaf_fields(event: Event, at: datetime) -> dict[str, Any]:
    """The fields under an event's commitment: the common ones, and the event's own with the prefix `detail.`."""
    return {
        "tag": event.tag,
        "operation": event.operation.value,
        "at": at.isoformat().replace("+00:00", "Z"),
        "actor": event.actor,
        "subject": event.subject,
        "also": list(event.also),
        "reason": event.reason,
        **{f"detail.{name}": value for name, value in event.details().items()},
    }
