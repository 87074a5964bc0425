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


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FailureTold(Event):
    """Something that is watched by itself fails, or more of it: so many e-mail addresses were told."""

    tag = "check.failing"
    operation = Operation.CONSULTATION
    what: str
    told: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FailureEnded(Event):
    """Something that is watched by itself failed, and is well again, or is not watched any more (`well` False)."""

    tag = "check.well_again"
    operation = Operation.CONSULTATION
    what: str
    well: bool
    told: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class BackupMade(Event):
    """A backup of the database was made. `manifest_sha256` proves later which one that was."""

    tag = "backup.made"
    operation = Operation.DISCLOSURE
    taken_at: datetime
    bytes: int
    events: int
    manifest_sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DatabaseRestored(Event):
    """The database was restored from a backup, and brought into line with the keyring and the store.

    `closed`: recordings that went since, closed again. `given_time`: kept until `review_until`, since flags and holds
    made after the backup are not known. `unknown`: arrived after the backup; listed, kept. `missing`: a file or key is.
    """

    tag = "database.restored"
    operation = Operation.ALTERATION
    taken_at: datetime
    closed: int
    given_time: int
    review_until: datetime
    unknown: int
    missing: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class KeyringReplaced(Event):
    """The keyring was lost and a copy took its place; keys of footage deleted since were erased in it again."""

    tag = "keyring.replaced"
    operation = Operation.ALTERATION
    erased: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LossFound(Event):
    """Stored footage is lost: a file or its key is missing or not as sealed. It was well at `good_until`, last.

    `also` names the cases, shares and requests that it belongs to.
    """

    tag = "loss.found"
    operation = Operation.CONSULTATION
    good_until: datetime
    files: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LossRecovered(Event):
    """Lost footage is here again: every file of it was read and is as it was sealed. `source`: where the copy was."""

    tag = "loss.recovered"
    operation = Operation.ALTERATION
    source: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LossDeleted(Event):
    """Footage reached the end of its time while a file of it was lost: it is deleted under its rule all the same."""

    tag = "loss.deleted"
    operation = Operation.ERASURE
    files: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LossAcceptanceProposed(Event):
    """Somebody says that lost footage will not come back; another person has to agree."""

    tag = "loss.acceptance_proposed"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LossAccepted(Event):
    """Lost footage is accepted as lost, on the word of two people."""

    tag = "loss.accepted"
    operation = Operation.ALTERATION
    proposed_by: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LossListTaken(Event):
    """The list of what was lost was taken away as a file; `sha256` proves later which file that was."""

    tag = "loss.list_taken"
    operation = Operation.DISCLOSURE
    recordings: int
    sha256: str
    format: str
