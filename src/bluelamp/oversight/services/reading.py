"""Somebody reads the ledger, takes some of it away, or has it checked: that is recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bluelamp import custody
from bluelamp.kernel.errors import Invalid
from bluelamp.oversight import exports
from bluelamp.oversight.events import LedgerConsulted, LedgerExported, LedgerVerified, ProofTaken, ReportTaken
from bluelamp.oversight.queries import ledger, verification
from bluelamp.oversight.queries.verification import Verification

LEDGER = "system:ledger"
MOST_EXPORTED = 10_000
"""Events in one file: what a spreadsheet and a reader can hold."""

LONGEST_REASON = 500


@dataclass(frozen=True)
class Export:
    """A stretch of the ledger as a file. `complete`: nothing that was asked for is left out."""

    content: bytes
    events: int
    complete: bool


@custody.service
def note_consultation(
    *, actor: str, page: str, shown: int, subject: str = LEDGER, filters: Mapping[str, str] | None = None
) -> None:
    """Record that `actor` read a page of the ledger: one event a page, whatever the number of rows `shown`."""
    custody.record(LedgerConsulted(actor=actor, subject=subject, page=page, filters=dict(filters or {}), shown=shown))


@custody.service
def export(wanted: ledger.Wanted, *, actor: str, reason: str, filters: Mapping[str, str], form: str = "csv") -> Export:
    """Take the wanted events, the newest MOST_EXPORTED at most, away as a file: "csv", or "json", which has the salts.

    Raises Invalid without a reason.
    """
    reason = _stated(reason)
    found = ledger.events(wanted, MOST_EXPORTED + 1)
    complete, found = len(found) <= MOST_EXPORTED, found[:MOST_EXPORTED]
    if form == "json":
        content = exports.json_file(found, filters=filters, complete=complete)
    else:
        content = exports.csv(found)
    custody.record(
        LedgerExported(
            actor=actor,
            subject=LEDGER,
            reason=reason,
            filters=dict(filters),
            events=len(found),
            newest=found[0].id if found else None,
            oldest=found[-1].id if found else None,
            complete=complete,
            sha256=hashlib.sha256(content).hexdigest(),
            format=form,
        )
    )
    return Export(content, len(found), complete)


@custody.service
def verify(*, actor: str, kept_note: str = "") -> Verification:
    """Check the ledger against its latest checkpoint, and against one that somebody kept; record that, and the result.

    Raises Conflict and Busy as `verification.verify` does.
    """
    found = verification.verify(kept_note)
    custody.record(
        LedgerVerified(
            actor=actor, subject=LEDGER, size=found.size, remembered=found.remembered, problems=len(found.problems)
        )
    )
    return found


@custody.service
def note_verification(*, actor: str, subject: str, size: int, problems: int) -> None:
    """Record that `actor` had all `size` events about `subject` proven, and how many of them did not hold."""
    custody.record(LedgerVerified(actor=actor, subject=subject, size=size, remembered=None, problems=problems))


@custody.service
def take_proof(*, actor: str, event_id: int, subject: str, what: str) -> None:
    """Record that `actor` takes the proof of an event away, or the event itself; `what`: "proof" or "event"."""
    custody.record(ProofTaken(actor=actor, subject=subject, event=event_id, what=what))


@custody.service
def take_report(
    *, actor: str, reason: str, since: datetime, until: datetime, events: int, content: bytes, form: str
) -> None:
    """Record that `actor` takes a report over a period away. Raises Invalid without a reason."""
    custody.record(
        ReportTaken(
            actor=actor,
            subject=LEDGER,
            reason=_stated(reason),
            since=since,
            until=until,
            events=events,
            sha256=hashlib.sha256(content).hexdigest(),
            format=form,
        )
    )


def _stated(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid(
            f"Say why you take this away, in at most {LONGEST_REASON} characters.",
            "Nothing was exported.",
            "Give the reason; the ledger keeps it.",
        )
    return reason
