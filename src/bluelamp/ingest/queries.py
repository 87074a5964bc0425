"""Reading what is on its way in."""

from __future__ import annotations

from uuid import UUID

from bluelamp.fleet.models import Dock
from bluelamp.footage.models import Recording
from bluelamp.ingest import receipts
from bluelamp.ingest.errors import RecordingRejected, SessionUnknown, UploadGone, UploadUnknown
from bluelamp.ingest.models import DockingSession, Upload


def session_of(dock: Dock, session_id: UUID) -> DockingSession:
    """The dock's session. Raises SessionUnknown, for another dock's too."""
    session = DockingSession.objects.select_related("camera", "dock").filter(pk=session_id, dock=dock).first()
    if session is None:
        raise SessionUnknown("This dock has no docking session with that number.")
    return session


def upload_of(owner: str, upload_id: UUID) -> Upload:
    """The sender's upload; a camera's moves to the dock that the camera is in. Raises UploadUnknown."""
    upload = (
        Upload.objects.select_related("camera", "session__dock", "session__camera")
        .filter(pk=upload_id, owner=owner)
        .first()
    )
    if upload is None:
        raise UploadUnknown
    return upload


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
    return Upload.objects.filter(camera=session.camera, sequence=sequence).order_by("-created_at", "-id").first()
