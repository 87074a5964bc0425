"""Custody events about body-worn systems. None carries a password, a key or what a recording shows."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisConnectionIssued(Event):
    """A connection file for a body-worn system was issued, with a new password. `public_key_sha256` is of its PEM."""

    tag = "axis.connection_issued"
    operation = Operation.ALTERATION
    name: str
    unit: str
    addresses: list[str]
    certificates: int
    container_type: str
    want_encryption: bool
    full_store_and_read: bool
    public_key_id: str
    public_key_sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisConnectionRevoked(Event):
    """A body-worn system's password and tokens stopped working."""

    tag = "axis.connection_revoked"
    operation = Operation.ALTERATION
    name: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisRefused(Event):
    """Somebody called the body-worn systems' entrance without valid credentials. `unreported`: since the last event."""

    tag = "axis.refused"
    operation = Operation.COLLECTION
    peer: str
    path: str
    why: str
    unreported: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisSystemAnnounced(Event):
    """A body-worn system said which installation it is."""

    tag = "axis.system_announced"
    operation = Operation.ALTERATION
    system: str
    name: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisUserAnnounced(Event):
    """A body-worn system said who one of its users is; `person` is the officer with that warrant number."""

    tag = "axis.user_announced"
    operation = Operation.ALTERATION
    user: str
    user_id: str
    active: bool
    person: str | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisUserLinked(Event):
    """A person decided which officer a body-worn system's user is."""

    tag = "axis.user_linked"
    operation = Operation.ALTERATION
    user: str
    before: str | None
    person: str
    recordings: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisDeviceAnnounced(Event):
    """A body-worn system said that a camera is one of its own."""

    tag = "axis.device_announced"
    operation = Operation.ALTERATION
    serial: str
    model: str
    active: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisUserRefused(Event):
    """A recording that names an unknown user was turned away; the body-worn system keeps it."""

    tag = "axis.user_refused"
    operation = Operation.COLLECTION
    user: str
    why: str
    unreported: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisRecordingCompleted(Event):
    """A body-worn system said that it has sent all of a recording."""

    tag = "axis.recording_completed"
    operation = Operation.COLLECTION
    container: UUID
    clips: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisObjectDisputed(Event):
    """A clip's name came again with other bytes. The first stays; the other is taken as a recording of its own."""

    tag = "axis.object_disputed"
    operation = Operation.COLLECTION
    first_sha256: str
    other_sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisKeyFailed(Event):
    """An encrypted clip could not be opened with its key; the received bytes are kept."""

    tag = "axis.key_failed"
    operation = Operation.ALTERATION
    why: str
    received_sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisRejectedDecided(Event):
    """A person decided about content that a body-worn system had rejected."""

    tag = "axis.rejected_decided"
    operation = Operation.ALTERATION
    decision: str
    recordings: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisAlertRaised(Event):
    """Something about a body-worn system needs a person's look."""

    tag = "axis.alert_raised"
    operation = Operation.ALTERATION
    alert: int
    kind: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisAlertSettled(Event):
    """A person said that an alert is settled."""

    tag = "axis.alert_settled"
    operation = Operation.ALTERATION
    alert: int
    kind: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AxisContentCleared(Event):
    """What a body-worn system said of a recording's content was removed, for no recording of it is here."""

    tag = "axis.content_cleared"
    operation = Operation.ERASURE
    container: UUID
    objects: int
