"""After a restore: the restored database is brought into line with the keyring and the store, which went on without it.

Nothing that was kept is destroyed by it. What the keyring has erased is gone already, so its rows are closed; what the
database says has gone, and an older copy of the keyring or the store brought back, goes again; what the store has and
the database does not know is listed and left alone; what would be due at once is given time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import QuerySet

from bluelamp import custody
from bluelamp.custody import restoring as ledger
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import BluelampError
from bluelamp.oversight.events import BackupMade, DatabaseRestored, KeyringReplaced
from bluelamp.oversight.models import Finding
from bluelamp.oversight.services.checking import check_keys, check_presence
from bluelamp.retention import queries as retention
from bluelamp.retention.models import Deletion
from bluelamp.retention.services import check_again, finish_deletion
from bluelamp.retention.services.restoring import close_again, give_grace
from bluelamp.sharing.models import Share
from bluelamp.vault.errors import KeyErased, KeyringUnusable, KeyUnknown
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)

OPERATOR = "system:operator"
DATABASE = "system:database"
_FOLDER = "recordings"
_PAGE = 2000
_BATCH = 500
# Messages were sent, checks made and duties done since: only footage that was never prepared still waits.
_OLD_JOBS = "DELETE FROM procrastinate_jobs WHERE status <> 'todo' OR queue_name NOT IN ('processing', 'intake')"


@dataclass(frozen=True)
class Unknown:
    """Objects of a recording that arrived after the backup, so that no row knows it. `opens`: its key is there."""

    recording: str
    objects: tuple[str, ...]
    bytes: int
    opens: bool


@dataclass(frozen=True)
class Reconciled:
    """What was found and done. `missing`: recordings of which a file, or the key, is not there.

    `erased` keys and `removed` files were of recordings that the backup says had gone: older copies of the keyring and
    the store had brought them back.
    """

    origin: str
    closed: int
    given_time: int
    until: datetime
    unknown: tuple[Unknown, ...]
    missing: tuple[str, ...]
    shares: int
    unfinished: tuple[str, ...] = ()
    erased: int = 0
    removed: int = 0


@custody.service
def note_backup(*, manifest_sha256: str, taken_at: datetime, bytes: int, events: int) -> None:
    """Record that a backup of the database was made. It tells the doctor when the last one was."""
    custody.record(
        BackupMade(
            actor=OPERATOR,
            subject=DATABASE,
            taken_at=taken_at,
            bytes=bytes,
            events=events,
            manifest_sha256=manifest_sha256,
        )
    )


@custody.unrecorded("each step is a transaction of its own that records it; the last one records them all")
def reconcile(*, taken_at: datetime, reason: str, note: str = "", former_note: str = "") -> Reconciled:
    """Bring a database just restored from a backup of `taken_at` into line. Not inside a transaction.

    `note`: the last checkpoint that somebody kept of the log; else `former_note`, that of the database which was there
    before, if it is of use. It may be repeated after an interruption, except that the log takes on yet another name.
    Raises KeyringUnusable, StoreUnavailable, and Invalid for a bad note.
    """
    if not note and former_note and ledger.is_later(former_note):
        note = former_note
    origin = ledger.begin_anew(taken_at=taken_at, reason=reason, actor=OPERATOR, note=note)
    with connection.cursor() as cursor:
        cursor.execute(_OLD_JOBS)
    erased = erase_again(replaced=False)
    stored = _stored()
    removed, left = _remove_again(stored)
    keyring = get_keyring()
    until = clock.now() + retention.policy().review_grace
    closed, given, keyless, unfinished = 0, 0, set[str](), [str(pk) for pk in left]
    for recording_id in _standing():
        erased_at = keyring.erased_at(str(recording_id))
        if erased_at is not None:
            closed += close_again(recording_id, erased_at=erased_at, taken_at=taken_at)
            try:
                finish_deletion(recording_id)
            except BluelampError as error:
                # The sweep takes it up from here.
                unfinished.append(str(recording_id))
                log.warning("restore.unfinished", recording=str(recording_id), why=str(error))
            continue
        if not keyring.has(str(recording_id)):
            keyless.add(str(recording_id))
        given += give_grace(recording_id, until=until)
    check_presence()
    check_keys()
    missing = keyless | {str(pk) for pk in _missed()}
    unknown = tuple(_unknown(stored))
    found = Reconciled(
        origin=origin,
        closed=closed,
        given_time=given,
        until=until,
        unknown=unknown,
        missing=tuple(sorted(missing)),
        shares=Share.objects.filter(revoked_at=None, expires_at__gt=clock.now()).count(),
        unfinished=tuple(unfinished),
        erased=erased,
        removed=removed,
    )
    _note(found, taken_at, reason)
    return found


@custody.service
def erase_again(*, replaced: bool = True) -> int:
    """Erase in the keyring what the database says has gone, where a copy took the place of one that was lost.

    Names without a key are barred as well: theirs was made and erased after the copy. Returns how many keys there were.
    Not `replaced`: whether a copy took its place is told by there being any, and recorded only then.
    """
    keyring, erased = get_keyring(), 0
    gone = Recording.objects.filter(state=Recording.State.DELETED)
    for page in _pages(gone, "deletion__closed_at", "deletion__finished_at"):
        done = keyring.erasures([str(pk) for pk, *_ in page])
        left: dict[datetime | None, list[str]] = defaultdict(list)
        for key_id, closed_at, finished_at in ((str(pk), *more) for pk, *more in page):
            if key_id not in done:
                # A deletion that was interrupted may have left its key: no copy did that.
                erased += finished_at is not None and keyring.has(key_id)
                left[closed_at if finished_at else None].append(key_id)
        for moment, key_ids in left.items():
            keyring.erase_all(key_ids, moment)
    if replaced or erased:
        custody.record(KeyringReplaced(actor=OPERATOR, subject="system:keyring", erased=erased))
    custody.nothing_changed()
    return erased


def _stored() -> dict[str, list[str]]:
    """The names of all objects in the store, by the recording whose they are. Raises StoreUnavailable."""
    found: dict[str, list[str]] = {}
    for name in get_store().list(_FOLDER):
        found.setdefault(name.split("/")[1], []).append(name)
    return found


def _remove_again(stored: Iterable[str]) -> tuple[int, list[UUID]]:
    """Remove what a copy of the store brought back of recordings that had gone: how many files, and whose it could not.

    Those the sweep takes up.
    """
    removed, left = 0, []
    listed = [UUID(name) for name in stored if _is_id(name)]
    for first in range(0, len(listed), _BATCH):
        some = among(listed[first : first + _BATCH])
        gone = Deletion.objects.filter(recording__in=some, finished_at__isnull=False)
        ids = list(gone.values_list("recording_id", flat=True))
        gone.update(checked_at=None)
        try:
            removed += check_again(ids) if ids else 0
        except BluelampError as error:
            left += ids
            log.warning("restore.not_removed", recordings=len(ids), why=str(error))
    return removed, left


def _unknown(stored: Mapping[str, list[str]]) -> Iterator[Unknown]:
    """What the store keeps under recordings that the database does not have, by recording. Raises StoreUnavailable."""
    store, listed = get_store(), sorted(stored)
    for first in range(0, len(listed), _PAGE):
        page = listed[first : first + _PAGE]
        known = {str(pk) for pk in Recording.objects.filter(pk__in=filter(_is_id, page)).values_list("pk", flat=True)}
        for recording in page:
            if recording not in known:
                names = tuple(sorted(stored[recording]))
                yield Unknown(recording, names, sum(store.size(name) for name in names), _opens(recording))


@custody.service
def _note(found: Reconciled, taken_at: datetime, reason: str) -> None:
    custody.record(
        DatabaseRestored(
            actor=OPERATOR,
            subject=DATABASE,
            reason=reason,
            taken_at=taken_at,
            closed=found.closed,
            given_time=found.given_time,
            review_until=found.until,
            unknown=len(found.unknown),
            missing=len(found.missing),
        )
    )


def _standing() -> Iterator[UUID]:
    """All recordings that the database takes for here."""
    for page in _pages(Recording.objects.exclude(state=Recording.State.DELETED)):
        yield from (pk for (pk,) in page)


def _pages(rows: QuerySet[Recording], *columns: str) -> Iterator[list[tuple[Any, ...]]]:
    """Their ids and those columns, in pages, so that what is changed meanwhile stops nothing."""
    after, page = UUID(int=0), None
    while page is None or len(page) == _PAGE:
        page = list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", *columns)[:_PAGE])
        yield page
        after = page[-1][0] if page else after


def _missed() -> Iterator[UUID]:
    problems = (Finding.Problem.MISSING, Finding.Problem.SIZE)
    return Finding.objects.filter(ended_at=None, problem__in=problems).values_list("recording", flat=True).iterator()


def _opens(recording: str) -> bool:
    try:
        get_keyring().get(recording)
    except (KeyErased, KeyUnknown):
        return False
    except KeyringUnusable:
        return False
    return True


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
