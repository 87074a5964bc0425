"""What is answered to a body-worn system, in the statuses that it knows (docs/protocols/axis.md)."""

from __future__ import annotations

from bluelamp.kernel.errors import BluelampError

_KEEPS = "The body-worn system keeps its copy."


class Unstorable(BluelampError):
    """This can never be stored here. The system marks the recording "not transferred" and offers it for download."""

    title = "This cannot be stored"
    status = 400

    def __init__(self, what: str) -> None:
        super().__init__(
            what, f"Nothing was stored. {_KEEPS}", "Download it from the body-worn manager and add it here."
        )


class NotSpoken(BluelampError):
    """A request that is not part of the protocol."""

    title = "That request is not part of this protocol"
    status = 400

    def __init__(self, what: str) -> None:
        super().__init__(what, f"Nothing was stored. {_KEEPS}")


class CredentialsRefused(BluelampError):
    """Wrong name or key, or a token that is missing, made up or out of date."""

    title = "The credentials are wrong"
    status = 401

    def __init__(self, what: str) -> None:
        super().__init__(
            what, f"Nothing was stored. {_KEEPS}", "Issue a new connection file and enter it in the body-worn manager."
        )


class Forbidden(BluelampError):
    """Known, and not permitted."""

    title = "That is not permitted"
    status = 403

    def __init__(self, what: str) -> None:
        super().__init__(what, f"Nothing was changed. {_KEEPS}")


class Absent(BluelampError):
    """There is no such container or object."""

    title = "There is no such thing"
    status = 404

    def __init__(self, what: str) -> None:
        super().__init__(what, f"Nothing was stored. {_KEEPS}")


class TryAgain(BluelampError):
    """Not now."""

    title = "Busy, try again soon"
    status = 503

    def __init__(self, what: str) -> None:
        super().__init__(what, f"Nothing was acknowledged. {_KEEPS}", "Send it again in a moment.")
