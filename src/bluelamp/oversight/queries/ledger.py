"""Reading the ledger as an auditor does: filtered, page by page, one event in full, the latest checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from bluelamp.custody.event import registered_types
from bluelamp.custody.models import CustodyCheckpoint
from bluelamp.custody.queries import SELECT_ITEMS, HistoryItem, items
from bluelamp.formats import leaf, merkle
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.errors import FormatError
from bluelamp.kernel.errors import NotFound
from bluelamp.verify.ledger import commits

PAGE = 50

_WANTED = """
WHERE (%(tags)s::text[] IS NULL OR e.tag = ANY(%(tags)s))
  AND (%(actors)s::text[] IS NULL OR d.actor = ANY(%(actors)s))
  AND (%(subjects)s::text[] IS NULL OR d.subject = ANY(%(subjects)s)
       OR (d.also && %(subjects)s AND d.also <> '{}'))
  AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)
  AND (%(before)s::bigint IS NULL OR e.id < %(before)s)
ORDER BY {order} DESC LIMIT %(limit)s
"""
# Walking back from the newest event to a day long past would pass all that came since. The sum keeps the planner from
# that: it takes the day from the index of types and times, and sorts it.
_SHORT = timedelta(days=2)
_WALK, _SORT = "e.id", "(e.id + 0)"
_TAGS = """
WITH RECURSIVE found (tag) AS (
    (SELECT tag FROM custody_event ORDER BY tag LIMIT 1)
    UNION ALL
    SELECT (SELECT tag FROM custody_event WHERE tag > found.tag ORDER BY tag LIMIT 1) FROM found WHERE tag IS NOT NULL
)
SELECT tag FROM found WHERE tag IS NOT NULL
"""
_STORED = "SELECT e.entry, d.stored FROM custody_event e JOIN custody_detail d ON d.event_id = e.id WHERE e.id = %s"


@dataclass(frozen=True)
class Wanted:
    """Which events are wanted; None and "" ask for all. `until` is excluded, `before` is the id to continue under."""

    group: str = ""
    tag: str = ""
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
    fields: tuple[leaf.Field, ...]
    entry: bytes
    matches: bool
    leaf_hash: bytes
    covered_by: CustodyCheckpoint | None
    disclosed: DisclosedEvent | None

    @property
    def recording_id(self) -> UUID | None:
        """The recording that the event is about, if it is about one."""
        return recording_id(self.item)

    @property
    def preimage(self) -> list[tuple[str, str, str]]:
        """What the leaf commits to, by field: its name, its value as JSON, its salt."""
        return [
            (field.name, json.dumps(field.value, ensure_ascii=False), field.salt.hex())
            if field.erased_by is None
            else (field.name, "", f"erased by event {field.erased_by}")
            for field in self.fields
        ]


def recording_id(item: HistoryItem) -> UUID | None:
    """The recording that an event is about, if it is about one."""
    kind, _, identifier = item.subject.partition(":")
    try:
        return UUID(identifier) if kind == "recording" else None
    except ValueError:
        return None


def groups() -> list[str]:
    """What events can be about, by the first part of their tags."""
    return sorted({tag.partition(".")[0] for tag in registered_types()})


def page(wanted: Wanted, size: int = PAGE) -> Page:
    """The newest `size` of the wanted events, fewer at the end."""
    items = events(wanted, size + 1)
    return Page(items[:size], items[size - 1].id if len(items) > size else None)


def events(wanted: Wanted, limit: int) -> list[HistoryItem]:
    """Up to `limit` of the wanted events, newest first."""
    tags = tags_wanted(wanted)
    is_short = wanted.since is not None and wanted.until is not None and wanted.until - wanted.since <= _SHORT
    by_time = is_short and wanted.actors is None and wanted.subjects is None
    if by_time and tags is None:
        tags = _all_tags()
    parameters = {
        "tags": tags,
        "actors": _list(wanted.actors),
        "subjects": _list(wanted.subjects),
        "since": wanted.since,
        "until": wanted.until,
        "before": wanted.before,
        "limit": limit,
    }
    return items(SELECT_ITEMS + _WANTED.replace("{order}", _SORT if by_time else _WALK), parameters)


def _all_tags() -> list[str]:
    """Every type that the ledger has, those of another release of Bluelamp too; some hundred looks at an index."""
    with connection.cursor() as cursor:
        cursor.execute(_TAGS)
        return [tag for (tag,) in cursor.fetchall()]


def tags_wanted(wanted: Wanted) -> list[str] | None:
    """The types of event that are asked for; None for all."""
    if not (wanted.group or wanted.operation or wanted.tag):
        return None
    return [
        tag
        for tag, kind in registered_types().items()
        if wanted.group in ("", tag.partition(".")[0])
        and wanted.operation in ("", kind.operation)
        and wanted.tag in ("", tag)
    ]


def event(event_id: int) -> Entry:
    """One event, recomputed. Raises NotFound."""
    found = items(f"{SELECT_ITEMS} WHERE e.id = %s", [event_id])
    if not found:
        raise NotFound("There is no event of this number in the ledger.", "", "Look it up in the list of events.")
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [event_id])
        entry, stored = map(bytes, cursor.fetchone())
    return Entry(
        item=found[0],
        fields=_fields(stored),
        entry=entry,
        matches=commits(entry, stored),
        leaf_hash=merkle.leaf_hash(entry),
        covered_by=covering(found[0].leaf),
        disclosed=_disclosed(stored),
    )


def around(item: HistoryItem, each: int = 3) -> list[HistoryItem]:
    """The events about the same subject just before and just after, oldest first, this one left out."""
    where = "d.subject = %s OR (d.also @> ARRAY[%s] AND d.also <> '{}')"
    before = items(
        f"{SELECT_ITEMS} WHERE ({where}) AND e.id < %s ORDER BY e.id DESC LIMIT %s",
        [item.subject, item.subject, item.id, each],
    )
    after = items(
        f"{SELECT_ITEMS} WHERE ({where}) AND e.id > %s ORDER BY e.id LIMIT %s",
        [item.subject, item.subject, item.id, each],
    )
    return [*reversed(before), *after]


def stored_of(event_ids: Sequence[int]) -> dict[int, bytes]:
    """What events say, as it is stored (`formats.leaf`), by number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id, stored FROM custody_detail WHERE event_id = ANY(%s)", [list(event_ids)])
        return {event_id: bytes(stored) for event_id, stored in cursor.fetchall()}


def _disclosed(stored: bytes) -> DisclosedEvent | None:
    try:
        return leaf.disclosed(stored)
    except FormatError:
        return None


def _fields(stored: bytes) -> tuple[leaf.Field, ...]:
    try:
        return tuple(leaf.read(stored))
    except FormatError:
        return ()


def covering(index: int | None) -> CustodyCheckpoint | None:
    """The first checkpoint that a leaf stands under."""
    if index is None:
        return None
    found: CustodyCheckpoint | None = CustodyCheckpoint.objects.filter(size__gt=index).order_by("size").first()
    return found


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
