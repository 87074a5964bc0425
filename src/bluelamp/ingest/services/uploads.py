"""An upload's life until it is complete: made, moved on, given up, cleared away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Value, When

from bluelamp import custody
from bluelamp.fleet.models import Dock
from bluelamp.formats.manifest import SignedEntry
from bluelamp.ingest import queries, rules, staging
from bluelamp.ingest.errors import (
    BadRequest,
    RecordingRejected,
    TooLarge,
    UploadBusy,
    UploadFinished,
    UploadGone,
)
from bluelamp.ingest.events import UploadAbandoned, UploadRejected
from bluelamp.ingest.models import DockingSession, Upload
from bluelamp.ingest.staging import hashes
from bluelamp.kernel import clock, statements
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import on_commit
from bluelamp.vault.disk import make_folder
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store

EXPIRES_AFTER = timedelta(days=7)
"""How long an upload waits for more bytes. The camera keeps its copy, and its next docking asks again."""

PART_EXPIRES_AFTER = timedelta(hours=24)
"""The same for a part, whose sender is expected to join it as soon as the others are there."""


@custody.unrecorded("makes an unsaved row; the docking that saves it records docking.opened")
def prepared(session: DockingSession, signed: SignedEntry, measured: rules.Measured, metadata: str = "") -> Upload:
    """A new upload for an entry, not saved yet."""
    now = clock.now()
    recording_id = new_id()
    return Upload(
        origin=Upload.Origin.DOCK,
        owner=session.dock.custody_id,
        session=session,
        camera=session.camera,
        sequence=signed.entry.sequence,
        filename=signed.entry.filename,
        length=signed.entry.size,
        metadata=metadata,
        manifest=signed.to_dict(),
        sha256=signed.entry.sha256,
        recording_id=recording_id,
        object_name=f"recordings/{recording_id}/original",
        docked_at=measured.docked_at,
        clock_offset_ms=measured.clock_offset_ms,
        clock_set=measured.clock_set,
        created_at=now,
        updated_at=now,
        expires_at=now + EXPIRES_AFTER,
    )


@custody.unrecorded("hands out the upload that the docking made; each part that changes more records its event")
def create_upload(dock: Dock, session_id: UUID, sequence: int, length: int | None, metadata: str) -> Upload:
    """What a tus creation request gets: the upload that its docking session prepared, at offset 0.

    Bytes that an earlier attempt left are dropped, since the sender begins anew. `length` None: the sender tells it
    later, and the signed one counts meanwhile. Raises SessionUnknown, RecordingRejected (and records it) for a length
    that is not the signed one, TooLarge, UploadFinished, UploadGone, UploadBusy, StorageFull.
    """
    session = queries.session_of(dock, session_id)
    item = queries.offered(session, sequence)
    if item["state"] == "refused":
        raise RecordingRejected(str(item["why"]))
    if item["state"] == "have":
        raise UploadFinished
    length = item["size"] if length is None else length
    require_length(length)
    if length != item["size"]:
        raise _wrong_length(session, item, length)
    upload = queries.latest_upload(session, sequence)
    if upload is None or upload.session_id != session.pk or not upload.is_live:
        if upload is not None and upload.state == Upload.State.ACCEPTED:
            raise UploadFinished
        raise UploadGone(f"Recording {sequence} cannot be sent in this docking session any more.")
    folder = staging.folder_of(upload.pk)
    make_folder(settings.BLUELAMP.staging)
    staging.require_room(settings.BLUELAMP.staging, length)
    if not staging.acknowledged_offset(folder) and upload.concat == Upload.Concat.WHOLE:
        statements.carry_out("UPDATE ingest_upload SET metadata = %s WHERE id = %s", [metadata, upload.pk])
        upload.metadata = metadata
        return upload
    lease = staging.Lease.acquire(folder)
    if lease is None:
        raise UploadBusy
    with lease:
        again = _begin_again(upload, metadata)
    # Whoever joins parts has a transaction around this: what goes now could not come back with it.
    on_commit(lambda: release(upload.pk))
    return again


@custody.unrecorded("a length refused is recorded; one that fits is part of the upload's end")
def declare_length(upload: Upload, length: int) -> Upload:
    """Take the length that a sender tells late. Told again it must be the same.

    Raises RecordingRejected (and records it) for another length than the camera signed, BadRequest for a change,
    TooLarge.
    """
    require_length(length)
    arrived = staging.acknowledged_offset(staging.folder_of(upload.pk))
    if length < arrived:
        raise BadRequest(f"{arrived} bytes of it have arrived; its length cannot be {length}.")
    if upload.length is None:
        Upload.objects.filter(pk=upload.pk, length=None).update(length=length)
        upload.refresh_from_db(fields=["length"])
    if upload.length != length:
        if upload.session is not None:
            item = queries.offered(upload.session, upload.sequence or 0)
            raise _wrong_length(upload.session, item, length)
        raise BadRequest(f"The upload has {upload.length} bytes; its length cannot become {length}.")
    return upload


@custody.unrecorded("looks at the manifest")
def is_evidence(upload: Upload) -> bool:
    """Whether the wearer marked it on the camera."""
    events = upload.manifest.get("entry", {}).get("events", [])
    return any(event.get("kind") == "marker" for event in events)


@custody.unrecorded("reads a setting")
def most_bytes() -> int:
    """The longest file that this server takes."""
    return int(settings.BLUELAMP.max_upload_bytes)


@custody.unrecorded("a check")
def require_length(length: int) -> None:
    """Raises TooLarge for a recording longer than the settings allow (bytes)."""
    most = settings.BLUELAMP.max_upload_bytes
    if length > most:
        raise TooLarge(
            f"The recording has {length} bytes; this server takes at most {most}.",
            "Nothing was taken. The camera keeps its copy.",
            "The operator can raise BLUELAMP_MAX_UPLOAD_BYTES.",
        )


@custody.unrecorded("bytes on their way are no recording yet; their end, good or bad, is recorded")
def note_progress(upload_id: UUID, offset: int) -> None:
    """Note what staging has acknowledged. Raises UploadGone when the upload ended meanwhile."""
    now = clock.now()
    expires_at = Case(
        When(concat=Upload.Concat.PARTIAL, then=Value(now + PART_EXPIRES_AFTER)), default=Value(now + EXPIRES_AFTER)
    )
    moved = Upload.objects.filter(pk=upload_id, state=Upload.State.RECEIVING).update(
        offset=offset, updated_at=now, expires_at=expires_at
    )
    if not moved:
        raise UploadGone("This upload was given up while it was being sent.")


@custody.service
def abandon(upload_id: UUID, *, actor: str, reason: str) -> bool:
    """End an unfinished upload; False where it had ended, or is complete, already. Clear it afterwards."""
    upload = Upload.objects.select_for_update(of=("self",)).select_related("camera").get(pk=upload_id)
    if upload.state != Upload.State.RECEIVING:
        custody.nothing_changed()
        return False
    offset = max(upload.offset, staging.acknowledged_offset(staging.folder_of(upload.pk)))
    _end(upload, Upload.State.ABANDONED)
    custody.record(
        UploadAbandoned(
            actor=actor,
            subject=upload.subject,
            reason=reason,
            upload=upload.pk,
            sequence=upload.sequence,
            offset=offset,
            length=upload.length,
        )
    )
    return True


@custody.service
def reject(upload_id: UUID, *, why: str, received_sha256: str = "", received_size: int = 0) -> None:
    """End an upload that cannot become a recording. Clear it afterwards."""
    upload = Upload.objects.select_for_update(of=("self",)).select_related("camera", "session__dock").get(pk=upload_id)
    if not upload.is_live:
        custody.nothing_changed()
        return
    upload.problem = RecordingRejected(why).problem()
    _end(upload, Upload.State.REJECTED)
    custody.record(
        UploadRejected(
            actor=upload.owner,
            subject=upload.subject,
            also=(upload.owner,) if upload.session else (),
            upload=upload.pk,
            sequence=upload.sequence,
            problem=why,
            expected_sha256=upload.sha256,
            received_sha256=received_sha256,
            expected_size=upload.length,
            received_size=received_size,
        )
    )


@custody.unrecorded("removes only what an event has already said to have ended")
def clear(upload_id: UUID, lease: staging.Lease) -> None:
    """Remove what an ended upload left: its folder and, unless it became a recording, its object and its key."""
    clear_ended(Upload.objects.get(pk=upload_id), lease)


@custody.unrecorded("removes only what an event has already said to have ended")
def clear_ended(upload: Upload, lease: staging.Lease) -> None:
    """`clear`, for who has just read or written the upload's row. Raises ValueError for a live one."""
    if upload.is_live:
        raise ValueError("A live upload is not cleared away.")
    if upload.state != Upload.State.ACCEPTED:
        keyring = get_keyring()
        if keyring.has(upload.key_id):
            keyring.erase(upload.key_id)
        get_store().delete(upload.object_name)
    hashes.forget(upload.pk)
    lease.remove_folder()
    if not upload.cleared:
        # Undone by a crash, it is cleared once more, which changes nothing.
        statements.carry_out_unwaited("UPDATE ingest_upload SET cleared = true WHERE id = %s", [upload.pk])


