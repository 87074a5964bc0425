"""Reading what is on its way in."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from bluelamp.fleet.models import Dock
from bluelamp.footage.models import Recording
from bluelamp.ingest import receipts
from bluelamp.ingest.errors import RecordingRejected, SessionUnknown, UploadGone, UploadUnknown
from bluelamp.ingest.models import DockingSession, Upload
from bluelamp.kernel.statements import Kept

EXAMPLE = UUID(int=0x0199F0C2_0000_7000_8000_000000000001)


def with_session(uploads: QuerySet[Upload]) -> QuerySet[Upload]:
    """With camera and session, but for the session's long lists."""
    beside = uploads.select_related("camera__unit", "session__dock")
    return beside.defer("session__inventory", "session__storage")


# Asked for each recording that comes in.
_SESSION = Kept(
    lambda pk, dock: DockingSession.objects.select_related("camera", "dock").filter(pk=pk, dock=dock),
    pk=EXAMPLE,
    dock=1_000_003,
)
_OF_OWNER = Kept(
    lambda pk, owner: with_session(Upload.objects.select_related("session__camera")).filter(pk=pk, owner=owner),
    pk=EXAMPLE,
    owner="an owner",
)
_LATEST = Kept(
    lambda camera, sequence: Upload.objects.filter(camera=camera, sequence=sequence).order_by("-created_at", "-id")[:1],
    camera=1_000_003,
    sequence=1_000_033,
)
_ONE = Kept(lambda pk: with_session(Upload.objects).filter(pk=pk), pk=EXAMPLE)


def session_of(dock: Dock, session_id: UUID) -> DockingSession:
    """The dock's session. Raises SessionUnknown, for another dock's too."""
    session = _SESSION.first(pk=session_id, dock=dock.pk)
    if session is None:
        raise SessionUnknown("This dock has no docking session with that number.")
    return session


def upload_of(owner: str, upload_id: UUID) -> Upload:
    """The sender's upload; a camera's moves to the dock that the camera is in. Raises UploadUnknown."""
    upload = _OF_OWNER.first(pk=upload_id, owner=owner)
    if upload is None:
        raise UploadUnknown
    return upload


def upload(upload_id: UUID) -> Upload:
    """An upload, with its camera, session and dock. Raises Upload.DoesNotExist."""
    return _ONE.get(pk=upload_id)


def offered(session: DockingSession, sequence: int) -> dict[str, object]:
    """What the session's inventory says of a recording. Raises SessionUnknown."""
    for item in session.inventory:
        if item["sequence"] == sequence:
            return item
    raise SessionUnknown(f"The inventory of this docking session does not list recording {sequence}.")


def receipt(session: DockingSession, sequence: int) -> dict[str, object] | None:
    """The receipt of a recording in the session's inventory; None while it is still on its way.

    Raises SessionUnknown, RecordingRejected, UploadGone.
    """
    item = offered(session, sequence)
    if item["state"] == "refused":
        raise RecordingRejected(str(item["why"]))
    recording = (
        Recording.objects.select_related("camera")
        .filter(camera=session.camera, sequence=sequence, sha256=item["sha256"])
        .first()
    )
    if recording is not None:
        return receipts.for_recording(recording)
    upload = latest_upload(session, sequence)
    if upload is None or upload.state == Upload.State.ABANDONED:
        raise UploadGone(f"The upload of recording {sequence} was given up before it was complete.")
    if upload.state == Upload.State.REJECTED:
        raise RecordingRejected(str(upload.problem.get("detail", "")))
    return None


def is_wanted(part: Upload) -> bool:
    """Whether an upload that is still being made takes its bytes from this part."""
    return Upload.objects.filter(
        state__in=Upload.LIVE, concat=Upload.Concat.FINAL, parts__contains=[str(part.pk)]
    ).exists()


def whole_of(owner: str, parts: list[UUID]) -> Upload | None:
    """What the sender has had made of exactly these parts already; None where that was given up, or never asked."""
    return (
        Upload.objects.filter(owner=owner, concat=Upload.Concat.FINAL, parts=[str(part) for part in parts])
        .exclude(state=Upload.State.ABANDONED)
        .order_by("-created_at")
        .first()
    )


def latest_upload(session: DockingSession, sequence: int) -> Upload | None:
    """The newest upload of that recording, whichever session it began in."""
    return _LATEST.first(camera=session.camera_id, sequence=sequence)
