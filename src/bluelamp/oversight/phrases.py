"""Sentences for events whose type's own description leaves out what an auditor wants to read first."""

from __future__ import annotations

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.footage import events as footage
from bluelamp.footage.timeline import clock
from bluelamp.people import events as people
from bluelamp.sharing import events as sharing


def register() -> None:
    """Called once when Django is ready."""
    words.register(footage.FootageListed.tag, _listed)
    words.register(footage.RecordingViewed.tag, _opened)
    words.register(footage.RangeServed.tag, _served)
    words.register(footage.RecordingCategorised.tag, _categorised)
    words.register(footage.RecordingFlagged.tag, _flagged)
    words.register(footage.ReferenceAdded.tag, _referenced)
    words.register(footage.DueSet.tag, _due)
    words.register(people.AccessRefused.tag, _refused)
    words.register(people.PersonChanged.tag, lambda item: "Facts about a person were changed.")
    words.register(sharing.PortalRefused.tag, lambda item: f"Refused to a recipient: {item.details.get('why', '')}")


def _listed(item: HistoryItem) -> str:
    count = item.details.get("count", 0)
    return "One recording of others was listed." if count == 1 else f"{count:,} recordings of others were listed."


def _opened(item: HistoryItem) -> str:
    purpose = "to download" if item.details.get("purpose") == "download" else "to watch"
    return f"The recording was opened {purpose}."


def _served(item: HistoryItem) -> str:
    start, end = item.details.get("from_ms"), item.details.get("to_ms")
    if start is None or end is None:
        return "Part of the recording was sent."
    return f"Watched or downloaded: {clock(start)} to {clock(end)}, approximately."


def _categorised(item: HistoryItem) -> str:
    before, after = (item.details.get(key) or "none" for key in ("before", "after"))
    return f"The category was changed from {before} to {after}."


def _flagged(item: HistoryItem) -> str:
    return f"Flagged as evidence: {item.details.get('category', '')}."


def _referenced(item: HistoryItem) -> str:
    kind = str(item.details.get("kind", "")).replace("_", " ")
    return f"A reference of another system was added: {kind} {item.details.get('value', '')}."


def _due(item: HistoryItem) -> str:
    rule = str(item.details.get("rule", "")).replace("_", " ").partition(":")[0]
    return f"The day of deletion was set by the rule “{rule}”."


def _refused(item: HistoryItem) -> str:
    action = str(item.details.get("action", "")).replace("_", " ")
    return f"Refused ({action}): {item.details.get('why', '')}"
