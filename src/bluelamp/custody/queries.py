"""Reading the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.custody.models import CustodyCheckpoint

_STRETCH = 5000

_SELECT = """
SELECT e.id, e.at, e.tag, d.fields, l.index
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id LEFT JOIN custody_leaf l ON l.event_id = e.id
"""

_LEAF = """
e.entry, d.fields, d.salts, e.tag, e.at
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id
"""
_LEAVES = f"""
SELECT l.index, {_LEAF} JOIN custody_leaf l ON l.event_id = e.id
WHERE l.index > %s AND (%s::bigint IS NULL OR l.index < %s) ORDER BY l.index LIMIT %s
"""
# An event whose leaf, or place in the queue to the tree, somebody removed.
_OUTSIDE = f"""
SELECT NULL::bigint, {_LEAF}
WHERE NOT EXISTS (SELECT FROM custody_leaf l WHERE l.event_id = e.id)
  AND NOT EXISTS (SELECT FROM custody_pending p WHERE p.event_id = e.id)
"""  # noqa: S608  a constant


@dataclass(frozen=True)
class HistoryItem:
    """One event as a person reads it. `leaf` is its index in the tree, None until the next checkpoint."""

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


def history(subject: str, limit: int = 500) -> list[HistoryItem]:
    """The latest `limit` events about `subject`, oldest first."""
    sql = f"{_SELECT} WHERE d.fields->>'subject' = %s OR d.fields->'also' ? %s ORDER BY e.id DESC LIMIT %s"
    return list(reversed(_items(sql, [subject, subject, limit])))


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
        ("d.fields->>'actor' = %s", actor),
        ("d.fields->>'operation' = %s", operation),
        ("e.at >= %s", since),
        ("e.at < %s", until),
        ("e.id < %s", before_id),
    ):
        if value not in ("", None):
            conditions.append(condition)
            values.append(value)
    if subject:
        conditions.append("(d.fields->>'subject' = %s OR d.fields->'also' ? %s)")
        values += [subject, subject]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return _items(f"{_SELECT}{where} ORDER BY e.id DESC LIMIT %s", [*values, limit])


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
            "SELECT 1 FROM custody_event e JOIN custody_detail d ON d.event_id = e.id WHERE e.tag = %s AND e.at >= %s "
            "AND d.fields->>'actor' = %s AND (d.fields->>'subject' = %s OR d.fields->'also' ? %s) LIMIT 1",
            [tag, since, actor, subject, subject],
        )
    )


def latest_checkpoint() -> CustodyCheckpoint | None:
    return CustodyCheckpoint.objects.order_by("-size").first()


def leaves(below: int | None = None) -> Iterator[tuple[int | None, bytes, dict[str, Any], dict[str, str], bool]]:
    """Every leaf in order, for verification: index, entry, fields, salts (hex), and whether tag and time are as said.

    Then, with index None, each event that stands neither in the tree nor in the queue to it. `below`: only the leaves
    with smaller indexes. Read in stretches, so that a ledger of any length fits into memory.
    """
    after = -1
    while rows := _rows(_LEAVES, [after, below, below, _STRETCH]):
        yield from (_leaf(*row) for row in rows)
        after = rows[-1][0]
    if below is None:
        yield from (_leaf(*row) for row in _rows(_OUTSIDE, []))


def _leaf(
    index: int | None, entry: Any, raw: Any, salts: Any, tag: str, at: datetime
) -> tuple[int | None, bytes, dict[str, Any], dict[str, str], bool]:
    fields = parsed(raw)
    try:
        as_said = fields["tag"] == tag and datetime.fromisoformat(fields["at"]) == at
    except (KeyError, TypeError, ValueError):
        as_said = False
    return index, bytes(entry), fields, parsed(salts), as_said


def _rows(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def history_item(event_id: int, at: datetime, tag: str, raw: Any, leaf: int | None) -> HistoryItem:
    """An event from its row: id, time, type, the JSON of its fields, index of its leaf."""
    fields = parsed(raw)
    return HistoryItem(
        id=event_id,
        at=at,
        tag=tag,
        operation=fields.get("operation", ""),
        actor=fields.get("actor", ""),
        subject=fields.get("subject", ""),
        also=tuple(fields.get("also", ())),
        reason=fields.get("reason", ""),
        details={name[7:]: value for name, value in fields.items() if name.startswith("detail.")},
        leaf=leaf,
    )


def parsed(value: Any) -> dict[str, Any]:
    """A JSON column's value; Django's connection hands it out as text."""
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def _items(sql: str, values: list[Any]) -> list[HistoryItem]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [history_item(*row) for row in cursor.fetchall()]
