"""Making a recording watchable: facts, poster, storyboard, waveform and, where browsers need one, a viewing copy.

The original is only read. Whatever fails leaves it as it is; objects that were half made are removed.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.footage import extent
from bluelamp.footage.events import PreparationFailed, PreparationRequested, RecordingPrepared
from bluelamp.footage.models import Derivative, Recording
from bluelamp.footage.services.locked import changeable, fresh
from bluelamp.footage.sink import ViewingCopySink
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Conflict
from bluelamp.kernel.transaction import atomic, claim
from bluelamp.media import sandbox
from bluelamp.media.errors import MediaError, MediaRejected
from bluelamp.people.models import Person
from bluelamp.vault import objects
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)

ACTOR = "system:processing"
MOST_ATTEMPTS = 3
_WAIT_SECONDS = 30  # before the second attempt; twice that before the third
_FORGOTTEN = timedelta(minutes=10)
_AT_ONCE = 500

_PREPARED = ("processing", "processing_error", "media", "duration_ms", "waveform", "storyboard")

_WAITING_WITHOUT_JOB = """
SELECT r.id FROM footage_recording r
WHERE r.state = 'live' AND r.processing = 'waiting' AND r.received_at < %s AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs j
    WHERE j.task_name = 'footage.prepare' AND j.status = 'todo' AND j.args->>'recording_id' = r.id::text
) ORDER BY r.received_at LIMIT %s
"""


@custody.unrecorded("each of its outcomes records its event, in a transaction of its own")
def prepare(recording_id: UUID) -> None:
    """Prepare one recording. Safe to run again, and at the same time as another run of itself: the second goes home.

    A video that is none fails at once; anything else is tried up to MOST_ATTEMPTS times.
    """
    with claim(f"footage.prepare:{recording_id}") as alone:
        if not alone:
            return
        recording = _begin(recording_id)
        if recording is None:
            return
        if recording.processing_attempts > MOST_ATTEMPTS:
            why = f"Preparing it was cut short {MOST_ATTEMPTS} times, perhaps for want of memory."
            _give_up(recording, why, final=True)  # the last attempt that was cut short left what it had made
            return
        _remove_leftovers(recording)
        try:
            found, made = _process(recording)
            where = _extent(recording, found.facts.container)
        except MediaRejected as error:
            _give_up(recording, error.what_happened, final=True)
        except MediaError as error:
            _give_up(recording, error.what_happened)
        except BluelampError as error:
            _give_up(recording, error.what_happened)
        except OSError as error:
            log.exception("footage.prepare_failed", recording=str(recording_id))
            _give_up(recording, f"The store could not be read or written ({type(error).__name__}).")
        else:
            if not store_prepared(recording, found, made, where):
                _remove_leftovers(recording)


@custody.service
def store_prepared(
    recording: Recording, found: sandbox.Processed, made: list[Derivative], where: tuple[int, int] | None
) -> bool:
    """Keep what was found and made; False, and nothing kept, where the recording left use in the meantime.

    `where`: the bytes of the original that are pictures and sound, see `extent`.
    """
    recording = fresh(recording)
    if recording.state != Recording.State.LIVE or recording.processing != Recording.Processing.WAITING:
        custody.nothing_changed()
        return False
    recording.processing = Recording.Processing.READY
    recording.processing_error = ""
    recording.media = {**found.facts.to_dict(), "extent": where}
    recording.duration_ms = found.facts.duration_ms
    recording.waveform = found.waveform or []
    if found.storyboard is not None:
        board = found.storyboard
        recording.storyboard = {
            "columns": board.columns,
            "rows": board.rows,
            "tile_w": board.tile_w,
            "tile_h": board.tile_h,
            "interval_ms": board.interval_ms,
            "tiles": board.tiles,
        }
    if recording.ended_at <= recording.started_at:
        # Added by hand: its beginning was stated, and only the file itself tells how long it is.
        recording.ended_at = recording.started_at + timedelta(milliseconds=found.facts.duration_ms)
    recording.save(update_fields=[*_PREPARED, "ended_at"])
    Derivative.objects.bulk_create(made)
    custody.record(
        RecordingPrepared(
            actor=ACTOR,
            subject=recording.custody_id,
            duration_ms=found.facts.duration_ms,
            derivatives=[derivative.kind for derivative in made],
            attempt=recording.processing_attempts,
        )
    )
    return True


@custody.service
def preparation_failed(recording: Recording, why: str, *, final: bool) -> None:
    """Say that preparing failed, and why; where that is not `final`, queue the next attempt."""
    recording = fresh(recording)
    if recording.state != Recording.State.LIVE or recording.processing != Recording.Processing.WAITING:
        custody.nothing_changed()
        return
    attempt = recording.processing_attempts
    final = final or attempt >= MOST_ATTEMPTS
    recording.processing_error = why
    if final:
        recording.processing = Recording.Processing.FAILED
    recording.save(update_fields=["processing", "processing_error"])
    custody.record(
        PreparationFailed(
            actor=ACTOR, subject=recording.custody_id, why=why, attempt=min(attempt, MOST_ATTEMPTS), final=final
        )
    )
    if not final:
        wait = {"seconds": _WAIT_SECONDS * attempt}
        app.configure_task("footage.prepare", schedule_in=wait).defer(recording_id=str(recording.pk))


@custody.service
def try_again(recording: Recording, *, by: Person) -> None:
    """Queue a failed recording anew, with all its attempts. Raises Conflict where it did not fail."""
    recording = changeable(recording)
    if recording.processing != Recording.Processing.FAILED:
        raise Conflict("This recording did not fail to be prepared.", "Nothing was changed.")
    recording.processing, recording.processing_attempts = Recording.Processing.WAITING, 0
    recording.save(update_fields=["processing", "processing_attempts"])
    custody.record(PreparationRequested(actor=by.custody_id, subject=recording.custody_id))
    app.configure_task("footage.prepare").defer(recording_id=str(recording.pk))


@custody.unrecorded("queues jobs; what they do is recorded")
def retry_waiting() -> int:
    """Queue anew what waits although no job for it does, since its worker died. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_WITHOUT_JOB, [clock.now() - _FORGOTTEN, _AT_ONCE])
        forgotten = [str(recording_id) for (recording_id,) in cursor.fetchall()]
    if forgotten:
        app.configure_task("footage.prepare").batch_defer(*({"recording_id": item} for item in forgotten))
    return len(forgotten)


