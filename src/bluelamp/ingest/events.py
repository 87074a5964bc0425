"""Custody events about docking and uploads. `recording.collected` is footage's. None carries a recording's content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DockingOpened(Event):
    """A camera offered its recordings. `refused` and `problems` are sentences, the first of many at most."""

    tag = "docking.opened"
    operation = Operation.COLLECTION
    session: UUID
    clock_offset_ms: int
    clock_set: bool
    offered: int
    needed: int
    had: int
    refused: list[dict[str, Any]]
    problems: list[str]


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingUnavailable(Event):
    """A dock cannot send a recording that its camera offered. `why`: gone, altered or unreadable."""

    tag = "docking.recording_unavailable"
    operation = Operation.COLLECTION
    session: UUID
    sequence: int
    sha256: str
    why: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraRefused(Event):
    """A dock brought a camera that the force does not know, or one that contradicts itself."""

    tag = "camera.refused"
    operation = Operation.COLLECTION
    why: str
    unreported: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DockRefused(Event):
    """Somebody called the docks' entrance without a valid token. `unreported`: attempts since the last event."""

    tag = "dock.refused"
    operation = Operation.COLLECTION
    peer: str
    path: str
    why: str
    unreported: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class UploadRejected(Event):
    """What arrived is not what the camera signed, or cannot be taken; nothing of it was kept."""

    tag = "upload.rejected"
    operation = Operation.COLLECTION
    upload: UUID | None
    sequence: int | None
    problem: str
    expected_sha256: str
    received_sha256: str
    expected_size: int | None
    received_size: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class UploadAbandoned(Event):
    """An unfinished upload was given up; what had arrived of it was destroyed. The camera keeps its copy."""

    tag = "upload.abandoned"
    operation = Operation.ERASURE
    upload: UUID
    sequence: int | None
    offset: int
    length: int | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DiscrepancyFound(Event):
    """What a camera recorded does not agree with what arrived. `missing` counts the recordings that are not here."""

    tag = "discrepancy.found"
    operation = Operation.COLLECTION
    kind: str
    first: int | None
    last: int | None
    missing: int
    detail: str
    session: UUID | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DiscrepancyResolved(Event):
    """A discrepancy was put right: what was missing arrived, the clock was right again."""

    tag = "discrepancy.resolved"
    operation = Operation.COLLECTION
    kind: str
    first: int | None
    last: int | None
    because: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DiscrepancyClosed(Event):
    """Somebody answered for a discrepancy; the reason tells how. `missing` recordings are still not here."""

    tag = "discrepancy.closed"
    operation = Operation.ALTERATION
    kind: str
    first: int | None
    last: int | None
    missing: int
