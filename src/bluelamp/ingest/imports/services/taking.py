"""Files at the source become recordings here: judged against their manifest, never stored twice."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.models import Count

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.ingest import services as intake
from bluelamp.ingest.imports import judging, reading
from bluelamp.ingest.imports.arrivals import Directory
from bluelamp.ingest.imports.reading import CannotRead, Opened, opened
from bluelamp.ingest.imports.services import listing
from bluelamp.ingest.imports.services.batches import Batch, kept_longer
from bluelamp.ingest.imports.services.stages import Progress, note_alive, note_state
from bluelamp.ingest.imports.sources import Source
from bluelamp.ingest.models import ImportItem, ImportRun, Upload
from bluelamp.ingest.services.uploads import release

State = ImportItem.State
_CHUNK = 1000
_SMALL = 4 * 1024 * 1024
"""Bytes up to which a file is read at once and taken together with others."""

_DOING = "Taking files"


@custody.unrecorded("each recording that it makes records recording.collected")
def take_all(run: ImportRun, source: Source, progress: Progress) -> None:
    """Take every file that waits, and look again at those that changed. Raises what stops all of them."""
    note_state(run, ImportRun.State.TAKING)
    settle_interrupted(run)
    _look_again(run, source.base)
    taker = _Taker(run, source.base)
    waiting = run.items.filter(state=State.WAITING)
    total, done, last = run.items.exclude(state=State.IGNORED).count(), 0, 0
    begun = total - waiting.count()
    while chunk := list(waiting.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        for item in chunk:
            taker.take(item)
            done += 1
            if not done % 20:
                progress(_DOING, begun + done, total)
        last = chunk[-1].pk
        taker.finish()
        note_alive(run)
    progress(_DOING, begun + done, total)


@custody.unrecorded("what it gives up records upload.abandoned, what it finishes recording.collected")
def settle_interrupted(run: ImportRun) -> None:
    """What an earlier attempt had begun when it was cut off: finished where the bytes are here, else given up."""
    for item in run.items.filter(state=State.WAITING, recording__isnull=False):
        upload = Upload.objects.filter(recording_id=item.recording).first()
        if upload is not None and upload.is_live:
            if upload.length:
                upload = intake.accept_upload(upload.pk)
            if upload.is_live:
                intake.abandon(upload.pk, actor=run.custody_id, reason="The import was interrupted and begins anew.")
                release(upload.pk)
        here = Recording.objects.filter(pk=item.recording).first()
        if here is None:
            run.items.filter(pk=item.pk).update(recording=None)
        else:
            # Without a time of its own it is read again and compared, since the source may have changed meanwhile.
            run.items.filter(pk=item.pk).update(
                state=State.IMPORTED,
                sha256=here.sha256,
                taken_size=here.size,
                taken_mtime_ns=None,
                sentence=judging.imported(here.size, item.facts.get("unused", "")),
            )
            if run.options.get("keep_days"):
                kept_longer(here, run)


def _look_again(run: ImportRun, base: Path) -> None:
    """Files that are here and look different at the source now: the same bytes, or changed since."""
    for item in list(listing.changed(run, again=True)):
        try:
            with opened(base, item) as found:
                sha256 = found.digests(["sha256"])["sha256"]
        except FileNotFoundError:
            continue
        except CannotRead as error:
            run.items.filter(pk=item.pk).update(state=State.CHANGED, sentence=f"It changed at the source. {error}")
            continue
        if sha256 == item.sha256:
            state, sentence = _as_before(run, item, found.size)
            run.items.filter(pk=item.pk).update(
                state=state, taken_size=found.size, taken_mtime_ns=found.mtime_ns, sentence=sentence
            )
        else:
            run.items.filter(pk=item.pk).update(state=State.CHANGED, sentence=judging.changed(sha256))


def _as_before(run: ImportRun, item: ImportItem, size: int) -> tuple[str, str]:
    """State and sentence of a file that is as it was: the one that was imported, or one with the same bytes."""
    state = str(item.state)
    if state == State.CHANGED:
        ours = Upload.objects.filter(recording_id=item.recording, owner=run.custody_id).exists()
        first = not run.items.filter(recording=item.recording, pk__lt=item.pk).exists()
        state = State.IMPORTED if ours and first else State.DUPLICATE
    if state == State.DUPLICATE and item.recording is not None:
        return state, judging.duplicate(run, item.recording, size)
    return state, judging.imported(size, item.facts.get("unused", ""))


class _Taker:
    """Takes one run's files one after the other."""

    def __init__(self, run: ImportRun, base: Path) -> None:
        self._run, self._base = run, base
        self._directory = Directory(run)
        self._known, self._several = _known(run)
        self.batch = Batch(run, self._known)
        self._aside: list[ImportItem] = []

    def take(self, item: ImportItem) -> None:
        """Judge one file and take it. Raises what stops all files, as StorageFull."""
        refusal = self._directory.refusal(item)
        if refusal:
            self._settle(item, State.REFUSED, refusal)
            return
        try:
            with opened(self._base, item) as found:
                self._take(item, found)
        except FileNotFoundError:
            return  # the next look at the source says so
        except CannotRead as error:
            self._settle(item, State.UNREADABLE, str(error))

    def finish(self) -> None:
        """Take what waits: the batch, then files with the same bytes as one of it."""
        self.batch.flush()
        while self._aside:
            aside, self._aside = self._aside, []
            for item in aside:
                self.take(item)
            self.batch.flush()

    def _take(self, item: ImportItem, found: Opened) -> None:
        wrong = judging.size(item.claimed_size, found.size)
        if wrong and found.size > _SMALL:
            self._settle(item, State.CORRUPT, wrong, found)
            return
        small = 0 < found.size <= _SMALL and "signed" not in item.facts
        algorithms = {"sha256", *item.claimed}
        data = b""
        if small:
            data = found.whole()
            found.hashes = reading.digests([data], algorithms)
        elif self._must_be_hashed(item, found.size):
            found.hashes = found.digests(algorithms)
        wrong = wrong or judging.hashes(item.claimed, found.hashes)
        if wrong:
            self._settle(item, State.CORRUPT, wrong, found)
            return
        sha256 = found.hashes.get("sha256", "")
        if sha256 in self.batch.pending:
            self._aside.append(item)  # until it is known what becomes of the other
        elif sha256 in self._known:
            other = self._known[sha256]
            self._settle(item, State.DUPLICATE, judging.duplicate(self._run, other, found.size), found, recording=other)
        elif small:
            coming = self._directory.coming(item, found.size, found.mtime_ns, io.BytesIO(data))
            self.batch.add(item, found, data, coming)
        else:
            self._take_large(item, found)

    def _must_be_hashed(self, item: ImportItem, size: int) -> bool:
        """Whether to hash it before its bytes are sent on: it may be here already, or intake cannot judge it."""
        return size in self._several or bool(set(item.claimed) - {"sha256"})

    def _take_large(self, item: ImportItem, found: Opened) -> None:
        self.batch.flush()
        coming = self._directory.coming(item, found.size, found.mtime_ns, found.file)
        try:
            upload = intake.announce(
                origin=Upload.Origin.IMPORT,
                owner=self._run.custody_id,
                arrival=coming.arrival,
                length=found.size,
                sha256=found.hashes.get("sha256") or item.claimed.get("sha256", ""),
                camera=coming.camera,
                sequence=coming.sequence,
            )
        except IntegrityError:
            why = "It is arriving through a dock just now. Run the command again when it is in."
            self._settle(item, State.REFUSED, why, found)
            return
        item.facts = judging.with_unused(item.facts, coming.remark)
        self._run.items.filter(pk=item.pk).update(recording=upload.recording_id, facts=item.facts)
        try:
            upload = intake.take(upload, found.pieces())
        except CannotRead:
            intake.abandon(upload.pk, actor=self._run.custody_id, reason="The file could not be read to its end.")
            release(upload.pk)
            self._run.items.filter(pk=item.pk).update(recording=None)
            raise
        if upload.state == Upload.State.ACCEPTED:
            found.hashes["sha256"] = upload.sha256
            self._known[upload.sha256] = upload.recording_id
            sentence = judging.imported(found.size, coming.remark)
            self._settle(item, State.IMPORTED, sentence, found, recording=upload.recording_id)
            if self._run.options.get("keep_days"):
                kept_longer(Recording.objects.get(pk=upload.recording_id), self._run)
            return
        found.hashes = found.digests({"sha256", *item.claimed})
        wrong = judging.hashes(item.claimed, found.hashes)
        said = str(upload.problem.get("detail", "")) or "It was not accepted."
        self._settle(item, State.CORRUPT if wrong else State.REFUSED, wrong or said, found)

    def _settle(
        self, item: ImportItem, state: str, sentence: str, found: Opened | None = None, recording: UUID | None = None
    ) -> None:
        facts: dict[str, Any] = {"state": state, "sentence": sentence, "recording": recording}
        if found is not None:
            facts |= {
                "sha256": found.hashes.get("sha256", ""),
                "taken_size": found.size,
                "taken_mtime_ns": found.mtime_ns,
            }
        self._run.items.filter(pk=item.pk).update(**facts, checked_at=None, here_sha256="", here_size=None)


def _known(run: ImportRun) -> tuple[dict[str, UUID], set[int]]:
    """Recordings here that may be the same as a file at the source, by SHA-256; and sizes that need a closer look."""
    sizes = run.items.exclude(source_size=None).order_by().values("source_size").annotate(files=Count("pk"))
    counted = {row["source_size"]: row["files"] for row in sizes}
    found: dict[str, UUID] = {}
    several = {size for size, files in counted.items() if files > 1}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sha256, id, size FROM footage_recording WHERE state <> 'deleted' AND size = ANY(%s) ORDER BY id",
            [list(counted)],
        )
        for sha256, recording_id, size in cursor.fetchall():
            found.setdefault(sha256, recording_id)
            several.add(size)
    return found, several
