"""Custody events about the ledger itself: who read it, took it away, or had it checked."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LedgerConsulted(Event):
    """A page of the ledger, or what is drawn from it, was read."""

    tag = "ledger.consulted"
    operation = Operation.CONSULTATION
    page: str
    filters: dict[str, str]
    shown: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LedgerExported(Event):
    """A stretch of the ledger was taken away as a CSV file; `sha256` proves later which file that was."""

    tag = "ledger.exported"
    operation = Operation.DISCLOSURE
    filters: dict[str, str]
    events: int
    newest: int | None
    oldest: int | None
    complete: bool
    sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LedgerVerified(Event):
    """The ledger was checked against its latest signed checkpoint, and against one of `remembered` events, if given."""

    tag = "ledger.verified"
    operation = Operation.CONSULTATION
    size: int
    remembered: int | None
    problems: int
