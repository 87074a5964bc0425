"""Deletion, in an order that survives a crash at any instant.

1. The row is closed: a tombstone, committed together with the deletion's record. From here there is no way back, and
   every door refuses the recording.
2. Its key is erased. From here no copy of the sealed bytes opens any more, wherever it lies.
3. Every object below `recordings/<id>/` is removed.
4. A signed certificate and its event.

Each step may be repeated: an interrupted deletion is taken up by the next sweep, from the deletion's record.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog

from bluelamp import custody
from bluelamp.custody import keys
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Busy
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import certificates, rules
from bluelamp.retention.events import LeftoverRemoved, RecordingErased
from bluelamp.retention.models import Certificate, Deletion, Extension, Hold
from bluelamp.retention.services.deciding import SYSTEM
from bluelamp.vault import objects
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)


@custody.unrecorded("part of the sweep's step, whose transaction records recording.deleted through footage")
def close(recording: Recording, decision: rules.Decision, now: datetime) -> None:
    """Step 1, for a recording whose row the caller has locked and whose decision lets it go at `now`."""
    if decision.step(now) is not rules.Step.DELETE or decision.due_at is None:
        raise ValueError(f"{recording.custody_id} is not to be deleted")
    footage.mark_deleted(recording, reason=decision.governing.title)
    # Reasons are a person's words and may name people or what is to be seen.
    Hold.objects.filter(recording=recording).update(reason="", release_reason="")
    Extension.objects.filter(recording=recording).update(reason="")
    Deletion.objects.create(
        recording=recording,
        rule=decision.governing.title,
        basis=decision.governing.basis,
        due_at=decision.due_at,
        closed_at=now,
    )


@custody.unrecorded("its last step records recording.erased; the others only bring the outside world in line")
def finish_deletion(recording_id: UUID) -> bool:
    """Steps 2 to 4 for a closed recording. Returns whether this call finished it; False where another one did or does.

    Must not be called inside a transaction: a key is erased for good, whatever is rolled back afterwards.
    """
    if not _erase_key_and_look(recording_id):
        return False
    with atomic(durable=True):
        deletion = _claim(recording_id)
        return deletion is not None and _certify(deletion)


@custody.service
def check_again(recording_id: UUID) -> int:
    """Look once more for objects of a recording that has gone, and remove them. Returns how many there were.

    Something that was being written while its key was erased may have been finished after the objects were listed.
    """
    deletion = Deletion.objects.select_for_update().get(recording=recording_id)
    removed = _remove(_names(deletion.recording))
    deletion.checked_at = clock.now()
    deletion.save(update_fields=["checked_at"])
    if removed:
        custody.record(LeftoverRemoved(actor=SYSTEM, subject=f"recording:{recording_id}", objects_removed=len(removed)))
    else:
        custody.nothing_changed()
    return len(removed)


def _erase_key_and_look(recording_id: UUID) -> bool:
    # The names are committed before anything is removed, so that a certificate after a crash counts them all.
    with atomic(durable=True):
        deletion = _claim(recording_id)
        if deletion is None:
            return False
        get_keyring().erase(deletion.recording.key_id, clock.now())
        deletion.objects_found = sorted({*deletion.objects_found, *_names(deletion.recording)})
        deletion.save(update_fields=["objects_found"])
    return True


@custody.service
def _certify(deletion: Deletion) -> bool:
    recording = deletion.recording
    names = {*deletion.objects_found, *_names(recording)}
    _remove(names)
    if left := _names(recording):
        raise Busy(f"{len(left)} objects of {recording.custody_id} are still there after their removal.")
    erased_at = get_keyring().erased_at(recording.key_id)
    if erased_at is None:
        raise RuntimeError(f"The keyring does not say when the key of {recording.custody_id} was erased")
    now, certificate_id = clock.now(), new_id()
    recorded = custody.record(
        RecordingErased(
            actor=SYSTEM,
            subject=recording.custody_id,
            reason=deletion.rule,
            certificate=certificate_id,
            sha256=recording.sha256,
            size=recording.size,
            rule=deletion.rule,
            key_erased_at=erased_at,
            objects_removed=len(names),
        )
    )
    body = certificates.DeletionCertificate(
        certificate_id=str(certificate_id),
        recording_id=str(recording.pk),
        sha256=recording.sha256,
        size=recording.size,
        recorded_at=iso8601.to_text(recording.started_at),
        received_at=iso8601.to_text(recording.received_at),
        due_at=iso8601.to_text(deletion.due_at),
        deleted_at=iso8601.to_text(now),
        rule=deletion.rule,
        basis=deletion.basis,
        key_erased_at=iso8601.to_text(erased_at),
        objects_removed=len(names),
        ledger_entry=recorded.entry.hex(),
    )
    Certificate.objects.create(
        id=certificate_id,
        recording=recording,
        issued_at=now,
        body=certificates.sign(body, keys.receipt_key(), certificates.key_name(keys.log_origin())),
    )
    deletion.finished_at = now
    deletion.save(update_fields=["finished_at"])
    log.info("recording deleted", recording=str(recording.pk), objects=len(names))
    return True


def _claim(recording_id: UUID) -> Deletion | None:
    """The unfinished deletion, locked; None where it is finished or another process is at it."""
    return (
        Deletion.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("recording")
        .filter(recording=recording_id, finished_at=None)
        .first()
    )


def _names(recording: Recording) -> set[str]:
    """The objects of which the store keeps anything under a recording, the master wherever it is."""
    store = get_store()
    return {*store.remains(f"recordings/{recording.pk}"), *store.remains(recording.original)}


def _remove(names: set[str]) -> set[str]:
    store = get_store()
    for name in sorted(names):
        store.hold(name, False)  # it was closed under its row's lock: whatever held it before holds it no more
        objects.delete(name)
    return names
