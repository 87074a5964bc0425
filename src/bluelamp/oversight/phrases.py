"""Sentences for events of rooms below whose type's own description leaves out what an auditor wants to read first."""

from __future__ import annotations

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.people import events as people
from bluelamp.sharing import events as sharing


def register() -> None:
    """Called once when Django is ready."""
    words.register(people.AccessRefused.tag, _refused)
    words.register(people.PersonChanged.tag, lambda item: "Facts about a person were changed.")
    words.register(sharing.PortalRefused.tag, lambda item: f"Refused to a recipient: {item.details.get('why', '')}")


def _refused(item: HistoryItem) -> str:
    action = str(item.details.get("action", "")).replace("_", " ")
    return f"Refused ({action}): {item.details.get('why', '')}"
