"""What is said to be here is read back from the store and hashed: only that is proof."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.ingest.imports.reading import digests
from bluelamp.ingest.imports.services import rows
from bluelamp.ingest.imports.services.stages import Progress, note_alive, note_state
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel import clock
from bluelamp.vault.errors import KeyErased, KeyUnknown, ObjectDamaged, ObjectMissing
from bluelamp.vault.objects import SealedReader

_CHUNK = 200
_FIELDS = ["state", "original", "size"]


@dataclass(frozen=True)
class _Proof:
    sha256: str
    size: int | None
    why: str = ""


@custody.unrecorded("reads what is here back; the run's end records the result")
def check_all(run: ImportRun, progress: Progress) -> None:
    """Read back and hash every file that is here and was not proven yet."""
    note_state(run, ImportRun.State.CHECKING)
    here = run.items.filter(state__in=ImportItem.HERE)
    _forget_what_has_gone(run)
    unproven = here.filter(checked_at=None)
    total = here.count()
    done = total - unproven.count()
    known: dict[UUID, _Proof] = {}
    last = 0
    while chunk := list(unproven.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        found = Recording.objects.only(*_FIELDS).in_bulk({item.recording for item in chunk if item.recording})
        for item in chunk:
            recording = found.get(item.recording) if item.recording else None
            if item.recording not in known:
                known[item.recording] = _read_back(recording)
            proof = known[item.recording]
            item.here_sha256, item.here_size, item.checked_at = proof.sha256, proof.size, clock.now()
            item.sentence = proof.why or item.sentence
            done += 1
        rows.save(chunk, "here_sha256", "here_size", "checked_at", "sentence")
        note_alive(run)
        last = chunk[-1].pk
        progress("Reading back what is here", done, total)


def _forget_what_has_gone(run: ImportRun) -> None:
    """Proofs of recordings that have been deleted since prove nothing any more."""
    live = Recording.objects.exclude(state=Recording.State.DELETED).values("pk")
    run.items.filter(state__in=ImportItem.HERE, checked_at__isnull=False).exclude(recording__in=live).update(
        checked_at=None, here_sha256="", here_size=None
    )


def _read_back(recording: Recording | None) -> _Proof:
    if recording is None:
        return _Proof("", None, "There is no recording of it here.")
    if recording.state == Recording.State.DELETED:
        return _Proof("", None, "It was imported and has been deleted here since, as retention wants it.")
    try:
        reader = SealedReader(recording.original, recording.key_id)
        sha256 = digests((bytes(piece) for piece in reader.iter(0, reader.size)), ["sha256"])["sha256"]
    except (ObjectMissing, ObjectDamaged, KeyErased, KeyUnknown) as error:
        return _Proof("", None, error.what_happened)
    return _Proof(sha256, reader.size)
