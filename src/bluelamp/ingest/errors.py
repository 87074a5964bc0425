"""What can go wrong between a dock and this server, in words for whoever stands at the dock."""

from __future__ import annotations

from bluelamp.kernel.errors import BluelampError, Busy, Conflict, Invalid, NotFound, NotSignedIn

_KEEPS = "The camera keeps its copy."


class DockUnknown(NotSignedIn):
    """No token, or one that opens nothing."""

    title = "This dock is not known"

    def __init__(self) -> None:
        super().__init__(
            "The dock's token is missing, wrong or revoked.",
            f"Nothing was taken. {_KEEPS}",
            "The operator adds the dock with `bluelamp docks add` and enters the token that it prints.",
        )


class CameraUnknown(Invalid):
    """A serial that is not among the force's cameras."""

    title = "This camera is not known"

    def __init__(self, serial: str) -> None:
        super().__init__(
            f"The force has no camera with the serial {serial}.",
            f"None of its recordings was taken. {_KEEPS}",
            "The body-worn video manager registers the camera; then dock it again.",
        )


class SessionUnknown(NotFound):
    """No docking session of this dock has that number, or it does not list that recording."""

    def __init__(self, what: str) -> None:
        super().__init__(what, f"Nothing was changed. {_KEEPS}", "Dock the camera again.")


class NotAwaited(Conflict):
    """A recording of which nothing is awaited from this docking session."""

    title = "This recording is not awaited"

    def __init__(self, sequence: int) -> None:
        super().__init__(
            f"Recording {sequence} is not awaited in this docking session: it is here, was refused, or was offered in "
            "another session since.",
            "Nothing was changed.",
            "Fetch its receipt, or dock the camera again.",
        )


class UploadUnknown(NotFound):
    """No upload of this dock has that address."""

    def __init__(self) -> None:
        super().__init__(
            "This dock has no upload with that address.", f"Nothing was taken. {_KEEPS}", "Dock the camera again."
        )


class UploadGone(BluelampError):
    """The upload ended without a recording."""

    title = "This upload has ended"
    status = 410

    def __init__(self, why: str) -> None:
        super().__init__(why, f"Nothing of it is kept here. {_KEEPS}", "Dock the camera again to send it anew.")


class UploadFinished(Conflict):
    """The recording is accepted: nothing can be added, and no dock can take it back."""

    def __init__(self) -> None:
        super().__init__(
            "This upload is complete.",
            "The recording is safe here and stays as it is.",
            "Fetch its receipt; then the camera may erase its copy.",
        )


class TooManyUploads(Busy):
    """More uploads at once than this server receives."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "So many uploads are under way that this one's turn has not come.",
            f"What arrived before is kept. {_KEEPS}",
            f"Try again in {retry_after_seconds} seconds; docks do it by themselves.",
        )
        self.retry_after_seconds = retry_after_seconds


class WrongOffset(Conflict):
    """The sender goes on from another place than the server."""

    def __init__(self, given: int, expected: int) -> None:
        super().__init__(
            f"The bytes sent begin at {given}, but the upload stands at {expected}.",
            "What has arrived is kept.",
            "Ask for the offset with HEAD and go on from there.",
        )


class UploadBusy(BluelampError):
    """Another connection is writing this upload."""

    title = "This upload is being written"
    status = 423

    def __init__(self) -> None:
        super().__init__(
            "Another connection is sending this upload's bytes just now.",
            "Nothing of what it sends is affected.",
            "Let it finish, or wait a moment: a connection that has fallen silent gives way.",
        )


class MadeOfParts(BluelampError):
    """Bytes for an upload that takes its bytes from its parts."""

    title = "This upload is made of parts"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "The upload takes its bytes from its parts; none can be sent to it.",
            "What has arrived is kept.",
            "Send to the parts, before they are joined.",
        )


class SenderSilent(BluelampError):
    """A connection sent nothing for a long time."""

    title = "The connection fell silent"
    status = 408

    def __init__(self) -> None:
        super().__init__(
            "No bytes came for a long time, so the connection was given up.",
            "What arrived is kept.",
            "Connect again and go on from the offset that HEAD tells.",
        )


class BodyCutOff(BluelampError):
    """A file that must come whole did not."""

    title = "The file did not arrive whole"
    status = 400

    def __init__(self) -> None:
        super().__init__(
            "The connection ended before the whole file had arrived.",
            "Nothing of it is kept here; whoever sent it still has it.",
            "Send the file again from its beginning.",
        )


class TooLarge(BluelampError):
    """More bytes than announced, than signed, or than this server takes."""

    title = "That is too large"
    status = 413


class VersionUnsupported(BluelampError):
    """Another version of the upload protocol than 1.0.0."""

    title = "That version of the upload protocol is not spoken here"
    status = 412


class BadRequest(BluelampError):
    """A request that does not follow the protocol."""

    title = "That request cannot be understood"
    status = 400

    def __init__(self, what: str) -> None:
        super().__init__(what, f"Nothing was taken. {_KEEPS}", "This is a fault of the dock's software.")


class WrongMediaType(BluelampError):
    """A body of another kind than the protocol wants."""

    title = "That kind of body is not taken here"
    status = 415


class ChecksumMismatch(BluelampError):
    """A chunk changed on its way (tus checksum extension)."""

    title = "The chunk changed on its way"
    status = 460

    def __init__(self) -> None:
        super().__init__(
            "The chunk's checksum does not fit what arrived.",
            "The chunk was dropped; what arrived before it is kept.",
            "Send the chunk again.",
        )


class RecordingRejected(Invalid):
    """What arrived is not what the camera signed."""

    title = "This recording was rejected"

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            "Nothing of it is kept here and nobody can see it. Keep the camera's copy.",
            "Dock the camera again to send it anew. If it is rejected again, keep the camera for examination.",
        )
