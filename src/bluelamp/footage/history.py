"""A recording's custody history in words: who, when, what; and what of it a reader may learn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.custody.queries import history as events_about
from bluelamp.footage.models import Recording
from bluelamp.footage.timeline import clock
from bluelamp.formats.leaf import values
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Actor, Role, Thing, may

_ROLE_EVENTS = """
SELECT d.subject, d.stored FROM custody_detail d JOIN custody_event e ON e.id = d.event_id
WHERE d.subject = ANY(%s) AND e.tag IN ('person.created', 'person.roles_changed')
"""
_MOST_EVENTS = 2000  # read for one page; a player's ranges are merged only after reading
_REPEATS = {"recording.range_served", "footage.listed", "recording.consulted", "ledger.consulted", "access.refused"}


@dataclass(frozen=True)
class Line:
    """One line of the history. `times`: how many like it, one after the other, it stands for; `at` is the last."""

    at: datetime
    who: str
    what: str
    reason: str = ""
    times: int = 1
    leaf: int | None = None


def lines(recording: Recording, reader: Actor, thing: Thing) -> list[Line]:
    """The history as `reader` may learn it, newest first."""
    items = events_about(recording.custody_id, _MOST_EVENTS)
    discreet = is_discreet(reader, thing)
    if discreet:
        hidden = hidden_viewers(item.actor for item in items) - {reader.custody_id}
        items = [item for item in items if item.actor not in hidden]
        # That somebody who audits reads about it may be an inquiry as well.
        items = [item for item in items if item.actor == reader.custody_id or not item.tag.startswith("ledger.")]
    names = _names(items)
    made = [
        Line(
            at=item.at,
            who=names[item.actor],
            what=_what(item),
            reason="" if discreet and item.actor != reader.custody_id else item.reason,
            leaf=item.leaf,
        )
        for item in items
    ]
    return list(reversed(list(_merged(items, made))))


def is_discreet(reader: Actor, thing: Thing) -> bool:
    """Whether the reader must not learn that they, or a colleague, are being looked into.

    The wearer may see who watched, but not why, nor that professional standards did, whatever other role they hold;
    nor may one who reads the history only for want of a role, as a member of a case.
    """
    if reader.id != thing.wearer and may(reader, Action.VIEW_AUDIT).allowed:
        return False
    by_role = may(reader, Action.VIEW_HISTORY, Thing(subject=thing.subject)).allowed
    return reader.id == thing.wearer or not by_role


def hidden_viewers(viewers: Iterable[str]) -> set[str]:
    """Those of `viewers` (custody ids) whom a discreet page leaves out: professional standards, now or ever before.

    The ledger knows who was: somebody who has moved on looked as professional standards all the same.
    """
    people = [viewer for viewer in set(viewers) if viewer.startswith("person:") and viewer[7:].isdecimal()]
    now = Person.objects.filter(
        pk__in=[int(viewer[7:]) for viewer in people], roles__contains=[Role.PROFESSIONAL_STANDARDS.value]
    )
    found = {person.custody_id for person in now}
    with connection.cursor() as cursor:
        cursor.execute(_ROLE_EVENTS, [people])
        for subject, stored in cursor.fetchall():
            said = values(bytes(stored))
            roles = [role for name in ("roles", "before", "after") for role in said.get(f"detail.{name}") or ()]
            if Role.PROFESSIONAL_STANDARDS.value in roles:
                found.add(subject)
    return found


def _names(items: Iterable[HistoryItem]) -> dict[str, str]:
    """What actors are called; a viewer's own name where nobody knows the id."""
    own = {item.actor: str(item.details["viewer_name"]) for item in items if item.details.get("viewer_name")}
    known = words.names({item.actor for item in items})
    return {custody_id: own.get(custody_id, name) if name == custody_id else name for custody_id, name in known.items()}


def _what(item: HistoryItem) -> str:
    return words.describe(item).removesuffix(".")


def _merged(items: Sequence[HistoryItem], made: Sequence[Line]) -> Iterable[Line]:
    """Runs of the same person's looking become one line: a player asks for a hundred ranges a minute."""
    run: Line | None = None
    key: tuple[str, str] | None = None
    stretches: list[tuple[int, int]] = []
    for item, line in zip(items, made, strict=True):
        same = (item.actor, item.tag) if item.tag in _REPEATS else None
        if run is not None and same is not None and same == key:
            run = replace(run, at=line.at, times=run.times + 1, leaf=line.leaf)
            if item.tag == "access.refused":
                run = replace(run, what=line.what)
        else:
            if run is not None:
                yield _told(run, stretches)
            run, key, stretches = line, same, []
        if item.tag == "recording.range_served" and item.details.get("from_ms") is not None:
            stretches.append((item.details["from_ms"], item.details["to_ms"]))
    if run is not None:
        yield _told(run, stretches)


def _told(run: Line, stretches: list[tuple[int, int]]) -> Line:
    if len(stretches) < 2:
        return run
    joined: list[list[int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    seen = ", ".join(f"{clock(start)} to {clock(end)}" for start, end in joined)
    return replace(run, what=f"Watched or downloaded: {seen}, approximately", times=1)
