"""Custody events about cameras, docks and the roll-out."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraRegistered(Event):
    """A camera became known to the force; only a registered camera's footage is accepted at a dock."""

    tag = "camera.registered"
    operation = Operation.ALTERATION
    model: str
    mount: str
    unit: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraKeyPinned(Event):
    """The camera's public key was seen for the first time; from now on its recordings must be signed by it."""

    tag = "camera.key_pinned"
    operation = Operation.ALTERATION
    fingerprint: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraKeyRefused(Event):
    """Something that calls itself this camera offered another key than the pinned one."""

    tag = "camera.key_refused"
    operation = Operation.COLLECTION
    pinned: str
    offered: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraKeyForgotten(Event):
    """The pinned key was given up, as after a repair; the next docking pins a new one."""

    tag = "camera.key_forgotten"
    operation = Operation.ALTERATION
    fingerprint: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraIssued(Event):
    """The camera was handed to a person."""

    tag = "camera.issued"
    operation = Operation.ALTERATION
    person: str
    since: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraReturned(Event):
    """The camera came back from a person, or is no longer theirs."""

    tag = "camera.returned"
    operation = Operation.ALTERATION
    person: str
    until: str
    state: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraStateChanged(Event):
    """The camera went to or from repair, was lost, found or retired."""

    tag = "camera.state_changed"
    operation = Operation.ALTERATION
    before: str
    after: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CameraDocked(Event):
    """The camera was docked. `clock_offset_ms` is what to add to its clock to get the dock's; None: not set."""

    tag = "camera.docked"
    operation = Operation.COLLECTION
    dock: str
    battery_percent: int | None
    storage_capacity: int | None
    storage_free: int | None
    clock_offset_ms: int | None
    firmware: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DockAdded(Event):
    """A docking station may upload from now on. Its token is not in the event."""

    tag = "dock.added"
    operation = Operation.ALTERATION
    name: str
    unit: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class DockRevoked(Event):
    """A docking station's token stopped working."""

    tag = "dock.revoked"
    operation = Operation.ALTERATION
    name: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RolloutPlanned(Event):
    """The plan for a unit was set: how many cameras it is to have, and by when."""

    tag = "rollout.planned"
    operation = Operation.ALTERATION
    unit: str
    planned_before: int | None
    planned: int
    due_on: str
