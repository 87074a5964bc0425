"""Custody events about cases."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CaseOpened(Event):
    """An investigation was opened."""

    tag = "case.opened"
    operation = Operation.COLLECTION
    urn: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CaseClosed(Event):
    """An investigation was closed; its recordings are no longer kept for it."""

    tag = "case.closed"
    operation = Operation.ALTERATION
    outcome: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class MemberAdded(Event):
    """Somebody got a role in a case, and with it the right to watch its recordings."""

    tag = "case.member_added"
    operation = Operation.ALTERATION
    person: int
    role: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class MemberLeft(Event):
    """Somebody's role in a case ended."""

    tag = "case.member_left"
    operation = Operation.ALTERATION
    person: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecordingAdded(Event):
    """A recording was linked to a case."""

    tag = "case.recording_added"
    operation = Operation.COMBINATION
    recording: UUID
