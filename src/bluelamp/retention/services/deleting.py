"""Deletion, in an order that survives a crash at any instant.

1. The row is closed: a tombstone, committed together with the deletion's record. From here there is no way back, and
   every door refuses the recording.
2. Its key is erased. From here no copy of the sealed bytes opens any more, wherever it lies.
3. Every object below `recordings/<id>/` is removed.
4. A signed certificate and its event.

Many recordings take each step together, and none begins a step before all of them have ended the one before it. Each
step may be repeated: an interrupted deletion is taken up by the next sweep, from the deletion's record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db import connection
from psycopg.types.json import Jsonb

from bluelamp import custody
from bluelamp.custody import keys
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.kernel import clock
from bluelamp.kernel.among import among, array
from bluelamp.kernel.errors import Busy
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import beside, certificates, rules
from bluelamp.retention.events import LeftoverRemoved, RecordingErased
from bluelamp.retention.models import Deletion, Extension, Hold, Shortening
from bluelamp.retention.services.deciding import SYSTEM
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)

_COPY_DELETIONS = """
COPY retention_deletion (recording_id, rule, basis, due_at, objects_found, closed_at) FROM STDIN (FORMAT BINARY)
"""
_COPY_CERTIFICATES = "COPY retention_certificate (id, recording_id, issued_at, body) FROM STDIN (FORMAT BINARY)"
_NO_NAMES = Jsonb([])

_CLAIM = """
SELECT d.recording_id, d.rule, d.basis, d.due_at, r.original, r.sha256, r.size, r.started_at, r.received_at,
       d.objects_found
