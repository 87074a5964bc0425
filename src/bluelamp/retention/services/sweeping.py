"""The sweep: what is due goes into quarantine, and what stayed there until its time is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Q, QuerySet

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import queries, rules
from bluelamp.retention.models import Deletion
from bluelamp.retention.services.deciding import settle
from bluelamp.retention.services.deleting import check_again, close, finish_deletion

log = structlog.get_logger(__name__)

_BATCH = 500
_CHECK_AFTER = timedelta(days=1)  # longer than any object takes to be written


@dataclass(frozen=True)
class SweepResult:
    """How many recordings one sweep moved; `failed` ones are tried again by the next."""

    quarantined: int = 0
    restored: int = 0
    deleted: int = 0
    failed: int = 0


@custody.unrecorded("each recording's step is a transaction of its own and records its own events")
def sweep(now: datetime | None = None) -> SweepResult:
    """Quarantine and delete what is due at `now` (the clock's time unless given, never later than that).

    Must not be called inside a transaction. One recording that fails stops no other; interrupted deletions are
    finished first. A recording whose row somebody has locked is left to the next sweep.
    """
    now = clock.now() if now is None else now
    if now > clock.now():
        raise ValueError("A sweep cannot look ahead of the clock")
    tally = _Tally()
    for recording_id in _ids(Deletion.objects.filter(finished_at=None), "closed_at", "recording_id"):
        tally.attempt(tally.finish, recording_id)
    for recording_id in _ids(_candidates(now), "due_at", "pk"):
        tally.attempt(partial(tally.take, now=now), recording_id)
    gone = Deletion.objects.filter(finished_at__lte=now - _CHECK_AFTER, checked_at=None)
    for recording_id in _ids(gone, "closed_at", "recording_id"):
        tally.attempt(check_again, recording_id)
    return SweepResult(tally.quarantined, tally.restored, tally.deleted, tally.failed)


@custody.unrecorded("each recording is decided in a transaction of its own, which records what changes")
def reconsider() -> int:
    """Decide again about every recording that something keeps beyond the default; returns how many were looked at.

    A room tells retention when its reason ends; this finds the reasons whose end nobody told. One recording that fails
    stops no other.
    """
    kept = Recording.objects.exclude(state=Recording.State.DELETED).exclude(due_rule=rules.DEFAULT)
    tally = _Tally()
    for recording_id in _ids(kept, "started_at", "pk"):
        tally.attempt(tally.look_again, recording_id)
    return tally.looked_at


@dataclass
class _Tally:
    quarantined: int = 0
    restored: int = 0
    deleted: int = 0
    failed: int = 0
    looked_at: int = 0

    def attempt(self, action: Callable[[UUID], object], recording_id: UUID) -> None:
        try:
            action(recording_id)
        except Exception:
            self.failed += 1
            log.exception("retention could not finish a recording", recording=str(recording_id))

    def look_again(self, recording_id: UUID) -> None:
        with atomic(durable=True):
            recording = _locked(recording_id)
            if recording is not None:
                settle(recording, clock.now())
                self.looked_at += 1

    def finish(self, recording_id: UUID) -> None:
        self.deleted += finish_deletion(recording_id)

    def take(self, recording_id: UUID, now: datetime) -> None:
        """One recording one step further, and out, if that step closed it."""
        before, after = _step(recording_id, now)
        self.quarantined += before == Recording.State.LIVE and after != before
        self.restored += before == Recording.State.QUARANTINED and after == Recording.State.LIVE
        if after == Recording.State.DELETED:
            self.finish(recording_id)


def _step(recording_id: UUID, now: datetime) -> tuple[str, str]:
    """Decide about one recording under its row's lock and carry it out; its state before and after."""
    with atomic(durable=True):
        recording = _locked(recording_id)
        if recording is None:
            return "", ""
        return recording.state, _carry_out(recording, now)


@custody.service
def _carry_out(recording: Recording, now: datetime) -> str:
    # The stored date only said where to look. What counts are the facts, read under the lock.
    decision = settle(recording, now)
    step = decision.step(now)
    if step is not rules.Step.KEEP and recording.state == Recording.State.LIVE:
        footage.mark_quarantined(recording, reason=decision.governing.title)
    if step is rules.Step.DELETE:
        close(recording, decision, now)
    custody.nothing_changed()  # each of the above records its own events
    return recording.state


def _locked(recording_id: UUID) -> Recording | None:
    """The recording with its row locked; None where it is deleted, or somebody is changing it right now."""
    return (
        Recording.objects.select_for_update(skip_locked=True, of=("self",))
        .exclude(state=Recording.State.DELETED)
        .filter(pk=recording_id)
        .first()
    )


def _candidates(now: datetime) -> QuerySet[Recording]:
    """Recordings that may have to move at `now`, a margin early so that none is missed; those never decided about."""
    policy = queries.policy()
    deletion = Q(state=Recording.State.QUARANTINED, due_at__lte=now + policy.margin)
    quarantine = Q(state=Recording.State.LIVE, due_at__lte=now + policy.margin + policy.quarantine)
    undecided = Q(due_rule="") & ~Q(state=Recording.State.DELETED)
    return Recording.objects.filter(deletion | quarantine | undecided)


def _ids(rows: QuerySet[Any], order: str, id_field: str) -> Iterator[UUID]:
    """The recording ids of `rows` as they stand at the start, fetched in batches, by `order`."""
    listed = rows.order_by(order).values_list(id_field, flat=True)
    yield from listed.iterator(chunk_size=_BATCH)
