"""An import from its beginning to its report; or from wherever the last attempt was cut off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection

from bluelamp import custody
from bluelamp.fleet import services as fleet
from bluelamp.fleet.models import Camera
from bluelamp.formats.errors import FormatError
from bluelamp.formats.manifest import SignedEntry, verify_entry
from bluelamp.ingest.imports import queries
from bluelamp.ingest.imports.entries import shown
from bluelamp.ingest.imports.errors import AlreadyRunning
from bluelamp.ingest.imports.events import ImportStarted
from bluelamp.ingest.imports.services import checking, listing, reporting, taking
from bluelamp.ingest.imports.services.stages import Progress
from bluelamp.ingest.imports.sources import Source
from bluelamp.ingest.models import ImportRun
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Invalid
from bluelamp.people import queries as people
from bluelamp.retention import queries as retention

_LOCK = 0x1A2B_1990
"""First half of the advisory lock's key; the second is the run's number."""

_MOST_PASSES = 3


@dataclass(frozen=True)
class Options:
    """What an import was asked for besides its source.

    `extra`: files that the manifest does not name are imported too. `unit` is the code of the unit that footage belongs
    to of which nothing else is known; `keep_days` keeps each recording at least so long from now (0: as policy says).
    """

    extra: bool = False
    unit: str = ""
    keep_days: int = 0


@custody.unrecorded("records import.started, an event for each recording, import.problems_found and import.finished")
def import_source(
    source: Source, options: Options, *, by: str, anew: bool = False, progress: Progress = lambda *_: None
) -> ImportRun:
    """Import what lies at `source`, or go on with it, and reconcile. Returns the run as it stands at the end.

    `anew` begins another run although the last of this source is not complete. Raises AlreadyRunning, SourceUnreadable,
    Invalid for options that cannot be, and whatever stops all files, as StorageFull: then the next call goes on.
    """
    _require(options)
    run = None if anew else queries.latest(source.identity)
    if run is None or run.state == ImportRun.State.COMPLETE:
        run = begin(source, options, by=by)
    with _alone(run):
        _continue(run, source, options)
        listing.list_source(run, source, fresh=True)
        for _ in range(_MOST_PASSES):
            taking.take_all(run, source, progress)
            checking.check_all(run, progress)
            progress("Looking at the source once more", 0, 1)
            changed = listing.list_source(run, source)
            progress("Looking at the source once more", 1, 1)
            if not changed:
                break
        reporting.finish(run)
    return run


@custody.service
def begin(source: Source, options: Options, *, by: str) -> ImportRun:
    """A new run."""
    manifest = source.manifest
    now = clock.now()
    run = ImportRun.objects.create(
        kind=source.kind,
        source=shown(str(source.base)),
        machine=socket.gethostname(),
        identity=source.identity,
        manifest_sha256=manifest.sha256 if manifest else "",
        described=manifest.described if manifest else {},
        notes=manifest.notes if manifest else [],
        options=asdict(options),
        started_by=by,
        started_at=now,
        moved_at=now,
    )
    custody.record(
        ImportStarted(
            actor=run.custody_id,
            subject=run.custody_id,
            by=by,
            kind=run.kind,
            source=run.source,
            machine=run.machine,
            manifest_sha256=run.manifest_sha256,
            claimed_files=len(manifest.entries) if manifest else 0,
        )
    )
    return run


@custody.unrecorded("part of an import that was begun with its own event")
def _continue(run: ImportRun, source: Source, options: Options) -> None:
    run.options = asdict(options)
    run.state, run.moved_at, run.finished_at = ImportRun.State.LISTING, clock.now(), None
    if source.manifest is not None:
        run.notes, run.manifest_sha256 = source.manifest.notes, source.manifest.sha256
    run.save(update_fields=["options", "state", "moved_at", "finished_at", "notes", "manifest_sha256"])
    if source.kind == ImportRun.Kind.CAMERA:
        _pin_key(run, source)


def _pin_key(run: ImportRun, source: Source) -> None:
    """The first that the server sees of a camera pins its key, as its first docking would."""
    described = source.manifest.described if source.manifest else {}
    camera = Camera.objects.filter(serial=described.get("camera", "")).first()
    entries: list[dict[str, Any]] = (
        [each.facts["signed"] for each in source.manifest.entries] if source.manifest else []
    )
    if camera is None or camera.public_key or not entries:
        return
    try:
        signed = SignedEntry.from_json(entries[0])
        if verify_entry(signed).serial == camera.serial:
            fleet.pin_key(camera, signed.public_key, actor=run.custody_id)
    except (FormatError, BluelampError):
        return  # each entry is judged by itself, and says why it is refused


def _require(options: Options) -> None:
    if options.unit:
        people.unit(options.unit)
    most = retention.policy().longest_extension.days
    if not 0 <= options.keep_days <= most:
        raise Invalid(
            f"Footage can be kept for at most {most} days from now by itself.",
            "Nothing was imported.",
            "Give fewer days; what is needed for longer is flagged as evidence with its category.",
        )


@contextmanager
def _alone(run: ImportRun) -> Iterator[None]:
    """Nobody else works on this run. The lock belongs to the database connection, and ends with the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, run.pk])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning(run.source)
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, run.pk])