FROM retention_deletion d JOIN footage_recording r ON r.id = d.recording_id
WHERE d.recording_id = ANY (%s::uuid[]) AND {standing} ORDER BY d.id FOR UPDATE OF d SKIP LOCKED
"""
_NOTE_NAMES = """
UPDATE retention_deletion SET objects_found = given.value
FROM jsonb_each(%s::jsonb) AS given WHERE recording_id = given.key::uuid
"""
_UNFINISHED, _UNCHECKED = "d.finished_at IS NULL", "d.checked_at IS NULL"


class _Leaving(NamedTuple):
    """A closed recording and its deletion: what finishing it needs to know."""

    id: UUID
    rule: str
    basis: str
    due_at: datetime
    original: str
    sha256: str
    size: int
    started_at: datetime
    received_at: datetime
    objects_found: frozenset[str]

    @property
    def custody_id(self) -> str:
        return f"recording:{self.id}"

    @property
    def key_id(self) -> str:
        return str(self.id)


@custody.unrecorded("part of the sweep's step, whose transaction records recording.deleted through footage")
def close(leaving: Sequence[tuple[Recording, rules.Decision]], now: datetime) -> None:
    """Step 1, for recordings whose rows the caller has locked and whose decisions let them go at `now`."""
    closed = []
    for recording, decision in leaving:
        if decision.step(now) is not rules.Step.DELETE or decision.due_at is None:
            raise ValueError(f"{recording.custody_id} is not to be deleted")
        rule = decision.governing
        closed.append((recording.pk, rule.title, rule.basis, decision.due_at, _NO_NAMES, now))
    ids = [recording.pk for recording, _ in leaving]
    footage.mark_all_deleted([recording for recording, _ in leaving], {each[0]: each[1] for each in closed})
    forget_reasons(ids)
    _copy(_COPY_DELETIONS, ["uuid", "text", "text", "timestamptz", "jsonb", "timestamptz"], closed)


@custody.unrecorded("part of closing recordings, which records it")
def forget_reasons(recording_ids: Iterable[UUID]) -> None:
    """Empty what people wrote when they kept these recordings: it may name people, or what is to be seen."""
    ids = list(recording_ids)
    Hold.objects.filter(recording__in=among(ids)).update(reason="", release_reason="")
    Extension.objects.filter(recording__in=among(ids)).update(reason="")
    words = dict.fromkeys(("before", "after", "edit_reason", "decision_reason"), "")
    Shortening.objects.filter(recording__in=among(ids)).update(**words)


@custody.unrecorded("its last step records recording.erased; the others only bring the outside world in line")
def finish_deletions(recording_ids: Sequence[UUID]) -> int:
    """Steps 2 to 4 for closed recordings. Returns how many this call finished; another one may have the others.

    Must not be called inside a transaction: a key is erased for good, whatever is rolled back afterwards. Where it
    raises, none of them is certified, and each may be finished later.
    """
    erased = _erase_keys_and_look(recording_ids)
    if not erased:
        return 0
    with atomic(durable=True):
        leaving = _claim(_UNFINISHED, erased)
        return _certify(leaving) if leaving else 0


@custody.unrecorded("finish_deletions for one")
def finish_deletion(recording_id: UUID) -> bool:
    """The same for one recording. Returns whether this call finished it."""
    return finish_deletions([recording_id]) == 1


@custody.service
def check_again(recording_ids: Sequence[UUID]) -> int:
    """Look once more for objects of recordings that have gone, and remove them. Returns how many there were.

    Something that was being written while its key was erased may have been finished after the objects were listed.
    """
    gone = _claim(_UNCHECKED, recording_ids)
    there = _names(gone)
    _remove(there)
    Deletion.objects.filter(recording__in=among(each.id for each in gone)).update(checked_at=clock.now())
    custody.record_all(
        [
            LeftoverRemoved(actor=SYSTEM, subject=each.custody_id, objects_removed=len(names))
            for each, names in zip(gone, there, strict=True)
            if names
        ]
    )
    custody.nothing_changed()  # most often there is nothing left, and nothing to tell
    return sum(map(len, there))


def _erase_keys_and_look(recording_ids: Sequence[UUID]) -> list[UUID]:
    # The names are committed before anything is removed, so that a certificate after a crash counts them all.
    with atomic(durable=True):
        leaving = _claim(_UNFINISHED, recording_ids)
        if leaving:
            get_keyring().erase_all([each.key_id for each in leaving], clock.now())
            there = zip(leaving, _names(leaving), strict=True)
            found = {str(each.id): sorted(names | each.objects_found) for each, names in there if names}
            if found:
                with connection.cursor() as cursor:
                    cursor.execute(_NOTE_NAMES, [json.dumps(found)])
    return [each.id for each in leaving]


@custody.service
def _certify(leaving: Sequence[_Leaving]) -> int:
    removed = [each.objects_found | names for each, names in zip(leaving, _names(leaving), strict=True)]
    _remove(removed)
    had_objects = [each for each, names in zip(leaving, removed, strict=True) if names]
    for each, left in zip(had_objects, _names(had_objects), strict=True):
        if left:
            raise Busy(f"{len(left)} objects of {each.custody_id} are still there after their removal.")
    erased_at = get_keyring().erasures([each.key_id for each in leaving])
    now = clock.now()
    events = [_erased(each, erased_at, len(names)) for each, names in zip(leaving, removed, strict=True)]
    records = custody.record_all(events)
    key, key_name = keys.receipt_key(), certificates.key_name(keys.log_origin())
    told, issued = beside.told([each.id for each in leaving]), []
    for each, event, recorded in zip(leaving, events, records, strict=True):
        certificate = _certificate(each, event, told.get(each.id, beside.Beside()), recorded.entry, now)
        body = certificates.sign(certificate, key, key_name)
        issued.append((event.certificate, each.id, now, Jsonb(body)))
    _copy(_COPY_CERTIFICATES, ["uuid", "uuid", "timestamptz", "jsonb"], issued)
    Deletion.objects.filter(recording__in=among(each.id for each in leaving)).update(finished_at=now)
    log.info("recordings deleted", count=len(leaving), objects=sum(map(len, removed)))
    return len(leaving)


def _erased(leaving: _Leaving, erased_at: Mapping[str, datetime], objects_removed: int) -> RecordingErased:
    if leaving.key_id not in erased_at:
        raise RuntimeError(f"The keyring does not say when the key of {leaving.custody_id} was erased")
    return RecordingErased(
        actor=SYSTEM,
        subject=leaving.custody_id,
        reason=leaving.rule,
        certificate=new_id(),
        sha256=leaving.sha256,
        size=leaving.size,
        rule=leaving.rule,
        key_erased_at=erased_at[leaving.key_id],
        objects_removed=objects_removed,
    )


def _certificate(
    leaving: _Leaving, event: RecordingErased, more: beside.Beside, entry: bytes, now: datetime
) -> certificates.DeletionCertificate:
    return certificates.DeletionCertificate(
        certificate_id=str(event.certificate),
        recording_id=str(leaving.id),
        sha256=leaving.sha256,
        size=leaving.size,
        recorded_at=iso8601.to_text(leaving.started_at),
        received_at=iso8601.to_text(leaving.received_at),
        due_at=iso8601.to_text(leaving.due_at),
        deleted_at=iso8601.to_text(now),
        rule=leaving.rule,
        basis=leaving.basis,
        key_erased_at=iso8601.to_text(event.key_erased_at),
        objects_removed=event.objects_removed,
        approved_by=more.approved_by,
        objects_missing=more.missing,
        ledger_entry=entry.hex(),
    )


def _claim(standing: str, recording_ids: Iterable[UUID]) -> list[_Leaving]:
    """The deletions of these that are `standing` so, locked; those at which another process is are passed by."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(standing=standing), [array(recording_ids)])
        return [_Leaving(*row[:-1], frozenset(json.loads(row[-1]))) for row in cursor.fetchall()]


def _copy(statement: str, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    # Copied, which costs a third of an INSERT.
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _names(leaving: Sequence[_Leaving]) -> Sequence[set[str]]:
    """The objects of which the store keeps anything under each, the master wherever it is."""
    return get_store().each(_remains, leaving)


def _remains(leaving: _Leaving) -> set[str]:
    store, folder = get_store(), f"recordings/{leaving.id}"
    names = set(store.remains(folder))
    if not leaving.original.startswith(f"{folder}/"):
        names.update(store.remains(leaving.original))
    return names


def _remove(names: Iterable[Iterable[str]]) -> None:
    store, listed = get_store(), sorted(name for some in names for name in some)
    if store.may_support_hold:
        # They were closed under their rows' locks: whatever held them before holds them no more.
        store.each(partial(store.hold, held=False), listed)
    store.delete_all(listed)
