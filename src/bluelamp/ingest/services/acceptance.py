"""From a complete upload to a recording: idempotent, and to be run again from whatever point a crash left.

1. all bytes acknowledged in staging, the last  upload `receiving`
   segment written, durable
2. hash equal to the manifest's                 upload `received`
3. sealed object moved into the store           an object that step 4 adopts if the server ends here
4. recording, retention date, custody event,    upload `accepted`
   receipt, job: one transaction
5. staging removed
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from bluelamp import custody
from bluelamp.footage.services import accept
from bluelamp.formats import sealed
from bluelamp.ingest import hooks, queries, receipts, recordings, staging
from bluelamp.ingest.models import DockingSession, Upload
from bluelamp.ingest.services.uploads import clear_ended, forget_content, lock_camera, reject
from bluelamp.kernel import clock, statements
from bluelamp.kernel.errors import Conflict
from bluelamp.kernel.statements import Kept
from bluelamp.vault.errors import KeyUnknown
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import associated_data
from bluelamp.vault.stores import get_store

_LOCKED = Kept(
    lambda pk: queries.with_session(Upload.objects.select_for_update(of=("self",))).filter(pk=pk), pk=queries.EXAMPLE
)
_RECEIVED = """
UPDATE ingest_upload SET state = 'received', sha256 = %s, "offset" = %s, updated_at = %s
WHERE id = %s AND state = 'receiving'
"""
# With what `forget_content` empties.
_ACCEPTED = """
UPDATE ingest_upload SET state = 'accepted', receipt = %s, updated_at = %s,
    filename = '', metadata = '', manifest = '{}', arrival = '{}'
WHERE id = %s
"""
_DIFFERS = {
    True: "What arrived for recording {} is not what the camera signed: the SHA-256 differs.",
    False: "What arrived is not the file that was announced: the SHA-256 differs.",
}


@custody.unrecorded("opens files; no event is due before there is a recording")
def open_writer(upload: Upload, lease: staging.Lease) -> staging.StagedWriter:
    """Open an upload's staging for writing. Its data key is made with its first byte.

    Raises StagingDamaged, StorageFull.
    """
    keyring = get_keyring()
    try:
        key = keyring.get(upload.key_id)
    except KeyUnknown:
        key = keyring.create(upload.key_id)
    return staging.StagedWriter(lease, upload.pk, key, associated_data(upload.object_name), upload.length)


@custody.unrecorded("its steps record upload.rejected, or recording.collected with the receipt")
def accept_upload(
    upload_id: UUID,
    lease: staging.Lease | None = None,
    writer: staging.StagedWriter | None = None,
    upload: Upload | None = None,
) -> Upload:
    """Take an upload as far as it can go, and return it as it stands then.

    Without a lease it takes one; where somebody else is at it, nothing is done. `writer` is the open writer of whoever
    holds the lease already, and `upload` the row as it was read under that lease (`queries.upload`). Raises what the
    database, keyring or store raise: then nothing is lost, and the next call goes on.
    """
    if lease is None:
        lease = staging.Lease.acquire(staging.folder_of(upload_id))
        if lease is None:
            return Upload.objects.get(pk=upload_id)
        with lease:
            return accept_upload(upload_id, lease)
    upload = upload or queries.upload(upload_id)
    if upload.is_part and (upload.is_live or queries.is_wanted(upload)):
        return upload
    if upload.state == Upload.State.RECEIVING and _all_there(upload, lease):
        _finish(upload, lease, writer)
    if upload.state == Upload.State.RECEIVED:
        upload = _take_in(upload, lease)
    if not upload.is_live:
        clear_ended(upload, lease)
    return upload


@custody.unrecorded("accept_upload records what comes of it")
def settled_receipt(session: DockingSession, sequence: int) -> dict[str, Any] | None:
    """The receipt of a recording in the session's inventory; an upload that is complete is accepted first.

    None while bytes are missing or it cannot be accepted just now. Raises as `queries.receipt` does.
    """
    receipt = queries.receipt(session, sequence)
    if receipt is None:
        upload = queries.latest_upload(session, sequence)
        if upload is not None and staging.acknowledged_offset(staging.folder_of(upload.pk)) == upload.length:
            accept_upload(upload.pk)
            receipt = queries.receipt(session, sequence)
    return receipt


def _all_there(upload: Upload, lease: staging.Lease) -> bool:
    return staging.acknowledged_offset(lease.path) == upload.length


def _finish(upload: Upload, lease: staging.Lease, writer: staging.StagedWriter | None) -> None:
    """Steps 1 to 2."""
    ours = writer is None
    try:
        writer = writer or open_writer(upload, lease)
        try:
            writer.acknowledge()
            digest = writer.digest()
            if upload.sha256 in {digest, ""}:
                writer.complete()
                _mark_received(upload, digest)
                return
        finally:
            if ours:
                writer.close()
    except staging.StagingDamaged as error:
        _reject(upload, why=error.what_happened, received_size=upload.length)
        return
    _reject(
        upload,
        why=_DIFFERS[upload.origin == Upload.Origin.DOCK].format(upload.sequence),
        received_sha256=digest,
        received_size=upload.length,
    )


def _mark_received(upload: Upload, sha256: str) -> None:
    now = clock.now()
    if statements.carry_out(_RECEIVED, [sha256, upload.length, now, upload.pk]):
        upload.state, upload.sha256 = Upload.State.RECEIVED, sha256
        upload.offset, upload.updated_at = upload.length, now
    else:
        upload.refresh_from_db()


def _reject(upload: Upload, **facts: Any) -> None:
    reject(upload.pk, **facts)
    upload.refresh_from_db()


def _take_in(upload: Upload, lease: staging.Lease) -> Upload:
    """Steps 2 to 4. Returns the upload as it stands then."""
    store = get_store()
    path = staging.sealed_file(lease.path)
    size = sealed.sealed_size(upload.length)
    if path is not None and path.exists() and path.stat().st_size == size:
        store.put_file(upload.object_name, path, move=True)
    elif store.exists(upload.object_name) and store.size(upload.object_name) == size:
        store.make_durable(upload.object_name)  # whoever moved it may have ended before that
    else:
        _reject(upload, why="The bytes of the recording went missing before it was accepted.")
        return upload
    try:
        return _commit(upload.pk, upload.camera_id)
    except Conflict as error:
        with transaction.atomic():  # what is said of it and its end, or neither
            hooks.refused.call(upload, error)
            _reject(upload, why=error.what_happened, received_sha256=upload.sha256, received_size=upload.length)
        return upload


@custody.service
def _commit(upload_id: UUID, camera_id: int | None) -> Upload:
    lock_camera(camera_id)
    upload = _LOCKED.get(pk=upload_id)
    if upload.state != Upload.State.RECEIVED:
        custody.nothing_changed()
        return upload
    recording = accept(recordings.of(upload), actor=upload.owner)
    upload.state = Upload.State.ACCEPTED
    if upload.origin == Upload.Origin.DOCK:
        upload.receipt = receipts.sign(recording, recording.collected.entry.hex())
    forget_content(upload)
    upload.updated_at = clock.now()
    statements.carry_out(_ACCEPTED, [Jsonb(upload.receipt), upload.updated_at, upload.pk])
    return upload
