"""Custody events about sharing: what was disclosed, to whom, by whom (DPA 2018 s.62(1)(d), s.62(3))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShareCreated(Event):
    """A recording was shared with somebody outside the force."""

    tag = "share.created"
    operation = Operation.DISCLOSURE
    recording: UUID
    recipient: str
    organisation: str
    urn: str
    may_download: bool
    expires_at: datetime


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShareRevoked(Event):
    """A share was ended before its time."""

    tag = "share.revoked"
    operation = Operation.ALTERATION
    viewings_ended: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ShareAcknowledged(Event):
    """The recipient confirmed that the footage arrived."""

    tag = "share.acknowledged"
    operation = Operation.DISCLOSURE


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class InvitationSent(Event):
    """The message with the link to a share left; any earlier link no longer works."""

    tag = "share.invitation_sent"
    operation = Operation.DISCLOSURE


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class InvitationRenewed(Event):
    """A new link to a share was asked for; the earlier one no longer works."""

    tag = "share.invitation_renewed"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CodeSent(Event):
    """A one-time code was sent to a recipient."""

    tag = "recipient.code_sent"
    operation = Operation.CONSULTATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RecipientSignedIn(Event):
    """A recipient signed in with a one-time code."""

    tag = "recipient.signed_in"
    operation = Operation.CONSULTATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CodeRefused(Event):
    """A wrong or used-up one-time code was entered."""

    tag = "recipient.code_refused"
    operation = Operation.CONSULTATION
    attempts: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class CodesStopped(Event):
    """Too many wrong codes were entered for a recipient's address; it gets no more until a day has passed."""

    tag = "recipient.codes_stopped"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PortalRefused(Event):
    """A recipient asked for something that was not shared with them, or no longer is."""

    tag = "recipient.refused"
    operation = Operation.CONSULTATION
    why: str
