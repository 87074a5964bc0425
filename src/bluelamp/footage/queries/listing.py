"""Pages of recordings: filtered, restricted to what the asker may see facts of, newest first, keyset-paged.

The restriction is part of the SQL, so that neither a count nor a page can tell of what one may not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from bluelamp.footage import search
from bluelamp.footage.filters import Filters, Position
from bluelamp.footage.models import Derivative, EvidenceFlag, Recording, Reference
from bluelamp.footage.queries.one import recordings_of_member, things
from bluelamp.people.policy import Action, Actor, Decision, Role, Thing, may
from bluelamp.people.queries import unit_and_below

PAGE = 25
MOST_COUNTED = 1000
"""Up to how many results are counted; beyond, a page says "more than"."""
MOST_ARRIVED = 99

_EVENTS = {
    "marker": ("marker",),
    "mute": ("mute",),
    "stealth": ("stealth_on",),
    "power_loss": ("power_loss",),
}


@dataclass(frozen=True)
class Row:
    """One result: the recording, what may be shown of it, and what hangs on it."""

    recording: Recording
    watch: Decision
    flag: EvidenceFlag | None
    references: tuple[Reference, ...]
    has_poster: bool

    @property
    def shows_poster(self) -> bool:
        """Only what may be watched without a reason has a picture in a list."""
        live = self.recording.state == Recording.State.LIVE
        return live and self.has_poster and self.watch.allowed and not self.watch.needs_reason


@dataclass(frozen=True)
class Listing:
    """A page of results. `earlier` and `later` continue it; `count` stops at MOST_COUNTED + 1."""

    rows: list[Row]
    count: int
    earlier: Position | None = None
    later: Position | None = None


def page(actor: Actor, filters: Filters, size: int = PAGE) -> Listing:
    """The page of recordings that `filters` ask for and `actor` may see the facts of."""
    conditions, values = _conditions(actor, filters)
    ids = _ids(conditions, values, filters, size + 1)
    more, ids = len(ids) > size, ids[:size]
    if filters.newer_than is not None:
        ids.reverse()
        earlier, later = bool(ids), more
    else:
        earlier, later = more, filters.older_than is not None
    rows = _rows(actor, ids)
    return Listing(
        rows=rows,
        count=_count(conditions, values),
        earlier=_position(rows[-1].recording) if rows and earlier else None,
        later=_position(rows[0].recording) if rows and later else None,
    )


def arrived(actor: Actor, filters: Filters, since: datetime) -> int:
    """How many recordings that `page` would list were received after `since`; at most MOST_ARRIVED + 1."""
    conditions, values = _conditions(actor, filters)
    return _count(f"{conditions} AND r.received_at > %s", [*values, since], MOST_ARRIVED + 1)


def _position(recording: Recording) -> Position:
    return Position(recording.started_at, recording.pk)


def _conditions(actor: Actor, filters: Filters) -> tuple[str, list[Any]]:
    found: list[str] = []
    values: list[Any] = []

    def add(condition: str, *given: Any) -> None:
        found.append(condition)
        values.extend(given)

    _restrict(actor, add)
    if filters.state:
        add("r.state = %s", filters.state)
    else:
        add("r.state <> 'deleted'")
    if filters.officer:
        people = _people(filters.officer)
        add("r.wearer_id = ANY(%s)", people)
    if filters.unit is not None:
        add("r.unit_id = ANY(%s)", sorted(unit_and_below(filters.unit)))
    if filters.since is not None:
        add("r.started_at >= %s", filters.since)
    if filters.until is not None:
        add("r.started_at < %s", filters.until)
    if filters.category is not None:
        add("r.category_id = %s", filters.category)
    if filters.flagged is not None:
        standing = (
            "EXISTS (SELECT 1 FROM footage_evidence_flag f WHERE f.recording_id = r.id AND f.released_at IS NULL)"
        )
        add(standing if filters.flagged else f"NOT {standing}")
    if filters.locked:
        add("r.locked_at IS NOT NULL")
    if filters.event:
        kinds = _EVENTS[filters.event]
        add("(" + " OR ".join("r.events @> %s::jsonb" for _ in kinds) + ")", *(f'[{{"kind": "{k}"}}]' for k in kinds))
    if filters.reference:
        # As typed, upper case, with single blanks: that is how references are kept (services.marks.add_reference).
        prefix = _literal(" ".join(filters.reference.upper().split()))
        add("r.id IN (SELECT recording_id FROM footage_reference WHERE value LIKE %s)", f"{prefix}%")
    if filters.text:
        words = search.condition(filters.text)
        if words is None:
            add("false")
        else:
            add(f"r.search @@ ({words[0]})", *words[1])
    return " AND ".join(found), values


def _restrict(actor: Actor, add: Any) -> None:
    """What policy.may() says of VIEW_FACTS, as SQL; a test holds the two together."""
    if may(actor, Action.VIEW_FACTS, Thing(subject="")).allowed:
        return
    own = ["r.wearer_id = %s", "r.added_by_id = %s", "r.id = ANY(%s)"]
    values: list[Any] = [actor.id, actor.id, sorted(recordings_of_member(actor.id)) if actor.id else []]
    if actor.roles & {Role.SUPERVISOR, Role.OFFICER}:
        own.append("r.unit_id = ANY(%s)")
        values.append(sorted(actor.units))
    add(f"({' OR '.join(own)})", *values)


def _people(text: str) -> list[int]:
    """Ids of people by warrant number, or by words that all stand in their name."""
    words = text.split()
    conditions = " AND ".join("name ILIKE %s" for _ in words)
    like = [f"%{_literal(word)}%" for word in words]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM people_person WHERE upper(warrant_number) = upper(%s) OR ({conditions})",  # noqa: S608  no value in the text
            [text.strip(), *like],
        )
        return [row[0] for row in cursor.fetchall()]


def _literal(text: str) -> str:
    """`text` for a LIKE pattern in which nothing of it is a wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _ids(conditions: str, values: list[Any], filters: Filters, limit: int) -> list[UUID]:
    order, beyond, given = "DESC", "", []
    if filters.newer_than is not None:
        order, beyond = "ASC", " AND (r.started_at, r.id) > (%s, %s)"
        given = [filters.newer_than.started_at, filters.newer_than.id]
    elif filters.older_than is not None:
        beyond = " AND (r.started_at, r.id) < (%s, %s)"
        given = [filters.older_than.started_at, filters.older_than.id]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.id FROM footage_recording r WHERE {conditions}{beyond} "  # noqa: S608  values are parameters
            f"ORDER BY r.started_at {order}, r.id {order} LIMIT %s",
            [*values, *given, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def _count(conditions: str, values: list[Any], most: int = MOST_COUNTED + 1) -> int:
    """How many, up to `most`; counted from the newest on, as they are listed.

    Without an order PostgreSQL takes whatever index promises the first matches soonest, and one of them begins with
    all that was ever deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM footage_recording r WHERE {conditions} "  # noqa: S608  values are parameters
            "ORDER BY r.started_at DESC, r.id DESC LIMIT %s) AS matches",
            [*values, most],
        )
        return int(cursor.fetchone()[0])


def _rows(actor: Actor, ids: list[UUID]) -> list[Row]:
    found = (
        Recording.objects.filter(pk__in=ids)
        .select_related("wearer", "unit", "added_by", "camera", "category")
        # What a row does not show and may be long stays where it is.
        .defer("manifest", "track", "waveform", "search", "storyboard")
        .in_bulk()
    )
    listed = [found[item] for item in ids if item in found]
    flags = {
        flag.recording_id: flag
        for flag in EvidenceFlag.objects.filter(recording_id__in=ids, released_at=None).select_related("category")
    }
    references: dict[UUID, list[Reference]] = {}
    for reference in Reference.objects.filter(recording_id__in=ids).order_by("pk"):
        references.setdefault(reference.recording_id, []).append(reference)
    posters = set(
        Derivative.objects.filter(recording_id__in=ids, kind=Derivative.Kind.POSTER).values_list(
            "recording_id", flat=True
        )
    )
    about = things(listed, actor.id) if actor.id is not None else {}
    return [
        Row(
            recording=item,
            watch=may(actor, Action.WATCH, about.get(item.pk)),
            flag=flags.get(item.pk),
            references=tuple(references.get(item.pk, ())),
            has_poster=item.pk in posters,
        )
        for item in listed
    ]
