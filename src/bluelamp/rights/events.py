"""Custody events about requests. None carries the requester's particulars: those can be erased when the law says so."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestReceived(Event):
    """Somebody asked for footage; what may show it is kept from this moment on."""

    tag = "request.received"
    operation = Operation.COLLECTION
    kind: str
    matched: int
    escalated: bool


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestConfirmed(Event):
    """The requester confirmed the e-mail address; the footage is held until the request is answered."""

    tag = "request.confirmed"
    operation = Operation.ALTERATION
    held: int
    too_late: int = 0


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestMatched(Event):
    """Footage that arrived later matched a request and is held for it."""

    tag = "request.matched"
    operation = Operation.COMBINATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestEscalated(Event):
    """A request fits more footage than it may hold by itself, or some had just been deleted; a person must decide."""

    tag = "request.escalated"
    operation = Operation.ALTERATION
    found: int
    held: int
    too_late: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestLapsed(Event):
    """The e-mail address was never confirmed, so the request no longer keeps anything."""

    tag = "request.lapsed"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class MessageSent(Event):
    """A message to the requester was handed to the mail server."""

    tag = "request.message_sent"
    operation = Operation.DISCLOSURE
    kind: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class IdentityProved(Event):
    """The desk saw proof of the requester's identity; the statutory month runs."""

    tag = "request.identity_proved"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ClarificationAsked(Event):
    """The desk asked the requester for clarification; the clock stands."""

    tag = "request.clarification_asked"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ClarificationReceived(Event):
    """The requester clarified; the clock runs again."""

    tag = "request.clarification_received"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestExtended(Event):
    """The time for the answer was extended by two months, with notice to the requester."""

    tag = "request.extended"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestClosed(Event):
    """The request was answered or refused."""

    tag = "request.closed"
    operation = Operation.DISCLOSURE
    state: str
    outcome: str
    holds_released: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class RequestHoldsReleased(Event):
    """A closed request no longer holds its footage, which falls back to its other rules."""

    tag = "request.holds_released"
    operation = Operation.ALTERATION
    holds_released: int
