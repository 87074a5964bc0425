"""tus concatenation: several uploads sent at once become one.

A part has a data key and a folder of its own, and is never a recording. The whole takes the parts' bytes one after the
other through the same pipeline as any upload, so that its hash and its seal are of the whole. It is repeated from its
beginning after a crash; the parts go only when it has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.ingest import staging
from bluelamp.ingest.errors import BadRequest, UploadBusy, UploadUnknown
from bluelamp.ingest.models import Upload
from bluelamp.ingest.services import deposits
from bluelamp.ingest.services.uploads import PART_EXPIRES_AFTER, reject, release
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Busy
from bluelamp.vault.errors import KeyErased, KeyUnknown
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import associated_data

MOST_PARTS = 64
MOST_OPEN_PARTS = 1000
"""Parts that one sender may have here, not joined yet."""


@custody.unrecorded("a part is no recording; its end is recorded with the whole or as given up")
def create_part(owner: str, origin: Upload.Origin, length: int | None, metadata: str) -> Upload:
    """A new part. Raises Busy when the sender has too many open, TooLarge, StorageFull."""
    open_parts = Upload.objects.filter(owner=owner, concat=Upload.Concat.PARTIAL, state=Upload.State.RECEIVING)
    if open_parts.count() >= MOST_OPEN_PARTS:
        raise Busy(
            f"There are {MOST_OPEN_PARTS} parts of uploads here that were never joined.",
            "Nothing was taken. The sender keeps its copy.",
            "Join or end them; what is left alone for a day ends by itself.",
        )
    return deposits.announce(
        origin=origin,
        owner=owner,
        arrival=None,
        length=length,
        concat=Upload.Concat.PARTIAL,
        metadata=metadata,
        expires_after=PART_EXPIRES_AFTER,
    )


@custody.unrecorded("asks for work; joining records what comes of it")
def plan(parts: list[UUID], owner: str, make: Callable[[], Upload]) -> Upload:
    """Let what `make` gives, at offset 0, take its bytes from complete parts of the same owner, soon, in a job.

    From here on the parts are this whole's: they cannot be ended, expire or be joined again. Raises BadRequest for
    parts that are not complete, or are too many, or do not add up; UploadUnknown.
    """
    with transaction.atomic():
        found = _parts(parts, owner)
        total = sum(part.length or 0 for part in found)
        whole = make()  # only now: it may put an end to an earlier attempt
        if whole.length not in {None, total}:
            raise BadRequest(f"The parts have {total} bytes together, but the recording has {whole.length}.")
        Upload.objects.filter(pk__in=parts).update(state=Upload.State.JOINED, updated_at=clock.now())
        whole.concat, whole.parts, whole.length = Upload.Concat.FINAL, [str(part.pk) for part in found], total
        whole.save(update_fields=["concat", "parts", "length"])
        app.configure_task("ingest.join").defer(upload_id=str(whole.pk))
    return whole


@custody.unrecorded("the whole's end, accepted or rejected, is recorded")
def join(upload_id: UUID) -> Upload:
    """Make a planned whole of its parts, as far as that has not happened. Raises UploadBusy, StorageFull."""
    whole = Upload.objects.get(pk=upload_id)
    if whole.is_live and whole.concat == Upload.Concat.FINAL:
        try:
            whole = deposits.take(whole, _bytes_of(whole))
        except staging.StagingDamaged as error:
            reject(whole.pk, why=error.what_happened)
            whole.refresh_from_db()
    if not whole.is_live:
        _end_parts(whole)
    return whole


def _parts(ids: list[UUID], owner: str) -> list[Upload]:
    if not 0 < len(ids) <= MOST_PARTS or len(set(ids)) != len(ids):
        raise BadRequest(f"An upload is joined of 1 to {MOST_PARTS} different parts.")
    theirs = Upload.objects.select_for_update(of=("self",)).filter(pk__in=ids, owner=owner).order_by("pk")
    rows = {row.pk: row for row in theirs.filter(concat=Upload.Concat.PARTIAL)}
    if len(rows) != len(ids):
        raise UploadUnknown
    parts = [rows[part] for part in ids]
    for part in parts:
        arrived = staging.acknowledged_offset(staging.folder_of(part.pk))
        if part.state != Upload.State.RECEIVING or part.length is None or arrived != part.length:
            raise BadRequest("A part is not complete, or belongs to another upload already.")
    return parts


def _bytes_of(whole: Upload) -> Iterator[bytes]:
    keyring = get_keyring()
    for part_id in whole.parts:
        part = Upload.objects.get(pk=part_id)
        folder = staging.folder_of(part.pk)
        lease = staging.Lease.acquire(folder)
        if lease is None:
            raise UploadBusy
        with lease:
            try:
                key = keyring.get(part.key_id)
            except (KeyErased, KeyUnknown) as error:
                raise staging.StagingDamaged("the key of a part has gone") from error
            state = staging.StateFile(folder, part.pk, key).load()
            if state is None or state.offset != part.length:
                raise staging.StagingDamaged("a part has gone")
            yield from staging.plaintext(folder, state, key, associated_data(part.object_name))


def _end_parts(whole: Upload) -> None:
    Upload.objects.filter(pk__in=whole.parts).update(metadata="")
    for upload in Upload.objects.filter(pk__in=[whole.pk, *whole.parts], cleared=False):
        release(upload.pk)
