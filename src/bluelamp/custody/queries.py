"""Reading the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.custody.event import registered_types
from bluelamp.custody.models import CustodyCheckpoint
from bluelamp.formats import leaf
from bluelamp.formats.errors import FormatError

SELECT_ITEMS = """
SELECT e.id, e.at, e.tag, d.actor, d.subject, d.also, d.stored, l.index
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id LEFT JOIN custody_leaf l ON l.event_id = e.id
"""
"""What `items` reads; conditions follow."""
# The index of further subjects leaves out the many events that have none.
_ABOUT = "(d.subject = %s OR (d.also @> ARRAY[%s] AND d.also <> '{}'))"


@dataclass(frozen=True)
class HistoryItem:
    """One event as a person reads it. `leaf` is its index in the tree, None until the next checkpoint.

    `erased`: fields whose value the law took out of the ledger; they read as None or "".
    """

    id: int
    at: datetime
    tag: str
    operation: str
    actor: str
    subject: str
    also: tuple[str, ...]
    reason: str
    details: dict[str, Any]
    leaf: int | None
    erased: tuple[str, ...] = ()


def history(subject: str, limit: int = 500) -> list[HistoryItem]:
    """The latest `limit` events about `subject`, oldest first."""
    return list(
        reversed(items(f"{SELECT_ITEMS} WHERE {_ABOUT} ORDER BY e.id DESC LIMIT %s", [subject, subject, limit]))
    )


def search(
    *,
    tag: str = "",
    actor: str = "",
    subject: str = "",
    operation: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[HistoryItem]:
    """Events newest first, narrowed by what is given; `before_id` continues a former page."""
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("e.tag = %s", tag),
        ("d.actor = %s", actor),
        ("e.tag = ANY(%s)", tags_of(operation) if operation else ""),
        ("e.at >= %s", since),
        ("e.at < %s", until),
        ("e.id < %s", before_id),
    ):
        if value not in ("", None):
            conditions.append(condition)
            values.append(value)
    if subject:
        conditions.append(_ABOUT)
        values += [subject, subject]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return items(f"{SELECT_ITEMS}{where} ORDER BY e.id DESC LIMIT %s", [*values, limit])


def count(tag: str, since: datetime | None = None) -> int:
    """How many events of a type there are, since a time or ever."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM custody_event WHERE tag = %s AND (%s::timestamptz IS NULL OR at >= %s)",
            [tag, since, since],
        )
        return int(cursor.fetchone()[0])


def happened(tag: str, *, actor: str, subject: str, since: datetime) -> bool:
    """Whether `actor` caused an event of a type about `subject` since then."""
    return bool(
        _rows(
            f"{SELECT_ITEMS} WHERE e.tag = %s AND e.at >= %s AND d.actor = %s AND {_ABOUT} LIMIT 1",
            [tag, since, actor, subject, subject],
        )
    )


def latest_checkpoint() -> CustodyCheckpoint | None:
    return CustodyCheckpoint.objects.order_by("-size").first()


def tags_of(operation: str) -> list[str]:
    """The types of event that are one of the six operations."""
    return [tag for tag, kind in registered_types().items() if kind.operation == operation]


def _rows(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def items(sql: str, values: list[Any] | dict[str, Any]) -> list[HistoryItem]:
    """The events that a query which begins with `SELECT_ITEMS` finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [history_item(*row) for row in cursor.fetchall()]


def history_item(
    event_id: int, at: datetime, tag: str, actor: str, subject: str, also: list[str], stored: Any, index: int | None
) -> HistoryItem:
    """An event from its row, in the order of `SELECT_ITEMS`."""
    try:
        fields = list(leaf.read(bytes(stored)))
    except FormatError:
        # Somebody changed it in the database. The verification names it; the history shows what is left.
        fields = [leaf.Field("reason", b"", "What this event said cannot be read: it was damaged or changed.")]
    said = {field.name: field.value for field in fields if field.erased_by is None}
    return HistoryItem(
        id=event_id,
        at=at,
        tag=tag,
        operation=str(said.get("operation") or ""),
        actor=actor,
        subject=subject,
        also=tuple(also),
        reason=str(said.get("reason") or ""),
        details={name[7:]: value for name, value in said.items() if name.startswith("detail.")},
        leaf=index,
        erased=tuple(field.name.removeprefix("detail.") for field in fields if field.erased_by is not None),
    )
