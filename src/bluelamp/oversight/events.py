"""Custody events about the ledger itself, who read it, took it away or had it checked; and about checks of footage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
    """A stretch of the ledger was taken away as a file; `sha256` proves later which file that was."""

    tag = "ledger.exported"
    operation = Operation.DISCLOSURE
    filters: dict[str, str]
    events: int
    newest: int | None
    oldest: int | None
    complete: bool
    sha256: str
    format: str = "csv"


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ReportTaken(Event):
    """A report for the Information Commissioner was taken away; `sha256` proves later which file that was."""

    tag = "ledger.report_taken"
    operation = Operation.DISCLOSURE
    since: datetime
    until: datetime
    events: int
    sha256: str
    format: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ProofTaken(Event):
    """The proof of one event, or the event as it is handed out, was taken away."""

    tag = "ledger.proof_taken"
    operation = Operation.DISCLOSURE
    event: int
    what: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LedgerVerified(Event):
    """The ledger was checked against its latest signed checkpoint, and against one of `remembered` events, if given."""

    tag = "ledger.verified"
    operation = Operation.CONSULTATION
    size: int
    remembered: int | None
    problems: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FixityChecked(Event):
    """Stored footage was read again and authenticated: so many recordings, so many bytes, so many of them not right."""

    tag = "fixity.checked"
    operation = Operation.CONSULTATION
    recordings: int
    bytes: int
    problems: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class StoreLookedThrough(Event):
    """The store was looked through: whether every object that should be there is, and has its size."""

    tag = "store.checked"
    operation = Operation.CONSULTATION
    objects: int
    problems: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FixityFailed(Event):
    """A stored object of a recording, or its key, is not what it should be; `also` names what depends on it."""

    tag = "fixity.failed"
    operation = Operation.CONSULTATION
    object: str
    problem: str
    detail: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FixityRestored(Event):
    """What was wrong with a stored object of a recording, or its key, is so no more."""

    tag = "fixity.restored"
    operation = Operation.CONSULTATION
    object: str
    problem: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class KeysChecked(Event):
    """Every recording's key was looked for: there where the recording is, gone where it has gone."""

    tag = "keys.checked"
    operation = Operation.CONSULTATION
    keys: int
    problems: int
