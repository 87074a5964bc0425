"""Many small files together: sealed straight into the store, then accepted in one transaction.

Each has an upload of its own from before its first byte is stored, so that what a crash leaves of it is found and
cleared as for any other upload. Where the database refuses what is said of one, the batch is halved until that one is
alone, and the others are accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import DataError, IntegrityError

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.footage.services import accept_all
from bluelamp.formats.sealed import BytesLike, SealingWriter
from bluelamp.ingest import services as intake
from bluelamp.ingest import staging
from bluelamp.ingest.imports import judging
from bluelamp.ingest.imports.arrivals import Coming
from bluelamp.ingest.imports.reading import Opened
from bluelamp.ingest.imports.services import rows
from bluelamp.ingest.models import ImportItem, ImportRun, Upload
from bluelamp.ingest.recordings import of_arrived
from bluelamp.ingest.services.uploads import EXPIRES_AFTER, release, require_length
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import services as retention
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import associated_data
from bluelamp.vault.stores import get_store

MOST_FILES = 200
_MOST_BYTES = 16 * 1024 * 1024
_UNRECORDABLE = "The database does not take what is said of it."


@dataclass
class _Planned:
    item: ImportItem
    found: Opened
    data: bytes
    upload: Upload
    remark: str


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
        self._planned.append(_Planned(item, found, data, upload, coming.remark))
        self._bytes += len(data)
        self.pending.add(upload.sha256)
        if len(self._planned) >= MOST_FILES or self._bytes >= _MOST_BYTES:
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
        rows.save([each.item for each in planned], "recording")
        _note_unused(planned)


def _note_unused(planned: list[_Planned]) -> None:
    """Keep with each file what of its list could not be used."""
    noted = []
    for each in planned:
        facts = judging.with_unused(each.item.facts, each.remark)
        if facts != each.item.facts:
            each.item.facts = facts
            noted.append(each.item)
    ImportItem.objects.bulk_create(noted, update_conflicts=True, unique_fields=["run", "key"], update_fields=["facts"])


def _store(planned: list[_Planned]) -> None:
    """Every key and object is durable when this returns."""
    keys = get_keyring().create_all([each.upload.key_id for each in planned])
    objects = [(each.upload.object_name, _sealed(each, key)) for each, key in zip(planned, keys, strict=True)]
    get_store().put_all(objects)


def _sealed(planned: _Planned, key: bytes) -> list[BytesLike]:
    writer = SealingWriter(key, associated_data(planned.upload.object_name))
    return [writer.header, *writer.update(planned.data), writer.finish()]


@custody.service
def _commit(run: ImportRun, planned: list[_Planned]) -> list[tuple[_Planned, str]]:
    """Accept all of them, in one transaction. Returns those that are refused, and why."""
    ids = [each.upload.pk for each in planned]
    live = Upload.objects.select_for_update().filter(pk__in=ids, state=Upload.State.RECEIVING)
    standing = set(live.values_list("pk", flat=True))
    accepted, refused = _accepted(run, [each for each in planned if each.upload.pk in standing])
    why = {each.upload.pk: sentence for each, sentence in refused}
    for each in planned:
        item, upload_id = each.item, each.upload.pk
        item.sha256, item.taken_size, item.taken_mtime_ns = each.upload.sha256, each.found.size, each.found.mtime_ns
        item.sentence = why.get(upload_id, "")
        if upload_id in accepted:
            item.state = ImportItem.State.IMPORTED
            item.sentence = judging.imported(each.found.size, each.remark)
            continue
        item.recording = None
        if upload_id in why:
            item.state = ImportItem.State.REFUSED
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
    items = [each.item for each in planned]
    rows.save(items, "state", "sentence", "recording", "sha256", "taken_size", "taken_mtime_ns")
    return refused


def _accepted(run: ImportRun, planned: list[_Planned]) -> tuple[set[UUID], list[tuple[_Planned, str]]]:
    """The uploads that became recordings, and those of which the database takes none, and why."""
    try:
        made = accept_all(of_arrived(each.upload for each in planned), actor=run.custody_id)
    except (Conflict, DataError, IntegrityError) as error:
        if len(planned) == 1:
            return set(), [(planned[0], error.what_happened if isinstance(error, Conflict) else _UNRECORDABLE)]
        half = len(planned) // 2
        first, second = _accepted(run, planned[:half]), _accepted(run, planned[half:])
        return first[0] | second[0], first[1] + second[1]
    if run.options.get("keep_days"):
        for recording in made:
            kept_longer(recording, run)
    return {each.upload.pk for each in planned}, []


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
