"""A recording's custody history in words: who, when, what; and what of it a reader may learn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.custody.queries import history as events_about
from bluelamp.footage import hooks
from bluelamp.footage.filters import LONDON
from bluelamp.footage.models import Category, Recording
from bluelamp.footage.timeline import clock
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Actor, Role, Thing, may

_WORDS = {
    "recording.collected": "Received, checked against its SHA-256 and sealed",
    "recording.prepared": "Prepared for viewing",
    "recording.preparation_failed": "Could not be prepared for viewing",
    "recording.preparation_requested": "Preparation tried again",
    "recording.consulted": "Facts read",
    "recording.viewed": "Opened to watch",
    "recording.viewing_closed": "Access to watch ended",
    "recording.range_served": "Watched",
    "recording.flagged": "Flagged as evidence",
    "recording.flag_released": "Evidence flag released",
    "recording.categorised": "Category changed",
    "recording.reference_added": "Reference added",
    "recording.note_added": "Note written",
    "recording.locked": "Locked",
    "recording.unlocked": "Lock ended",
    "recording.watch_released": "One person let in to watch in spite of the lock",
    "recording.due_set": "Deletion date set",
    "recording.quarantined": "Put into quarantine",
    "recording.restored": "Brought back from quarantine",
    "recording.deleted": "Deleted",
    "footage.listed": "Shown in a search",
    "access.refused": "Refused",
}
_MOST_EVENTS = 2000  # read for one page; a player's ranges are merged only after reading
_REPEATS = {"recording.range_served", "footage.listed", "recording.consulted", "access.refused"}


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
    names = _names(items)
    categories = dict(Category.objects.values_list("code", "name"))
    made = [
        Line(
            at=item.at,
            who=names[item.actor],
            what=_what(item, names, categories),
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
    if may(reader, Action.VIEW_AUDIT).allowed:
        return False
    by_role = may(reader, Action.VIEW_HISTORY, Thing(subject=thing.subject)).allowed
    return reader.id == thing.wearer or not by_role


def hidden_viewers(viewers: Iterable[str]) -> set[str]:
    """Those of `viewers` (custody ids) whom a discreet page leaves out: professional standards."""
    ids = {int(viewer[7:]) for viewer in viewers if viewer.startswith("person:") and viewer[7:].isdecimal()}
    found = Person.objects.filter(pk__in=ids, roles__contains=[Role.PROFESSIONAL_STANDARDS.value])
    return {person.custody_id for person in found}


def _names(items: Iterable[HistoryItem]) -> dict[str, str]:
    """What actors, and people named in details, are called; a viewer's own name where nobody knows the id."""
    own = {item.actor: str(item.details["viewer_name"]) for item in items if item.details.get("viewer_name")}
    wanted = {item.actor for item in items} | {str(item.details.get("person", "")) for item in items}
    known = words.names(wanted - {""})
    return {custody_id: own.get(custody_id, name) if name == custody_id else name for custody_id, name in known.items()}


def _what(item: HistoryItem, names: dict[str, str], categories: dict[str, str]) -> str:
    said = _WORDS.get(item.tag) or hooks.history_words.get(item.tag) or words.describe(item).removesuffix(".")
    details = item.details
    match item.tag:
        case "recording.viewed":
            return "Downloaded" if details.get("purpose") == "download" else said
        case "recording.range_served":
            return f"{said} {_stretch(details)}"
        case "recording.flagged" | "recording.flag_released":
            return f"{said}: {categories.get(details.get('category', ''), details.get('category', ''))}"
        case "recording.categorised":
            before, after = (categories.get(details.get(key) or "", "none") for key in ("before", "after"))
            return f"{said} from {before} to {after}"
        case "recording.reference_added":
            return f"{said}: {details.get('value', '')}"
        case "recording.note_added" if details.get("at_ms") is not None:
            return f"{said} at {clock(details['at_ms'])}"
        case "recording.preparation_failed":
            return f"{said}: {details.get('why', '')}"
        case "recording.watch_released":
            return f"{said}: {names.get(str(details.get('person')), '')}"
        case "recording.due_set":
            return f"{said}: {_day(details.get('after'))}"
        case "access.refused":
            return f"{said} ({str(details.get('action', '')).replace('_', ' ')}): {details.get('why', '')}"
    return said


def _stretch(details: dict[str, Any]) -> str:
    start, end = details.get("from_ms"), details.get("to_ms")
    if start is None or end is None:
        return "part of it"
    return f"{clock(start)} to {clock(end)}, approximately"


def _day(value: str | None) -> str:
    if not value:
        return "none, until somebody decides"
    day = datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(LONDON)
    return f"{day.day} {day:%B %Y}"


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
    words = ", ".join(f"{clock(start)} to {clock(end)}" for start, end in joined)
    return replace(run, what=f"Watched {words}, approximately", times=1)
