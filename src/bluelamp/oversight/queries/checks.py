"""Where the checks that run by themselves stand, what they look at next, and whom a finding concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Max

from bluelamp.cases.models import CaseRecording
from bluelamp.custody import words
from bluelamp.footage.models import Recording
from bluelamp.formats import sealed
from bluelamp.ingest.models import Upload
from bluelamp.oversight.fixity import Wrong, damaged_record
from bluelamp.oversight.models import Check, CheckRun, Finding, Fixity, Loss
from bluelamp.oversight.queries import sql
from bluelamp.oversight.queries.sql import Asked, Shown
from bluelamp.rights.models import RequestMatch
from bluelamp.sharing.models import Share
from bluelamp.vault.errors import KeyErased, KeyringUnusable, KeyUnknown, ObjectMissing
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from bluelamp.web.filters import count, filesize, number

MOST_FINDINGS = 100
_GRACE = timedelta(hours=1)  # a sweep runs every minute
_EXPECTED = timedelta(days=2)  # of what runs every night
_PAGE = 2000
_OLDEST = """
SELECT checked_at, recording_id FROM oversight_fixity
WHERE checked_at < %s AND (checked_at, recording_id) > (%s, %s) ORDER BY checked_at, recording_id LIMIT %s
"""
_STORED = "SELECT coalesce(sum(r.size), 0) FROM oversight_fixity f JOIN footage_recording r ON r.id = f.recording_id"
_OBJECTS = """
SELECT r.id, r.original, r.size FROM footage_recording r WHERE r.state <> 'deleted' AND r.id = ANY(%(ids)s)
UNION ALL
SELECT d.recording_id, d.object_name, d.size FROM footage_derivative d
JOIN footage_recording r ON r.id = d.recording_id WHERE r.state <> 'deleted' AND r.id = ANY(%(ids)s)
UNION ALL
SELECT i.recording_id, p.papers,
       (SELECT coalesce(sum((paper ->> 'size')::bigint), 0)::bigint FROM jsonb_array_elements(p.layout) paper
        WHERE paper ? 'at')
FROM sharing_package p JOIN sharing_package_item i ON i.package_id = p.id AND i.position = 0
JOIN footage_recording r ON r.id = i.recording_id
WHERE p.papers <> '' AND r.state <> 'deleted' AND r.id = ANY(%(ids)s)
"""
_THERE = "SELECT id FROM footage_recording WHERE state <> 'deleted' AND id > %s ORDER BY id LIMIT %s"
_KEYS = """
SELECT r.id, r.state, d.closed_at, r.due_at, r.locked_at IS NOT NULL
FROM footage_recording r LEFT JOIN retention_deletion d ON d.recording_id = r.id
WHERE r.id > %s ORDER BY r.id LIMIT %s
"""


@dataclass(frozen=True)
class Standing:
    """One check: its last run to the end, what it looked at, and whether all is well. `good` None: not run yet.

    `mark` is larger after something more was found: the latest finding that stands, or how much is wrong.
    """

    kind: Check
    title: str
    value: str
    label: str
    note: str
    good: bool | None
    last: CheckRun | None
    problems: tuple[str, ...]
    mark: int = 0


@dataclass(frozen=True)
class Dependent:
    """What hangs on a recording: ids as the ledger has them, and how many there are of each kind."""

    cases: tuple[str, ...]
    shares: tuple[str, ...]
    requests: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.cases, *self.shares, *self.requests)

    @property
    def counted(self) -> str:
        parts = [("case", self.cases), ("share", self.shares), ("request", self.requests)]
        return ", ".join(count(len(found), noun) for noun, found in parts if found)


@dataclass(frozen=True)
class Alarm:
    """A finding that stands: which recording, what is wrong, and what hangs on it."""

    finding: Finding
    recording: str
    depends: Dependent
    names: tuple[str, ...]


def stored_bytes() -> int:
    """Bytes of all masters that are read again and again."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED)
        return int(cursor.fetchone()[0])


def oldest_read(before: datetime) -> Iterator[tuple[UUID, datetime]]:
    """Recordings in the order in which they are due to be read, those only that were last read before `before`."""
    # What is noted as read meanwhile has moved behind `before`.
    last = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_OLDEST, [before, *last, _PAGE])
            rows = [(recording_id, checked_at) for checked_at, recording_id in cursor.fetchall()]
        yield from rows
        if len(rows) < _PAGE:
            return
        last = (rows[-1][1], rows[-1][0])


def stored_objects() -> Iterator[tuple[UUID, bool]]:
    """Each object that the store should have, by its recording, and whether it is there with its size.

    Raises StoreUnavailable.
    """
    store, after = get_store(), UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_THERE, [after, _PAGE])
            ids = [recording_id for (recording_id,) in cursor.fetchall()]
            cursor.execute(_OBJECTS, {"ids": ids})
            rows = cursor.fetchall()
        for recording_id, name, size in rows:
            try:
                yield recording_id, store.size(name) == sealed.sealed_size(size)
            except (ObjectMissing, OSError):
                yield recording_id, False
        if len(ids) < _PAGE:
            return
        after = ids[-1]


