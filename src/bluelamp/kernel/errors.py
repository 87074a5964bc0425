"""Errors that a person may meet.

Each says what happened, what it means for the footage, and what to do next. The same error becomes a page, an
RFC 9457 problem document or one sentence on a terminal.
"""

from __future__ import annotations


class BluelampError(Exception):
    """Base of every error that is shown to a person."""

    title = "Something went wrong"
    status = 500
    exit_code = 1

    def __init__(self, what_happened: str, meaning: str = "", next_step: str = "") -> None:
        super().__init__(what_happened)
        self.what_happened = what_happened
        self.meaning = meaning
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.what_happened, self.meaning, self.next_step) if part)

    def problem(self) -> dict[str, object]:
        """The error as an RFC 9457 problem document."""
        body: dict[str, object] = {
            "type": f"urn:bluelamp:problem:{type(self).__name__}",
            "title": self.title,
            "status": self.status,
            "detail": self.what_happened,
        }
        if self.meaning:
            body["meaning"] = self.meaning
        if self.next_step:
            body["next_step"] = self.next_step
        return body


class Invalid(BluelampError):
    """What was sent cannot be accepted as it is."""

    title = "That cannot be accepted"
    status = 422
    exit_code = 2


class NotSignedIn(BluelampError):
    """Nobody is signed in, or the credentials are wrong."""

    title = "You need to sign in"
    status = 401
    exit_code = 4


class NotAllowed(BluelampError):
    """The policy refuses this actor."""

    title = "You may not do this"
    status = 403
    exit_code = 4


class NotFound(BluelampError):
    """There is no such thing, or no such thing any more."""

    title = "Not found"
    status = 404
    exit_code = 5


class Conflict(BluelampError):
    """The thing is in a state that does not admit this."""

    title = "That does not fit the present state"
    status = 409
    exit_code = 6


class Busy(BluelampError):
    """Try again shortly; nothing was lost."""

    title = "Busy, please try again"
    status = 503
    exit_code = 7


class StorageFull(BluelampError):
    """No room to store more footage; the sender keeps its copy."""

    title = "Out of storage space"
    status = 507
    exit_code = 8
