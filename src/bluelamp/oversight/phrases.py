"""Sentences for events of rooms below whose type's own description leaves out what an auditor wants to read first."""

from __future__ import annotations

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.oversight import events
from bluelamp.people import events as people
from bluelamp.sharing import events as sharing
from bluelamp.web.filters import count, filesize


def register() -> None:
    """Called once when Django is ready."""
    words.register(people.AccessRefused.tag, _refused)
    words.register(people.PersonChanged.tag, lambda item: "Facts about a person were changed.")
    words.register(sharing.PortalRefused.tag, lambda item: f"Refused to a recipient: {item.details.get('why', '')}")
    words.register(events.LedgerConsulted.tag, _read)
    words.register(events.LedgerVerified.tag, _verified)
    words.register(events.FixityChecked.tag, _read_again)
    words.register(events.StoreLookedThrough.tag, lambda item: f"The store was looked through: {_found(item)}.")
    words.register(events.KeysChecked.tag, lambda item: f"Every key was looked for: {_found(item)}.")
    words.register(events.FixityFailed.tag, lambda item: f"A check found it not as it was sealed. {_detail(item)}")
    words.register(events.FixityRestored.tag, lambda item: "A check found it as it was sealed again.")
    words.register(events.FailureTold.tag, lambda item: f"{_what(item)} fails; {_told(item)}.")
    words.register(events.FailureEnded.tag, _ended)
    words.register(
        events.ProofTaken.tag, lambda item: f"The proof of event {item.details.get('event')} was taken away."
    )


_PAGES = {
    "ledger": "A page of the ledger was read.",
    "event": "One event of the ledger was read in full.",
    "proof": "The proof of an event was looked at.",
    "who looked": "It was read who looked at it.",
    "story": "Its history was read, day by day.",
    "who looked at mine": "It was read who looked at one's own footage.",
    "findings": "The list of what checks found was taken away.",
    "losses": "The list of lost footage was read.",
    "alerts": "The list of footage watched by many was read.",
    "report": "The report on section 62 was read.",
    "erasures": "The list of erasures from the ledger was read.",
    "erasure": "An event was looked at, to ask that values of it be erased.",
}


def _read(item: HistoryItem) -> str:
    return _PAGES.get(str(item.details.get("page")), "A page drawn from the ledger was read.")


def _verified(item: HistoryItem) -> str:
    checked = count(int(item.details.get("size", 0)), "event")
    if item.subject.startswith("recording:"):
        return f"{checked} about it verified against the signed checkpoint: {_found(item)}."
    return f"The ledger was verified against its signed checkpoint, {checked}: {_found(item)}."


def _read_again(item: HistoryItem) -> str:
    read = count(int(item.details.get("recordings", 0)), "recording")
    return f"Stored footage was read again: {read}, {filesize(int(item.details.get('bytes', 0)))}; {_found(item)}."


def _what(item: HistoryItem) -> str:
    return f"“{item.details.get('what', 'A check')}”"


def _told(item: HistoryItem) -> str:
    told = int(item.details.get("told", 0))
    return f"{count(told, 'address was', 'addresses were')} told by e-mail" if told else "nobody is told by e-mail"


def _ended(item: HistoryItem) -> str:
    how = "is well again" if item.details.get("well") else "failed, and is not watched any more"
    return f"{_what(item)} {how}; {_told(item)}."


def _found(item: HistoryItem) -> str:
    wrong = int(item.details.get("problems", 0))
    return f"{count(wrong, 'thing')} wrong" if wrong else "nothing wrong"


def _detail(item: HistoryItem) -> str:
    return str(item.details.get("detail", ""))


def _refused(item: HistoryItem) -> str:
    action = str(item.details.get("action", "")).replace("_", " ")
    return f"Refused ({action}): {item.details.get('why', '')}"
