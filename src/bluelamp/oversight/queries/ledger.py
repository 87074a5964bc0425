"""Reading the ledger as an auditor does: filtered, page by page, one event in full, the latest checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from bluelamp.custody.event import registered_types
from bluelamp.custody.models import CustodyCheckpoint
from bluelamp.custody.queries import HistoryItem, history_item, parsed
from bluelamp.formats import merkle
from bluelamp.kernel.errors import NotFound
from bluelamp.verify.ledger import commits

PAGE = 50

_EVENTS = """
SELECT e.id, e.at, e.tag, d.fields, l.index
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id LEFT JOIN custody_leaf l ON l.event_id = e.id
WHERE (%(tags)s::text[] IS NULL OR e.tag = ANY(%(tags)s))
  AND (%(actors)s::text[] IS NULL OR d.fields->>'actor' = ANY(%(actors)s))
  AND (%(subjects)s::text[] IS NULL OR d.fields->>'subject' = ANY(%(subjects)s) OR d.fields->'also' ?| %(subjects)s)
  AND (%(operation)s::text IS NULL OR d.fields->>'operation' = %(operation)s)
  AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)
  AND (%(before)s::bigint IS NULL OR e.id < %(before)s)
ORDER BY e.id DESC LIMIT %(limit)s
"""
_EVENT = """
SELECT e.id, e.at, e.tag, d.fields, l.index, d.salts, e.entry
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id LEFT JOIN custody_leaf l ON l.event_id = e.id
WHERE e.id = %s
"""
_BY_TAG = "SELECT tag, count(*) FROM custody_event WHERE tag = ANY(%s) AND at >= %s GROUP BY tag"


@dataclass(frozen=True)
class Wanted:
    """Which events are wanted; None and "" ask for all. `until` is excluded, `before` is the id to continue under."""

    group: str = ""
    actors: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None
    operation: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class Page:
    """Some events, newest first. `older` continues them; None: these are the last."""

    items: list[HistoryItem]
    older: int | None


@dataclass(frozen=True)
class Entry:
    """One event with what its leaf commits to. `covered_by` is the first checkpoint over it; None: not yet."""

    item: HistoryItem
    fields: dict[str, Any]
    salts: dict[str, str]
    entry: bytes
    matches: bool
    leaf_hash: bytes
    covered_by: CustodyCheckpoint | None

    @property
    def recording_id(self) -> UUID | None:
        """The recording that the event is about, if it is about one."""
        kind, _, identifier = self.item.subject.partition(":")
        try:
            return UUID(identifier) if kind == "recording" else None
        except ValueError:
            return None

    @property
    def preimage(self) -> list[tuple[str, str, str]]:
        """What the leaf commits to, by field: its name, its value as JSON, its salt."""
        return [
            (name, json.dumps(value, ensure_ascii=False), self.salts.get(name, "missing"))
            for name, value in sorted(self.fields.items())
        ]


def groups() -> list[str]:
    """What events can be about, by the first part of their tags."""
    return sorted({tag.partition(".")[0] for tag in registered_types()})


def page(wanted: Wanted, size: int = PAGE) -> Page:
    """The newest `size` of the wanted events, fewer at the end."""
    items = events(wanted, size + 1)
    return Page(items[:size], items[size - 1].id if len(items) > size else None)


def events(wanted: Wanted, limit: int) -> list[HistoryItem]:
    """Up to `limit` of the wanted events, newest first."""
    tags = [tag for tag in registered_types() if tag.partition(".")[0] == wanted.group] if wanted.group else None
    parameters = {
        "tags": tags,
        "actors": _list(wanted.actors),
        "subjects": _list(wanted.subjects),
        "operation": wanted.operation or None,
        "since": wanted.since,
        "until": wanted.until,
        "before": wanted.before,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, parameters)
        return [history_item(*row) for row in cursor.fetchall()]


def event(event_id: int) -> Entry:
    """One event, recomputed. Raises NotFound."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENT, [event_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no event of this number in the ledger.", "", "Look it up in the list of events.")
    *common, salts, entry = row
    item, fields, salts, entry = history_item(*common), parsed(row[3]), parsed(salts), bytes(entry)
    return Entry(
        item=item,
        fields=fields,
        salts=salts,
        entry=entry,
        matches=commits(entry, fields, salts),
        leaf_hash=merkle.leaf_hash(entry),
        covered_by=covering(item.leaf),
    )


def covering(leaf: int | None) -> CustodyCheckpoint | None:
    """The first checkpoint that a leaf stands under."""
    if leaf is None:
        return None
    found: CustodyCheckpoint | None = CustodyCheckpoint.objects.filter(size__gt=leaf).order_by("size").first()
    return found


def by_operation(since: datetime) -> dict[str, int]:
    """Events since an instant for each of the six operations of s.62."""
    kinds = registered_types()
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_TAG, [list(kinds), since])
        for tag, count in cursor.fetchall():
            operation = kinds[tag].operation.value
            found[operation] = found.get(operation, 0) + count
    return found


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
