"""Custody events about keeping and deleting; due dates, quarantine and closing are footage's own events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class HoldPlaced(Event):
    """Deletion of the recording is stopped while the hold stands."""

    tag = "hold.placed"
    operation = Operation.ALTERATION
    hold: int
    kind: str
    source: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class HoldReleased(Event):
    """The hold stands no longer; whatever else keeps the recording still does."""

    tag = "hold.released"
    operation = Operation.ALTERATION
    hold: int
    kind: str
    source: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RetentionExtended(Event):
    """Somebody decided that the recording is kept at least until `until`."""

    tag = "retention.extended"
    operation = Operation.ALTERATION
    until: datetime


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShorteningStopped(Event):
    """A date, category or period was edited; the edit would have shortened retention and does not.

    `kept_until` None: held until a second person decides.
    """

    tag = "retention.shortening_stopped"
    operation = Operation.ALTERATION
    would_be_due_at: datetime | None
    kept_until: datetime | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ReviewGiven(Event):
    """The last reason ended when the recording was already due; it is kept a while to be reviewed."""

    tag = "retention.review_given"
    operation = Operation.ALTERATION
    until: datetime


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ArrivedLate(Event):
    """The recording arrived due, or nearly so; somebody must look at it before `review_until`."""

    tag = "recording.arrived_late"
    operation = Operation.COLLECTION
    default_due_at: datetime
    review_until: datetime


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingErased(Event):
    """The key is erased and every object removed; a certificate says so. Nothing of the content is named (s.62)."""

    tag = "recording.erased"
    operation = Operation.ERASURE
    certificate: UUID
    sha256: str
    size: int
    rule: str
    key_erased_at: datetime
    objects_removed: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LeftoverRemoved(Event):
    """An object that was still being written when the recording went; its key had gone, so it could not be opened."""

    tag = "recording.leftover_removed"
    operation = Operation.ERASURE
    objects_removed: int
