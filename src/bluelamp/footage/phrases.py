"""What happened to a recording, in a sentence, for every page that shows the ledger."""

from __future__ import annotations

from datetime import datetime

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.footage import events
from bluelamp.footage.filters import LONDON
from bluelamp.footage.models import Category
from bluelamp.footage.timeline import clock

_PLAIN = {
    events.RecordingCollected: "Received, checked against its SHA-256 and sealed.",
    events.RecordingPrepared: "Prepared for viewing.",
    events.PreparationRequested: "Preparation tried again.",
    events.RecordingConsulted: "Facts read.",
    events.ViewingClosed: "Access to watch ended.",
    events.RecordingLocked: "Locked.",
    events.RecordingUnlocked: "Lock ended.",
    events.RecordingQuarantined: "Put into quarantine.",
    events.RecordingRestored: "Brought back from quarantine.",
    events.RecordingDeleted: "Deleted.",
}

# Rules about a person in a case: who reads a recording's history learns that a case keeps it, and no more.
_OF_A_CASE = {"proceedings", "mopi"}


def register() -> None:
    """Called once, when the app is ready."""
    words.sentences({kind.tag: said for kind, said in _PLAIN.items()})
    words.register(events.FootageListed.tag, _listed)
    words.register(events.PreparationFailed.tag, _failed)
    words.register(events.RecordingViewed.tag, _opened)
    words.register(events.RangeServed.tag, _served)
    words.register(events.RecordingCategorised.tag, _categorised)
    words.register(events.RecordingFlagged.tag, _flagged)
    words.register(events.FlagReleased.tag, _released)
    words.register(events.ReferenceAdded.tag, _referenced)
    words.register(events.NoteAdded.tag, _noted)
    words.register(events.WatchReleased.tag, _let_in)
    words.register(events.DueSet.tag, _due)


def _listed(item: HistoryItem) -> str:
    count = item.details.get("count", 0)
    return "One recording of others was listed." if count == 1 else f"{count:,} recordings of others were listed."


def _failed(item: HistoryItem) -> str:
    return f"Could not be prepared for viewing: {item.details.get('why', '')}"


def _opened(item: HistoryItem) -> str:
    return "Opened to download." if item.details.get("purpose") == "download" else "Opened to watch."


def _served(item: HistoryItem) -> str:
    start, end = item.details.get("from_ms"), item.details.get("to_ms")
    if start is None or end is None:
        return "Watched or downloaded: part of it."
    return f"Watched or downloaded: {clock(start)} to {clock(end)}, approximately."


def _categorised(item: HistoryItem) -> str:
    before, after = (_category(item.details.get(key)) for key in ("before", "after"))
    return f"Category changed from {before} to {after}."


def _flagged(item: HistoryItem) -> str:
    return f"Flagged as evidence: {_category(item.details.get('category'))}."


def _released(item: HistoryItem) -> str:
    return f"Evidence flag released: {_category(item.details.get('category'))}."


def _referenced(item: HistoryItem) -> str:
    kind = str(item.details.get("kind", "")).replace("_", " ")
    return f"Reference added: {kind} {item.details.get('value', '')}."


def _noted(item: HistoryItem) -> str:
    at = item.details.get("at_ms")
    return "Note written." if at is None else f"Note written at {clock(at)}."


def _let_in(item: HistoryItem) -> str:
    return f"One person let in to watch in spite of the lock: {words.name(str(item.details.get('person', '')))}."


def _due(item: HistoryItem) -> str:
    after = item.details.get("after")
    if not after:
        return "Deletion date set: none, until somebody decides."
    day = datetime.fromisoformat(str(after).replace("Z", "+00:00")).astimezone(LONDON)
    code = str(item.details.get("rule", "")).partition(":")[0]
    rule = "case" if code.removesuffix("_open") in _OF_A_CASE else code.replace("_", " ")
    return f"Deletion date set: {day.day} {day:%B %Y}, by the rule “{rule}”."


def _category(code: object) -> str:
    """A category by its name; a code that is known no more, as it is."""
    if not code:
        return "none"
    return Category.objects.filter(code=code).values_list("name", flat=True).first() or str(code)
