"""The only way into the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.custody.event import Event
from bluelamp.custody.service import note_event
from bluelamp.formats import leaf
from bluelamp.kernel import clock, statements

# The event, what it says, and its place in the queue to the tree; a function of the database, see the migrations.
_RECORD = "custody_record(%s, %s, %s, %s, %s, %s, %s)"
_NO_MORE = "{}"  # as PostgreSQL writes an empty array: the list itself costs more to send

# Many are copied, which costs a third of an INSERT. Their numbers are drawn first and rise in the order given, which is
# the order of the leaves.
_NUMBERS = "SELECT nextval(pg_get_serial_sequence('custody_event', 'id')) FROM generate_series(1, %s)"
_COPY_EVENTS = "COPY custody_event (id, entry, tag, at) FROM STDIN (FORMAT BINARY)"
_COPY_DETAILS = "COPY custody_detail (event_id, actor, subject, also, stored) FROM STDIN (FORMAT BINARY)"
_COPY_PENDING = "COPY custody_pending (event_id) FROM STDIN (FORMAT BINARY)"
_FEW = 8  # so many go in one statement, which costs less than the round trips of copying
_MOST_AT_ONCE = 1000  # events copied at once, so that memory stays small

_Leaf = tuple[bytes, bytes]  # the entry that commits to an event, and what is stored of it


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
    _require_transaction(event)
    (recorded,) = _record_some([event], clock.now())
    note_event()
    return recorded


def record_all(events: Sequence[Event]) -> list[CustodyRecord]:
    """Record many events in the caller's transaction, with a few statements for each thousand of them.

    What stands in the ledger is what `record` would have written for one after the other, in this order, but that all
    have the same time. Returns their records in the same order; nothing for no events. Raises RuntimeError outside a
    transaction.
    """
    if not events:
        return []
    _require_transaction(events[0])
    at = clock.now()
    records: list[CustodyRecord] = []
    for first in range(0, len(events), _MOST_AT_ONCE):
        records += _record_some(events[first : first + _MOST_AT_ONCE], at)
    note_event()
    return records


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


def _require_transaction(event: Event) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event.tag} was recorded outside a transaction")


def _leaf(event: Event, at: datetime) -> _Leaf:
    """The entry that commits to an event, and what is stored of it."""
    fields = leaf_fields(event, at)
    # One draw from the system's generator for all salts: each costs a system call.
    return leaf.write(fields, secrets.token_bytes(leaf.SALT_SIZE * len(fields)))


def _record_some(events: Sequence[Event], at: datetime) -> list[CustodyRecord]:
    leaves = [_leaf(event, at) for event in events]
    record = _insert if len(events) <= _FEW else _copy
    ids = record(events, leaves, at)
    return [CustodyRecord(number, entry, at) for number, (entry, _) in zip(ids, leaves, strict=True)]


def _insert(events: Sequence[Event], leaves: Sequence[_Leaf], at: datetime) -> Sequence[int]:
    """Record a few in one statement; their numbers. Calls in a SELECT list are carried out from left to right."""
    values: list[object] = []
    for event, (entry, stored) in zip(events, leaves, strict=True):
        also = list(event.also) if event.also else _NO_MORE
        values += (entry, event.tag, at, event.actor, event.subject, also, stored)
    # Django's cursor would write the values into the statement, bytes as hexadecimal: half of what an event costs.
    (ids,) = statements.ask(f"SELECT {', '.join([_RECORD] * len(events))}", values, binary=True)
    return ids


def _copy(events: Sequence[Event], leaves: Sequence[_Leaf], at: datetime) -> Sequence[int]:
    """Record many; their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [len(events)])
        ids = sorted(number for (number,) in cursor.fetchall())
        given = list(zip(ids, events, leaves, strict=True))
        with cursor.copy(_COPY_EVENTS) as copy:
            copy.set_types(["int8", "bytea", "text", "timestamptz"])
            for number, event, (entry, _) in given:
                copy.write_row((number, entry, event.tag, at))
        with cursor.copy(_COPY_DETAILS) as copy:
            copy.set_types(["int8", "text", "text", "text[]", "bytea"])
            for number, event, (_, stored) in given:
                copy.write_row((number, event.actor, event.subject, list(event.also), stored))
        with cursor.copy(_COPY_PENDING) as copy:
            copy.set_types(["int8"])
            for number in ids:
                copy.write_row((number,))
    return ids
