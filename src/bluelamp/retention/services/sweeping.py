"""The sweep: what is due goes into quarantine, and what stayed there until its time is deleted.

Recordings are taken in batches, each batch in a transaction of its own. Those whose stored date is still what the facts
say go their step together, by a few statements; any other is decided about alone, and so is each one of a batch that
failed, so that one recording stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from django.db.models import QuerySet

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import queries, rules
from bluelamp.retention.models import Deletion, VersionInForce
from bluelamp.retention.services.deciding import settle
from bluelamp.retention.services.deleting import check_again, close, finish_deletions

log = structlog.get_logger(__name__)

# A hold that comes while a batch is decided about waits for it.
_BATCH = 500
_CHECK_AFTER = timedelta(days=1)  # longer than any object takes to be written
_AFTER_A_VERSION = timedelta(days=7)  # so many nights to find what was passed over, however busy each was

# What a decision asks for, and what is told of a recording that leaves: a row has many columns, and some are long.
_DECIDED_FROM = (
    "started_at",
    "received_at",
    "review_until",
    "locked_at",
    "incident",
    "category",
    "state",
    "due_at",
    "due_rule",
)


@dataclass(frozen=True)
class SweepResult:
    """How many recordings one sweep moved; `failed` ones are tried again by the next."""

    quarantined: int = 0
    restored: int = 0
    deleted: int = 0
    failed: int = 0


@custody.unrecorded("each batch's step is a transaction of its own and records its own events")
def sweep(now: datetime | None = None) -> SweepResult:
    """Quarantine and delete what is due at `now` (the clock's time unless given, never later than that).

    Must not be called inside a transaction. One recording that fails stops no other; interrupted deletions are
    finished first. A recording whose row somebody has locked is left to the next sweep.
    """
    now = clock.now() if now is None else now
    if now > clock.now():
        raise ValueError("A sweep cannot look ahead of the clock")
    tally = _Tally()
    for ids in _batches(Deletion.objects.filter(finished_at=None), "closed_at", "recording_id"):
        tally.finish(ids)
    for candidates in _candidates(now):
        for ids in _batches(candidates, "due_at", "pk"):
            tally.take(ids, now)
    gone = Deletion.objects.filter(finished_at__lte=now - _CHECK_AFTER, checked_at=None)
    for ids in _batches(gone, "closed_at", "recording_id"):
        tally.together_or_each(check_again, ids)
    return SweepResult(tally.quarantined, tally.restored, tally.deleted, tally.failed)


@custody.unrecorded("each recording is decided in a transaction of its own, which records what changes")
def reconsider() -> int:
    """Decide again about every recording that something keeps beyond the default; returns how many were looked at.

    A room tells retention when its reason ends; this finds the reasons whose end nobody told. In the days after a
    version of the policy came into force it looks at those under the default too: some may have been locked, or have
    failed, when dates were reckoned anew. One recording that fails stops no other.
    """
    kept = Recording.objects.exclude(state=Recording.State.DELETED)
    if not VersionInForce.objects.filter(at__gt=clock.now() - _AFTER_A_VERSION).exists():
        kept = kept.exclude(due_rule=rules.DEFAULT)
    tally = _Tally()
    for ids in _batches(kept, "started_at", "pk"):
        tally.look_again(ids)
    return tally.looked_at


@dataclass
class _Moved:
    """What one transaction did. `closed`: to be erased now. `apart`: to be decided about alone."""

    quarantined: int = 0
    restored: int = 0
    looked_at: int = 0
    closed: list[UUID] = field(default_factory=list)
    apart: list[UUID] = field(default_factory=list)


@dataclass
class _Tally:
    quarantined: int = 0
    restored: int = 0
    deleted: int = 0
    failed: int = 0
    looked_at: int = 0

    def take(self, ids: Sequence[UUID], now: datetime) -> None:
        """These recordings one step further, and out, where that step closed them."""
        self.finish(self._move(lambda some: _carry_out(some, now), lambda one: _carry_out_alone(one, now), ids))

    def look_again(self, ids: Sequence[UUID]) -> None:
        self._move(_find_unsettled, _look_again_alone, ids)

    def finish(self, ids: Sequence[UUID]) -> None:
        def finish(some: Sequence[UUID]) -> None:
            self.deleted += finish_deletions(some)

        self.together_or_each(finish, ids)

    def together_or_each(self, action: Callable[[Sequence[UUID]], object], ids: Sequence[UUID]) -> bool:
        """`action` for all of them; where that raises, for each alone. Whether it went for all together."""
        if not ids:
            return True
        try:
            action(ids)
        except Exception:
            log.exception("retention could not take these together and takes each alone", recordings=len(ids))
        else:
            return True
        for recording_id in ids:
            try:
                action([recording_id])
            except Exception:
                self.failed += 1
                log.exception("retention could not finish a recording", recording=str(recording_id))
        return False

    def _move(
        self, together: Callable[[Sequence[UUID]], _Moved], alone: Callable[[UUID], _Moved], ids: Sequence[UUID]
    ) -> list[UUID]:
        """The ids of those that were closed."""
        closed: list[UUID] = []

        def count(moved: _Moved) -> None:
            self.quarantined += moved.quarantined
            self.restored += moved.restored
            self.looked_at += moved.looked_at
            closed.extend(moved.closed)

        try:
            moved = together(ids)
        except Exception:
            log.exception("retention could not decide about these together", recordings=len(ids))
            moved = _Moved(apart=list(ids))
        count(moved)
        for recording_id in moved.apart:
            try:
                count(alone(recording_id))
            except Exception:
                self.failed += 1
                log.exception("retention could not decide about a recording", recording=str(recording_id))
        return closed


def _carry_out(ids: Sequence[UUID], now: datetime) -> _Moved:
    """Decide about many under their rows' locks, and carry it out for those whose stored date stands."""
    with atomic(durable=True):
        return _step_together(_locked(ids), now)


def _carry_out_alone(recording_id: UUID, now: datetime) -> _Moved:
    with atomic(durable=True):
        recordings = _locked([recording_id])
        return _step(recordings[0], now) if recordings else _Moved()


@custody.service
def _step_together(recordings: Sequence[Recording], now: datetime) -> _Moved:
    moved = _Moved()
    leaving = []
    # The stored date only said where to look. What counts are the facts, read under the locks.
    for recording, decision in _decided(recordings):
        if not _stands(recording, decision, now):
            moved.apart.append(recording.pk)
        elif decision.step(now) is not rules.Step.KEEP:
            leaving.append((recording, decision))
    _leave(leaving, now, moved)
    custody.nothing_changed()  # each of the above records its own events
    return moved


@custody.service
def _step(recording: Recording, now: datetime) -> _Moved:
    before = recording.state
    decision = settle(recording, now)
    moved = _Moved(restored=int((before, recording.state) == (Recording.State.QUARANTINED, Recording.State.LIVE)))
    if decision.step(now) is not rules.Step.KEEP:
        _leave([(recording, decision)], now, moved)
    custody.nothing_changed()  # each of the above records its own events
    return moved


def _leave(leaving: Sequence[tuple[Recording, rules.Decision]], now: datetime, moved: _Moved) -> None:
    live = [recording for recording, _ in leaving if recording.state == Recording.State.LIVE]
    if live:
        footage.mark_all_quarantined(live, {recording.pk: decision.governing.title for recording, decision in leaving})
    closing = [(recording, decision) for recording, decision in leaving if decision.step(now) is rules.Step.DELETE]
    if closing:
        close(closing, now)
    moved.quarantined += len(live)
    moved.closed += [recording.pk for recording, _ in closing]


def _find_unsettled(ids: Sequence[UUID]) -> _Moved:
    with atomic(durable=True):
        now, recordings = clock.now(), _locked(ids)
        apart = [recording.pk for recording, decision in _decided(recordings) if not _stands(recording, decision, now)]
    return _Moved(looked_at=len(recordings) - len(apart), apart=apart)


def _look_again_alone(recording_id: UUID) -> _Moved:
    with atomic(durable=True):
        recordings = _locked([recording_id])
        for recording in recordings:
            settle(recording, clock.now())
    return _Moved(looked_at=len(recordings))


def _decided(recordings: Sequence[Recording]) -> list[tuple[Recording, rules.Decision]]:
    decisions = queries.decisions(recordings)
    return [(recording, decisions[recording.pk]) for recording in recordings]


def _stands(recording: Recording, decision: rules.Decision, now: datetime) -> bool:
    """Whether `settle` would find nothing to change: date and rule are stored, and it is in quarantine only rightly."""
    if (recording.due_at, recording.due_rule) != (decision.due_at, decision.governing.code):
        return False
    return recording.state == Recording.State.LIVE or decision.step(now) is not rules.Step.KEEP


def _locked(ids: Sequence[UUID]) -> list[Recording]:
    """Those recordings with their rows locked; not those deleted, nor those that somebody is changing right now."""
    standing = Recording.objects.exclude(state=Recording.State.DELETED).filter(pk__in=among(ids))
    return list(standing.select_for_update(skip_locked=True, of=("self",)).only(*_DECIDED_FROM).order_by("pk"))


def _candidates(now: datetime) -> Iterator[QuerySet[Recording]]:
    """Recordings that may have to move at `now`, a margin early so that none is missed; those never decided about.

    Apart from each other, so that each is found through an index, and first what must be gone first.
    """
    policy = queries.policy()
    standing = Recording.objects.exclude(state=Recording.State.DELETED)
    yield Recording.objects.filter(state=Recording.State.QUARANTINED, due_at__lte=now + policy.margin)
    yield Recording.objects.filter(state=Recording.State.LIVE, due_at__lte=now + policy.margin + policy.quarantine)
    yield standing.filter(due_rule="")


def _batches(rows: QuerySet[Any], order: str, id_field: str) -> Iterator[list[UUID]]:
    """The recording ids of `rows` as they stand at the start, by `order`."""
    listed = rows.order_by(order).values_list(id_field, flat=True).iterator(chunk_size=_BATCH)
    while ids := list(islice(listed, _BATCH)):
        yield ids