def missed(*, papers: bool = False) -> set[UUID]:
    """Recordings of which something is known to be missing or cut; with `papers`, whose packages' papers are wrong."""
    problems = [Finding.Problem.MISSING, Finding.Problem.SIZE, *([Finding.Problem.PAPERS] if papers else [])]
    found = Finding.objects.filter(kind=Check.FIXITY, ended_at=None, problem__in=problems)
    return set(found.values_list("recording_id", flat=True))


def wrong_keys(now: datetime) -> Iterator[tuple[UUID, Wrong | None]]:
    """Each recording there ever was, and what is wrong with its key at `now`. Raises KeyringUnusable."""
    keyring = get_keyring()
    keyring.count()
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_KEYS, [after, _PAGE])
            rows = cursor.fetchall()
        for recording_id, state, closed_at, due_at, locked in rows:
            if state == Recording.State.DELETED:
                left = (closed_at is None or closed_at < now - _GRACE) and keyring.has(str(recording_id))
                yield recording_id, _key_left(closed_at) if left else None
                continue
            wrong = _missing_key(recording_id)
            if wrong is None and due_at is not None and due_at < now - _GRACE and not locked:
                wrong = Wrong("", Finding.Problem.OVERDUE, f"It was due to be gone by {due_at:%Y-%m-%d %H:%M} UTC.")
            yield recording_id, wrong
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def keys_of_nothing(recordings: int) -> str:
    """In words: live keys that belong to uploads under way, or to no recording at all."""
    live = Recording.objects.exclude(state=Recording.State.DELETED).count()
    others = get_keyring().count() - live
    under_way = Upload.objects.count()
    if others <= under_way:
        return f"{number(recordings)} recordings, {number(live)} of them here; no key belongs to nothing."
    return f"{number(others - under_way)} keys belong neither to a recording nor to an upload under way."


def standing(now: datetime) -> tuple[list[Standing], list[Shown]]:
    """Where each check stands at `now`, and the queries that say so."""
    asked = Asked()
    with sql.modestly():
        rows = {row["kind"]: row for row in asked.all(sql.CHECKS)}
        reading = asked.one(sql.FIXITY)
    last = {kind: _last(kind) for kind in Check}
    return [
        _ledger(now, last[Check.LEDGER]),
        _presence(now, last[Check.PRESENCE]),
        _fixity(now, last[Check.FIXITY], reading, rows.get(Check.FIXITY, {})),
        _keys(now, last[Check.KEYS], rows.get(Check.KEYS, {})),
    ], asked.shown


def alarms(limit: int | None = MOST_FINDINGS, *, ended: bool = False) -> list[Alarm]:
    """What stands, the latest found first, with `ended` what is mended as well; names take one query for each kind."""
    kept = Finding.objects.select_related("recording__camera")
    found = list(kept[:limit] if ended else kept.filter(ended_at=None)[:limit])
    depends = dependents(item.recording_id for item in found)
    ids = {f"recording:{item.recording_id}" for item in found} | {one for each in depends.values() for one in each.ids}
    known = words.names(ids)
    return [
        Alarm(
            finding=item,
            recording=known[f"recording:{item.recording_id}"],
            depends=depends[item.recording_id],
            names=tuple(known[one] for one in depends[item.recording_id].ids),
        )
        for item in found
    ]


def last_read(recording_id: UUID) -> datetime | None:
    """When all stored bytes of a recording were read last; None where that was on its arrival."""
    found = Fixity.objects.filter(recording=recording_id).values_list("checked_at", "recording__received_at").first()
    return None if found is None or found[0] == found[1] else found[0]


def faults(recording_id: UUID) -> list[str]:
    """What stands against the stored bytes of a recording, in words."""
    found = Finding.objects.filter(recording=recording_id, kind=Check.FIXITY, ended_at=None)
    return list(found.values_list("detail", flat=True))


def depends_on(recording_id: UUID) -> Dependent:
    """The cases, standing shares and requests that a recording belongs to."""
    return dependents([recording_id])[recording_id]


def dependents(recording_ids: Iterable[UUID]) -> dict[UUID, Dependent]:
    """The same for many, with one question for each kind."""
    ids = set(recording_ids)
    cases = CaseRecording.objects.filter(recording__in=ids).values_list("recording_id", "case_id")
    shares = Share.objects.filter(recording__in=ids, revoked_at=None).values_list("recording_id", "pk")
    requests = RequestMatch.objects.filter(recording__in=ids).values_list("recording_id", "request_id")
    found: dict[str, dict[UUID, list[str]]] = {"case": {}, "share": {}, "request": {}}
    for kind, rows in (("case", cases), ("share", shares), ("request", requests)):
        for recording_id, key in rows:
            found[kind].setdefault(recording_id, []).append(f"{kind}:{key}")
    return {one: Dependent(*(tuple(sorted(of.get(one, ()))) for of in found.values())) for one in ids}


