"""Custody events about added footage. None says what people wrote of it: that goes with the recordings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AdditionOpened(Event):
    """Somebody began to add footage from elsewhere. `shown_at` is what its clock showed, `offset_ms` its correction."""

    tag = "addition.opened"
    operation = Operation.COLLECTION
    kind: str
    shown_at: datetime
    clock: str
    offset_ms: int
    is_evidence: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AdditionClosed(Event):
    """No more files are added. `given_up` counts those that had not arrived whole."""

    tag = "addition.closed"
    operation = Operation.COLLECTION
    here: int
    given_up: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingAdded(Event):
    """Footage from elsewhere was added on a page."""

    tag = "recording.added"
    operation = Operation.COLLECTION
    addition: UUID
    kind: str
    clock: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingAddedAgain(Event):
    """Footage with the same bytes as this recording was added again; nothing was stored twice."""

    tag = "recording.added_again"
    operation = Operation.COLLECTION
    addition: UUID
    sha256: str
