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


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShorteningApproved(Event):
    """A second person approved an edit that shortens; nothing goes by it before `not_before`."""

    tag = "retention.shortening_approved"
    operation = Operation.ALTERATION
    shortening: int
    edited_by: str
    not_before: datetime
    looked_at: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShorteningRefused(Event):
    """A second person refused an edit that would have shortened retention; the former date stays."""

    tag = "retention.shortening_refused"
    operation = Operation.ALTERATION
    shortening: int
    edited_by: str
    kept_until: datetime | None


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShorteningUndone(Event):
    """A later edit gave back what an earlier one would have taken; nobody has to decide on it any more."""

    tag = "retention.shortening_undone"
    operation = Operation.ALTERATION
    shortening: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class HoldKept(Event):
    """A hold was reviewed and is still needed; it is reviewed again at `review_at`."""

    tag = "hold.kept"
    operation = Operation.ALTERATION
    hold: int
    kind: str
    review_at: datetime
    looked_at: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LookedInto(Event):
    """Somebody opened one of the sample that must be looked at before many are decided together."""

    tag = "retention.looked_into"
    operation = Operation.CONSULTATION
    what: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PolicyProposed(Event):
    """Somebody proposed to change the retention policy."""

    tag = "policy.proposed"
    operation = Operation.ALTERATION
    based_on: int
    changes: list[str]
    effective_at: datetime
    earlier: int
    bytes: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PolicyDecidedAgainst(Event):
    """A proposed change of the retention policy was refused, or withdrawn by its author; nothing changes."""

    tag = "policy.refused"
    operation = Operation.ALTERATION
    proposed_by: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PolicyVersionMade(Event):
    """There is a new version of the retention policy, which takes effect at `effective_at`.

    Where it shortens, a second person approved it, and nothing that it makes due goes before `not_before`.
    """

    tag = "policy.version_made"
    operation = Operation.ALTERATION
    version: int
    proposed_by: str
    shortens: bool
    changes: list[str]
    effective_at: datetime
    not_before: datetime | None
    earlier: int
    bytes: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PolicyInForce(Event):
    """A version of the retention policy took effect; the dates of what is kept are reckoned anew."""

    tag = "policy.in_force"
    operation = Operation.ALTERATION
    version: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class GoneProven(Event):
    """Everything was searched for what could be left of a deleted recording.

    `searched` says of each place how many rows, files or keys there are, and how many of them may not stay; `tables` is
    how many tables were looked through, `left` names what was found that may not stay.
    """

    tag = "recording.searched_for"
    operation = Operation.CONSULTATION
    tables: int
    searched: list[dict[str, object]]
    left: list[str]