def _missing_key(recording_id: UUID) -> Wrong | None:
    key_id = str(recording_id)
    try:
        get_keyring().get(key_id)
    except (KeyUnknown, KeyErased, KeyringUnusable) as error:
        # It may have been deleted, lawfully, since its row was read.
        if Recording.objects.filter(pk=recording_id, state=Recording.State.DELETED).exists():
            return None
        if isinstance(error, KeyringUnusable) and not damaged_record(key_id):
            raise
        return Wrong("", Finding.Problem.NO_KEY, error.what_happened)
    return None


def _key_left(closed_at: datetime | None) -> Wrong:
    when = f"deleted at {closed_at:%Y-%m-%d %H:%M} UTC" if closed_at else "closed without a deletion"
    return Wrong("", Finding.Problem.KEY_LEFT, f"The recording was {when}, and the keyring still has its key.")


def _last(kind: Check) -> CheckRun | None:
    done = CheckRun.objects.filter(kind=kind).exclude(outcome=CheckRun.Outcome.INTERRUPTED)
    return done.order_by("-finished_at").first()


def _ledger(now: datetime, last: CheckRun | None) -> Standing:
    if last is None:
        return _never(Check.LEDGER, "events checked")
    late = now - last.finished_at > _EXPECTED
    note = (
        f"Bad: {count(last.found, 'sign')} of tampering. The footage itself is not touched by this check."
        if last.found
        else "Bad: it has not run for two days. The worker may be down."
        if late
        else "Good: every event is what its leaf says, and together they give each signed root."
    )
    return Standing(
        Check.LEDGER, Check.LEDGER.label, number(last.checked), "events checked", note,
        not last.found and not late, last, tuple(last.problems), last.found,
    )  # fmt: skip


def _presence(now: datetime, last: CheckRun | None) -> Standing:
    if last is None:
        return _never(Check.PRESENCE, "files missing or cut")
    late = now - last.finished_at > _EXPECTED
    # What two people accepted as lost stands on its own list, and must not hide the next loss here.
    lost = len(missed() - set(Loss.objects.filter(state=Loss.State.ACCEPTED).values_list("recording", flat=True)))
    note = (
        f"Bad: files of {count(lost, 'recording')} are missing or cut."
        if lost
        else "Bad: it has not run for two days. The worker may be down."
        if late
        else "Good: all footage is there, each file with its size. The papers of a package are not: see below."
        if missed(papers=True) - missed()
        else f"Good: all {number(last.checked)} stored files are there, each with its size."
    )
    return Standing(
        kind=Check.PRESENCE,
        title=Check.PRESENCE.label,
        value=number(lost),
        label="recordings of which a file is missing or cut",
        note=note,
        good=not lost and not late,
        last=last,
        problems=(),
        mark=_latest(Check.FIXITY, Finding.Problem.MISSING, Finding.Problem.SIZE) if lost else 0,
    )


def _fixity(now: datetime, last: CheckRun | None, reading: Mapping[str, Any], wrong: Mapping[str, Any]) -> Standing:
    period = timedelta(days=settings.BLUELAMP.fixity_days)
    days = f"{settings.BLUELAMP.fixity_days:g}"
    found = wrong.get("findings", 0)
    oldest = reading["oldest"]
    late = oldest is not None and now - oldest > period
    if last is None and not found and not late:
        return _never(Check.FIXITY, "recordings wrong")
    if found:
        note = f"Bad: {count(wrong.get('recordings', 0), 'recording')} not as sealed."
    elif late:
        note = f"Bad: some footage has not been read for more than {days} days. The worker or the store may be down."
    else:
        note = f"Good: all of {count(reading['recordings'], 'recording')} read and authenticated within {days} days."
    if last is not None:
        note += f" The last run read {count(last.checked, 'recording')}, {filesize(last.bytes)}."
    return Standing(
        Check.FIXITY, Check.FIXITY.label, number(wrong.get("recordings", 0)), "recordings not as sealed", note,
        not found and not late, last, (), _latest(Check.FIXITY),
    )  # fmt: skip


def _keys(now: datetime, last: CheckRun | None, wrong: Mapping[str, Any]) -> Standing:
    if last is None:
        return _never(Check.KEYS, "keys wrong")
    late = now - last.finished_at > _EXPECTED
    found = wrong.get("findings", 0)
    note = (
        f"Bad: {count(found, 'key is', 'keys are')} missing, left over, or of footage that should have gone."
        if found
        else "Bad: it has not run for two days. The worker may be down."
        if late
        else f"Good: {last.note}"
    )
    return Standing(
        Check.KEYS, Check.KEYS.label, number(found), "keys missing, or there after their recording has gone", note,
        not found and not late, last, (), _latest(Check.KEYS),
    )  # fmt: skip


def _latest(kind: Check, *problems: str) -> int:
    standing = Finding.objects.filter(kind=kind, ended_at=None)
    if problems:
        standing = standing.filter(problem__in=problems)
    return standing.aggregate(latest=Max("pk"))["latest"] or 0


def _never(kind: Check, label: str) -> Standing:
    note = "It has not run yet; it runs every night." if kind != Check.FIXITY else "Nothing is due to be read yet."
    return Standing(kind, kind.label, "–", label, note, None, None, ())