@custody.unrecorded("a lock")
def lock_camera(camera_id: int | None) -> None:
    """Lock the camera's row before any of its uploads', as a docking does, so that no two wait for each other."""
    if camera_id is not None:
        statements.ask("SELECT 1 FROM fleet_camera WHERE id = %s FOR NO KEY UPDATE", [camera_id])


@custody.unrecorded("removes only what an event has already said to have ended")
def release(upload_id: UUID) -> None:
    """`clear`, unless somebody else is at it just now: recovery clears it later."""
    lease = staging.Lease.acquire(staging.folder_of(upload_id))
    if lease is not None:
        with lease:
            clear(upload_id, lease)


CONTENT = ("filename", "metadata", "manifest", "arrival")
"""Columns that say what is in a recording: emptied when its upload ends."""


@custody.unrecorded("changes an object in memory; whoever saves it records why")
def forget_content(upload: Upload) -> None:
    """Empty what tells of the content. Save CONTENT afterwards."""
    upload.filename, upload.metadata, upload.manifest, upload.arrival = "", "", {}, {}


def _wrong_length(session: DockingSession, item: dict[str, Any], length: int) -> RecordingRejected:
    why = f"The file has {length} bytes, but the camera signed {item['size']} for recording {item['sequence']}."
    _refuse_length(session, item, length, why)
    return RecordingRejected(why)


@custody.service
def _refuse_length(session: DockingSession, item: dict[str, Any], length: int, why: str) -> None:
    custody.record(
        UploadRejected(
            actor=session.dock.custody_id,
            subject=session.camera.custody_id,
            also=(session.dock.custody_id,),
            upload=None,
            sequence=item["sequence"],
            problem=why,
            expected_sha256=item["sha256"],
            received_sha256="",
            expected_size=item["size"],
            received_size=length,
        )
    )


@custody.service
def _begin_again(upload: Upload, metadata: str) -> Upload:
    lock_camera(upload.camera_id)
    if not abandon(upload.pk, actor=upload.owner, reason="The dock began anew."):
        raise UploadFinished
    again = prepared(upload.session, SignedEntry.from_json(upload.manifest), rules.measured(upload), metadata)
    again.save()
    return again


def _end(upload: Upload, state: Upload.State) -> None:
    # Of a failed upload the ledger keeps what is needed; names and manifest go with the bytes.
    upload.state = state
    forget_content(upload)
    upload.updated_at = clock.now()
    upload.save(update_fields=["state", "problem", "updated_at", *CONTENT])
