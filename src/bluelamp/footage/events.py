"""Custody events about recordings. None carries footage, a note's text or anything else that deletion must remove."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingCollected(Event):
    """A recording was accepted: hashed, sealed and durable."""

    tag = "recording.collected"
    operation = Operation.COLLECTION
    sha256: str
    size: int
    camera: str | None
    sequence: int | None
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    wearer: str | None
    unit: str | None
    incident: UUID | None
    part: int
    clock_status: str
    clock_offset_ms: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FactsAdded(Event):
    """The device told more of the recording after it was accepted: marks, positions."""

    tag = "recording.facts_added"
    operation = Operation.COMBINATION
    events_added: int
    positions_added: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingAttributed(Event):
    """It became known who wore the camera."""

    tag = "recording.attributed"
    operation = Operation.ALTERATION
    wearer: str
    unit: str | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class KeyAwaited(Event):
    """The device encrypted the recording, and it cannot be opened yet; the received bytes are kept."""

    tag = "recording.key_awaited"
    operation = Operation.COLLECTION
    why: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingUnwrapped(Event):
    """The device's encryption was opened and the content sealed anew; the received form, named here, was removed."""

    tag = "recording.unwrapped"
    operation = Operation.ALTERATION
    received_sha256: str
    received_size: int
    sha256: str
    size: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingPrepared(Event):
    """Poster, storyboard, waveform and, where needed, a viewing copy were made."""

    tag = "recording.prepared"
    operation = Operation.ALTERATION
    duration_ms: int
    derivatives: list[str]
    attempt: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PreparationFailed(Event):
    """No picture could be made from the recording; its original is untouched."""

    tag = "recording.preparation_failed"
    operation = Operation.ALTERATION
    why: str
    attempt: int
    final: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PreparationRequested(Event):
    """A person asked to try again."""

    tag = "recording.preparation_requested"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FootageListed(Event):
    """Recordings of others were listed; `also` names them."""

    tag = "footage.listed"
    operation = Operation.CONSULTATION
    filters: dict[str, str]
    count: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingConsulted(Event):
    """The facts of another's recording were shown, without its pictures."""

    tag = "recording.consulted"
    operation = Operation.CONSULTATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingViewed(Event):
    """Access to the bytes was opened, before the first of them left."""

    tag = "recording.viewed"
    operation = Operation.CONSULTATION
    viewing: UUID
    viewer_name: str
    grant: str
    purpose: str
    expires_at: datetime


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ViewingClosed(Event):
    """Access to the bytes was ended before its time."""

    tag = "recording.viewing_closed"
    operation = Operation.CONSULTATION
    viewing: UUID


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RangeServed(Event):
    """Bytes left the server for a viewing.

    `from_ms` to `to_ms` is the stretch of the recording that they stand for, reckoned from the share of the file
    (`approximate`), since a file does not hold the same number of bytes for every second.
    """

    tag = "recording.range_served"
    operation = Operation.CONSULTATION
    viewing: UUID
    variant: str
    first_byte: int
    last_byte: int
    from_ms: int | None
    to_ms: int | None
    approximate: bool = True


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingFlagged(Event):
    """Somebody decided that the recording is evidence."""

    tag = "recording.flagged"
    operation = Operation.ALTERATION
    flag: int
    category: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class FlagReleased(Event):
    """The recording is no longer marked as evidence."""

    tag = "recording.flag_released"
    operation = Operation.ALTERATION
    flag: int
    category: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingCategorised(Event):
    """The category changed; codes, None for no category."""

    tag = "recording.categorised"
    operation = Operation.ALTERATION
    before: str | None
    after: str | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ReferenceAdded(Event):
    """A number of another system was added."""

    tag = "recording.reference_added"
    operation = Operation.COMBINATION
    kind: str
    value: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class NoteAdded(Event):
    """A note was written; the ledger has the hash of its text, not the text."""

    tag = "recording.note_added"
    operation = Operation.ALTERATION
    note: int
    text_sha256: str
    at_ms: int | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingLocked(Event):
    """Locked after a death or serious injury, or by professional standards: nobody watches unless released."""

    tag = "recording.locked"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingUnlocked(Event):
    """The post-incident manager ended the lock."""

    tag = "recording.unlocked"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class WatchReleased(Event):
    """The post-incident manager lets one person watch a locked recording."""

    tag = "recording.watch_released"
    operation = Operation.ALTERATION
    person: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DueSet(Event):
    """The day on which the recording must be gone was set; None: kept until decided."""

    tag = "recording.due_set"
    operation = Operation.ALTERATION
    before: datetime | None
    after: datetime | None
    rule: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingQuarantined(Event):
    """The recording left use, and can be recovered until it is deleted."""

    tag = "recording.quarantined"
    operation = Operation.ERASURE
    due_at: datetime | None
    rule: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingRestored(Event):
    """The recording came back from quarantine."""

    tag = "recording.restored"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingDeleted(Event):
    """The row was closed; what is left names neither content nor people (DPA 2018 s.62)."""

    tag = "recording.deleted"
    operation = Operation.ERASURE
    rule: str
    due_at: datetime | None


def plain(values: dict[str, Any]) -> dict[str, str]:
    """Filters as the ledger keeps them: what was given, as text."""
    return {name: str(value) for name, value in values.items() if value not in (None, "", [], ())}
