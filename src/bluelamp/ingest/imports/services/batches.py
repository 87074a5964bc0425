"""Many small files together: sealed straight into the store, then accepted in one transaction.

Each has an upload of its own from before its first byte is stored, so that what a crash leaves of it is found and
cleared as for any other upload; and a savepoint of its own, so that one that is refused stops no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.footage.services import accept
from bluelamp.formats.sealed import SealingWriter
from bluelamp.ingest import recordings, staging
from bluelamp.ingest import services as intake
from bluelamp.ingest.imports.arrivals import Coming
from bluelamp.ingest.imports.reading import Opened
from bluelamp.ingest.models import ImportItem, ImportRun, Upload
from bluelamp.ingest.services.uploads import EXPIRES_AFTER, release, require_length
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import services as retention
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import associated_data
from bluelamp.vault.stores import get_store

_MOST_FILES = 64
_MOST_BYTES = 16 * 1024 * 1024


@dataclass
class _Planned:
    item: ImportItem
    found: Opened
    data: bytes
    upload: Upload


class Batch:
    """Files that are taken together. `pending` are the SHA-256s of those that wait in it."""

    def __init__(self, run: ImportRun, known: dict[str, UUID]) -> None:
        """`known` is told of each recording that is made."""
        self._run, self._known = run, known
        self._planned: list[_Planned] = []
        self._bytes = 0
        self.pending: set[str] = set()

    def add(self, item: ImportItem, found: Opened, data: bytes, coming: Coming) -> None:
        """Take a file with the next batch; a full one is taken at once."""
        require_length(len(data))
        now, recording_id = clock.now(), new_id()
        upload = Upload(
            origin=Upload.Origin.IMPORT,
            owner=self._run.custody_id,
            camera=coming.camera,
            sequence=coming.sequence,
            filename=coming.arrival.filename,
            length=len(data),
            arrival=coming.arrival.to_json(),
            sha256=found.hashes["sha256"],
            recording_id=recording_id,
            object_name=f"recordings/{recording_id}/original",
            created_at=now,
            updated_at=now,
            expires_at=now + EXPIRES_AFTER,
        )
        self._planned.append(_Planned(item, found, data, upload))
        self._bytes += len(data)
        self.pending.add(upload.sha256)
        if len(self._planned) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Take what waits. Raises StorageFull and the like; then nothing is lost, and the next attempt goes on."""
        planned, size = self._planned, self._bytes
        self._planned, self._bytes, self.pending = [], 0, set()
        if not planned:
            return
        staging.require_room(settings.BLUELAMP.staging, size)
        _announce(planned)
        _store(planned)
        for each, why in _commit(self._run, planned):
            intake.reject(each.upload.pk, why=why, received_size=len(each.data))
            release(each.upload.pk)
        for each in planned:
            if each.item.state == ImportItem.State.IMPORTED:
                self._known[each.upload.sha256] = each.upload.recording_id


@custody.unrecorded("bytes on their way are no recording yet; their end, good or bad, is recorded")
def _announce(planned: list[_Planned]) -> None:
    with atomic():
        Upload.objects.bulk_create([each.upload for each in planned])
        for each in planned:
            each.item.recording = each.upload.recording_id
        ImportItem.objects.bulk_update([each.item for each in planned], ["recording"])


def _store(planned: list[_Planned]) -> None:
    """Every key and object is durable when this returns."""
    keys, store = get_keyring().create_all([each.upload.key_id for each in planned]), get_store()
    for each, key in zip(planned, keys, strict=True):
        name = each.upload.object_name
        writer = SealingWriter(key, associated_data(name))
        store.put_stream(name, [writer.header, *writer.update(each.data), writer.finish()])


@custody.service
def _commit(run: ImportRun, planned: list[_Planned]) -> list[tuple[_Planned, str]]:
    """Accept all of them, in one transaction. Returns those that are refused, and why."""
    ids = [each.upload.pk for each in planned]
    live = Upload.objects.select_for_update().filter(pk__in=ids, state=Upload.State.RECEIVING)
    standing = set(live.values_list("pk", flat=True))
    refused: list[tuple[_Planned, str]] = []
    accepted: list[UUID] = []
    for each in planned:
        item = each.item
        item.sha256, item.taken_size = each.upload.sha256, each.found.size
        item.taken_mtime_ns, item.sentence = each.found.mtime_ns, ""
        if each.upload.pk not in standing:
            item.recording = None
            continue
        try:
            recording = accept(recordings.of(each.upload), actor=run.custody_id)
        except Conflict as error:
            refused.append((each, error.what_happened))
            item.state, item.sentence, item.recording = ImportItem.State.REFUSED, error.what_happened, None
            continue
        if run.options.get("keep_days"):
            kept_longer(recording, run)
        item.state = ImportItem.State.IMPORTED
        accepted.append(each.upload.pk)
    if not accepted:
        custody.nothing_changed()
    Upload.objects.filter(pk__in=accepted).update(
        state=Upload.State.ACCEPTED,
        filename="",
        metadata="",
        manifest={},
        arrival={},
        updated_at=clock.now(),
        cleared=True,
    )
    ImportItem.objects.bulk_update(
        [each.item for each in planned],
        ["state", "sentence", "recording", "sha256", "taken_size", "taken_mtime_ns"],
    )
    return refused


@custody.unrecorded("the extension that it makes is recorded by retention")
def kept_longer(recording: Recording, run: ImportRun) -> None:
    """Keep a recording for as long as the import was told; one that is kept longer anyway stays as it is."""
    until = clock.now() + timedelta(days=int(run.options["keep_days"]))
    try:
        retention.extend(
            recording, until=until, reason=f"Kept until somebody has looked at import {run.pk}", actor=run.custody_id
        )
    except Invalid:
        return