def _extent(recording: Recording, container: str) -> tuple[int, int] | None:
    if container not in ("mp4", "quicktime"):
        return None
    reader = SealedReader(recording.original, recording.key_id)
    return extent.of_media(reader.read, reader.size)


def _begin(recording_id: UUID) -> Recording | None:
    """Count the attempt before it is made: a worker that is killed by a video must not try it for ever."""
    with atomic():
        recording = Recording.objects.select_for_update().filter(pk=recording_id).first()
        if (
            recording is None
            or recording.state != Recording.State.LIVE
            or recording.processing != Recording.Processing.WAITING
        ):
            return None
        recording.processing_attempts += 1
        recording.save(update_fields=["processing_attempts"])
        return recording


def _process(recording: Recording) -> tuple[sandbox.Processed, list[Derivative]]:
    reader = SealedReader(recording.original, recording.key_id)
    with ViewingCopySink(_object_name(recording, Derivative.Kind.VIEWING), recording.key_id) as sink:
        found = sandbox.process(reader.read, reader.size, on_viewing_copy=sink.write)
    made = []
    if found.poster is not None:
        made.append(_seal(recording, Derivative.Kind.POSTER, found.poster))
    if found.storyboard is not None:
        made.append(_seal(recording, Derivative.Kind.STORYBOARD, found.storyboard.jpeg))
    if found.viewing_copy is not None:
        made.append(_derivative(recording, Derivative.Kind.VIEWING, "video/mp4", sink.size))
    return found, made


def _seal(recording: Recording, kind: str, jpeg: bytes) -> Derivative:
    objects.seal_bytes(_object_name(recording, kind), recording.key_id, jpeg)
    return _derivative(recording, kind, "image/jpeg", len(jpeg))


def _derivative(recording: Recording, kind: str, content_type: str, size: int) -> Derivative:
    return Derivative(
        recording=recording,
        kind=kind,
        object_name=_object_name(recording, kind),
        content_type=content_type,
        size=size,
    )


def _object_name(recording: Recording, kind: str) -> str:
    return f"recordings/{recording.pk}/{kind}-{recording.processing_attempts}"


def _give_up(recording: Recording, why: str, *, final: bool = False) -> None:
    # The failure is to be told even where the store is what failed; the next attempt removes leftovers first.
    with suppress(BluelampError, OSError):
        _remove_leftovers(recording)
    preparation_failed(recording, why, final=final)


def _remove_leftovers(recording: Recording) -> None:
    """Remove what an attempt left in the store without a row that knows it."""
    known = set(recording.derivatives.values_list("object_name", flat=True))
    store = get_store()
    prefixes = tuple(f"recordings/{recording.pk}/{kind}-" for kind in Derivative.Kind.values)
    for name in list(store.list(f"recordings/{recording.pk}")):
        if name.startswith(prefixes) and name not in known:
            store.delete(name)
