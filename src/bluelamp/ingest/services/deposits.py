"""Files from elsewhere than a dock: announced with what they are to become, then taken whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings

from bluelamp import custody
from bluelamp.fleet.models import Camera
from bluelamp.formats.sealed import BytesLike
from bluelamp.ingest import staging
from bluelamp.ingest.arrival import Arrival
from bluelamp.ingest.errors import BadRequest, UploadBusy
from bluelamp.ingest.models import Upload
from bluelamp.ingest.services.acceptance import accept_upload, open_writer
from bluelamp.ingest.services.uploads import EXPIRES_AFTER, abandon, clear, require_length
from bluelamp.kernel import clock
from bluelamp.kernel.ids import new_id
from bluelamp.vault.disk import make_folder

Tap = Callable[[memoryview], None]
"""Sees a file's plaintext pass by, in order."""


@custody.unrecorded("bytes on their way are no recording yet; their end, good or bad, is recorded")
def announce(
    *,
    origin: Upload.Origin,
    owner: str,
    arrival: Arrival | None,
    length: int | None,
    sha256: str = "",
    camera: Camera | None = None,
    sequence: int | None = None,
    concat: Upload.Concat = Upload.Concat.WHOLE,
    metadata: str = "",
    expires_after: timedelta = EXPIRES_AFTER,
) -> Upload:
    """A new upload of a file of `length` bytes, which `owner` (custody id) sends.

    `length` None and `sha256` empty where nobody knows them yet. Raises TooLarge, StorageFull.
    """
    make_folder(settings.BLUELAMP.staging)
    if length is not None:
        require_length(length)
    staging.require_room(settings.BLUELAMP.staging, length or 0)
    now = clock.now()
    recording_id = new_id()
    return Upload.objects.create(
        origin=origin,
        owner=owner,
        camera=camera,
        sequence=sequence,
        filename=arrival.filename if arrival else "",
        length=length,
        metadata=metadata,
        arrival=arrival.to_json() if arrival else {},
        concat=concat,
        sha256=sha256,
        recording_id=recording_id,
        object_name=f"recordings/{recording_id}/original",
        created_at=now,
        updated_at=now,
        expires_at=now + expires_after,
    )


@custody.unrecorded("its end, accepted or rejected, is recorded")
def take(upload: Upload, pieces: Iterable[BytesLike], tap: Tap | None = None) -> Upload:
    """Take the whole file from `pieces` and accept it, in this process. Returns the upload as it stands then.

    Where an earlier attempt ended in the midst it begins anew. Raises UploadBusy while somebody else is at it,
    StorageFull, and what the iterable raises: then nothing is kept of the bytes.
    """
    lease = staging.Lease.acquire(staging.folder_of(upload.pk))
    if lease is None:
        raise UploadBusy
    with lease:
        upload.refresh_from_db()
        if upload.state != Upload.State.RECEIVING:
            return accept_upload(upload.pk, lease)
        staging.forget(lease.path)
        writer = open_writer(upload, lease)
        try:
            for piece in pieces:
                writer.write(piece)
                if tap is not None:
                    tap(memoryview(piece))
            if upload.length is None:
                note_length(upload, writer.size)
                writer.length = upload.length
            if writer.size != upload.length:
                raise BadRequest(f"The file has {writer.size} bytes, but {upload.length} were announced.")
            writer.acknowledge()
            return accept_upload(upload.pk, lease, writer)
        finally:
            writer.close()


@custody.unrecorded("part of what its upload's end records")
def note_length(upload: Upload, length: int) -> None:
    """Note a length that only the end of the bytes told. Raises TooLarge."""
    require_length(length)
    Upload.objects.filter(pk=upload.pk, length=None).update(length=length)
    upload.length = length


@custody.unrecorded("nothing of it had arrived, so there is nothing whose end could be told")
def withdraw(upload: Upload, lease: staging.Lease) -> None:
    """Forget an announced upload whose turn to send never came; its sender announces it again."""
    if Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING, offset=0).delete()[0]:
        lease.remove_folder()


@custody.unrecorded("abandon records it")
def give_up(upload: Upload, lease: staging.Lease, reason: str) -> None:
    """End an upload whose sender will not go on, and clear it."""
    if abandon(upload.pk, actor=upload.owner, reason=reason):
        clear(upload.pk, lease)
