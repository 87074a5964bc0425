"""A recording whose device encrypted it: kept as received until its key is here, then replaced by what was inside."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.footage.events import KeyAwaited, RecordingUnwrapped
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import changeable
from bluelamp.kernel.errors import Conflict


@custody.service
def await_key(recording: Recording, *, why: str, actor: str) -> None:
    """The recording cannot be prepared for viewing yet: `why`, as a sentence."""
    recording = changeable(recording)
    if (recording.processing, recording.processing_error) == (Recording.Processing.KEYLESS, why):
        custody.nothing_changed()
        return
    recording.processing, recording.processing_error = Recording.Processing.KEYLESS, why
    recording.save(update_fields=["processing", "processing_error"])
    custody.record(KeyAwaited(actor=actor, subject=recording.custody_id, why=why))


@custody.service
def unwrapped(recording: Recording, *, received_object: str, original: str, sha256: str, size: int, actor: str) -> None:
    """Point the recording at `original`, the sealed object of what its received form held, and queue its preparation.

    `sha256` and `size` (bytes) are of the plaintext; those of the received form go into the ledger. The caller removes
    the received object afterwards. Raises Conflict where the recording does not wait for its key as `received_object`,
    or has been deleted.
    """
    recording = changeable(recording)
    if recording.processing != Recording.Processing.KEYLESS or recording.original != received_object:
        raise Conflict("This recording does not wait for a key.", "It stays as it is.")
    received = recording.sha256, recording.size
    recording.original, recording.sha256, recording.size = original, sha256, size
    recording.processing, recording.processing_error = Recording.Processing.WAITING, ""
    recording.processing_attempts = 0
    recording.save(
        update_fields=["original", "sha256", "size", "processing", "processing_error", "processing_attempts"]
    )
    custody.record(
        RecordingUnwrapped(
            actor=actor,
            subject=recording.custody_id,
            received_sha256=received[0],
            received_size=received[1],
            sha256=sha256,
            size=size,
        )
    )
    app.configure_task("footage.prepare").defer(recording_id=str(recording.pk))
