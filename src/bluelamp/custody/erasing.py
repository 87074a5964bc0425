"""Taking a value out of the ledger lawfully (DPA 2018 s.47): the entry stays, and with it every proof.

One person asks, another decides; both are events. What is erased is the value and its salt, so that nobody can guess
it back from the commitment, which alone remains. An event cites the erasure that took something from it: a value that
is missing without one is tampering (`verify.ledger`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from bluelamp.custody.event import Event, Operation, event_type
from bluelamp.custody.queries import HistoryItem, search
from bluelamp.custody.recording import CustodyRecord, record
from bluelamp.custody.service import service
from bluelamp.formats import leaf
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed, NotFound

LONGEST_REASON = 500
_MOST = 10_000
NEVER = frozenset({"tag", "operation", "at", "subject"})
"""What stays of every event: that something was done to this thing at that time (s.62 asks for no less)."""

_EVENT = """
SELECT e.tag, d.subject, d.also, d.stored, l.index
FROM custody_event e JOIN custody_detail d ON d.event_id = e.id LEFT JOIN custody_leaf l ON l.event_id = e.id
WHERE e.id = %s
"""


@event_type
@dataclass(frozen=True, kw_only=True)
class ErasureAsked(Event):
    """Somebody asked that values be erased from an event of the ledger."""

    tag = "custody.erasure_asked"
    operation = Operation.ALTERATION
    fields: list[str]


@event_type
@dataclass(frozen=True, kw_only=True)
class ErasureRefused(Event):
    """An erasure that was asked for was refused: the event stays as it is."""

    tag = "custody.erasure_refused"
    operation = Operation.ALTERATION
    ask: int
    asked_by: str


@event_type
@dataclass(frozen=True, kw_only=True)
class DetailErased(Event):
    """Values were erased from an event of the ledger; their commitments stay, and so does every proof."""

    tag = "custody.detail_erased"
    operation = Operation.ERASURE
    fields: list[str]
    ask: int
    asked_by: str
    entry: str


@dataclass(frozen=True)
class Ask:
    """An erasure that waits for a second person: the asking event's number, the event that it is about, its fields."""

    id: int
    event: int
    fields: tuple[str, ...]
    asked_by: str
    at: datetime
    reason: str


@service
def ask(event_id: int, fields: Collection[str], *, reason: str, actor: str) -> CustodyRecord:
    """Ask that the values of `fields` (as the leaf names them, such as `detail.viewer_name`) be erased.

    Raises NotFound, Invalid (no reason, a field that must stay or is not there), Conflict (not in the tree yet, of the
    ledger's own events, asked already).
    """
    reason = _required(reason)
    wanted = sorted(set(fields))
    _, _, stored = _erasable(event_id, wanted)
    standing = {field.name for field in leaf.read(stored) if field.erased_by is None}
    if not wanted or not set(wanted) <= standing:
        raise Invalid("Choose values that the event still has.", "Nothing was asked for.", "Look at the event.")
    if any(open_.event == event_id for open_ in waiting()):
        raise Conflict("Somebody has asked for this event already.", "", "Decide on that first.")
    return record(ErasureAsked(actor=actor, subject=f"event:{event_id}", reason=reason, fields=wanted))


@service
def refuse(ask_id: int, *, reason: str, actor: str) -> CustodyRecord:
    """Turn an erasure down. Raises NotFound where none waits under this number, Invalid without a reason."""
    asked = _waiting(ask_id)
    return record(
        ErasureRefused(
            actor=actor, subject=f"event:{asked.event}", reason=_required(reason), ask=ask_id, asked_by=asked.asked_by
        )
    )


@service
def erase(ask_id: int, *, reason: str, actor: str) -> CustodyRecord:
    """Erase what was asked for: values and salts go, commitments stay. Nobody can bring them back.

    Raises NotFound where nothing waits under this number, NotAllowed for whoever asked, Invalid without a reason.
    """
    asked = _waiting(ask_id)
    if asked.asked_by == actor:
        raise NotAllowed(
            "You asked for this erasure yourself.", "Nothing was erased.", "A second person has to decide on it."
        )
    subject, also, stored = _erasable(asked.event, asked.fields)
    entry = leaf.entry_of(stored)
    erasure = record(
        DetailErased(
            actor=actor,
            subject=f"event:{asked.event}",
            reason=_required(reason),
            fields=list(asked.fields),
            ask=ask_id,
            asked_by=asked.asked_by,
            entry=entry.hex(),
        )
    )
    remains = leaf.erase(stored, set(asked.fields), erasure.id)
    if leaf.entry_of(remains) != entry:
        raise RuntimeError(f"Erasing from event {asked.event} would have changed its entry")
    said = leaf.values(remains)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT custody_erase(%s, %s, %s, %s, %s, %s)",
            [
                asked.event,
                remains,
                said.get("actor", ""),
                subject,
                [] if "also" in asked.fields else also,
                erasure.id,
            ],
        )
    return erasure


def waiting() -> list[Ask]:
    """The erasures that wait for a second person, oldest first."""
    decided = {
        item.details.get("ask")
        for tag in (ErasureRefused.tag, DetailErased.tag)
        for item in search(tag=tag, limit=_MOST)
    }
    return [_ask(item) for item in reversed(search(tag=ErasureAsked.tag, limit=_MOST)) if item.id not in decided]


def _ask(item: HistoryItem) -> Ask:
    event_id = int(item.subject.partition(":")[2])
    return Ask(item.id, event_id, tuple(item.details["fields"]), item.actor, item.at, item.reason)


def _waiting(ask_id: int) -> Ask:
    with connection.cursor() as cursor:
        # Two deciding at once: the second finds it decided.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [0x626C6572, ask_id % 2**31])
    for asked in waiting():
        if asked.id == ask_id:
            return asked
    raise NotFound("No erasure waits under this number.", "Nothing was erased.", "It may have been decided already.")


def _erasable(event_id: int, fields: Collection[str]) -> tuple[str, list[str], bytes]:
    with connection.cursor() as cursor:
        cursor.execute(_EVENT, [event_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no event of this number in the ledger.", "Nothing was erased.", "Look it up.")
    tag, subject, also, stored, index = row
    if tag.startswith("custody."):
        raise Conflict("Events about erasures stay whole: they are what makes an erasure lawful.", "", "")
    if index is None:
        raise Conflict("This event is not in a checkpoint yet.", "Nothing was erased.", "Try again in a few seconds.")
    if stuck := sorted(NEVER & set(fields)):
        raise Invalid(
            f"{', '.join(stuck)} must stay: the law asks for a record that something was done.",
            "Nothing was erased.",
            "Choose the reason, the person or one of the event's own values.",
        )
    return subject, list(also), bytes(stored)


def _required(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid(
            f"Give a reason, in at most {LONGEST_REASON} characters.",
            "Nothing was erased.",
            "Name the request or the law.",
        )
    return reason
