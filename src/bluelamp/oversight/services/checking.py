"""Checks that run by themselves: the ledger, every stored object, every key; and what is done with what they find."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from bluelamp import custody
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import BluelampError
from bluelamp.kernel.transaction import claim
from bluelamp.oversight import apart, fixity, rules
from bluelamp.oversight.events import (
    FixityChecked,
    FixityFailed,
    FixityRestored,
    KeysChecked,
    LedgerVerified,
    StoreLookedThrough,
)
from bluelamp.oversight.fixity import Wrong
from bluelamp.oversight.models import Check, CheckRun, Finding, Fixity
from bluelamp.oversight.queries import checks
from bluelamp.oversight.services import losses

log = structlog.get_logger(__name__)

SYSTEM = "system:checks"
LEDGER = "system:ledger"
STORE = "system:store"
KEYRING = "system:keyring"

_MOST_TOLD = 50
_KEPT = timedelta(days=400)
_SECONDS = 60.0
_ENROL = """
INSERT INTO oversight_fixity (recording_id, checked_at)
SELECT r.id, r.received_at FROM footage_recording r
WHERE r.state <> 'deleted' AND NOT EXISTS (SELECT FROM oversight_fixity f WHERE f.recording_id = r.id)
ON CONFLICT DO NOTHING
"""
_ENROL_ONE = """
INSERT INTO oversight_fixity (recording_id, checked_at)
SELECT id, received_at FROM footage_recording WHERE id = %s AND state <> 'deleted' ON CONFLICT DO NOTHING
"""


@dataclass
class _Tally:
    """What one run has done so far."""

    started_at: datetime = field(default_factory=clock.now)
    checked: int = 0
    bytes: int = 0
    found: int = 0
    problems: list[str] = field(default_factory=list)
    note: str = ""
    interrupted: bool = False

    def add(self, recording_id: UUID, wrong: Iterable[Wrong]) -> None:
        for item in wrong:
            self.found += 1
            self.problems.append(f"recording:{recording_id}: {item.object_name or 'its key'}: {item.detail}")


@custody.unrecorded("the run is closed, and each finding opened, in a transaction of its own that records it")
def check_ledger(*, in_process: bool = False) -> CheckRun | None:
    """Check every event, leaf, tile and checkpoint. None while there is no checkpoint, or while another check runs.

    A process of its own reads what is committed; `in_process` does it here instead.
    """
    with claim("oversight.check_ledger") as alone:
        if not alone or latest_checkpoint() is None:
            return None
        tally = _Tally()
        if in_process:
            size, problems = apart.verify_here()
        else:
            size, problems = apart.verify_ledger(settings.BLUELAMP.database_url)
        tally.checked, tally.found, tally.problems = size, len(problems), list(problems)
        for problem in problems[:_MOST_TOLD]:
            log.error("ledger.tampered", problem=problem)
        return _close(Check.LEDGER, tally)


@custody.unrecorded("the run is closed, and each finding opened, in a transaction of its own that records it")
def check_fixity(
    *, seconds: float = _SECONDS, pause: Callable[[float], None] = time.sleep, everything: bool = False
) -> CheckRun | None:
    """Read again what was read longest ago: as much as keeps every object within BLUELAMP_FIXITY_DAYS.

    Goes on for at most `seconds`, to the end of the recording at which they are over; what was read stays noted, so
    that the next run goes on from there. `everything`: whatever was read how long ago. None where nothing is due.
    """
    with claim("oversight.check_fixity") as alone:
        if not alone:
            return None
        with connection.cursor() as cursor:
            cursor.execute(_ENROL)
        tally = _Tally()
        begun = time.monotonic()
        period = timedelta(days=settings.BLUELAMP.fixity_days)
        pace = rules.pace(checks.stored_bytes(), period)
        reading = _Throttle(pace.bytes_a_second, pause)
        for recording_id, checked_at in checks.oldest_read(tally.started_at):
            age = tally.started_at - checked_at
            enough = tally.bytes >= pace.bytes_a_run and age < pace.late
            over = time.monotonic() - begun > seconds
            if not everything and (age < pace.not_before or (tally.checked and (enough or over))):
                break
            try:
                examined = fixity.examine(recording_id, reading.took)
            except BluelampError as error:
                tally.interrupted, tally.note = True, str(error)
                log.warning("fixity.interrupted", why=str(error))
                break
            if examined is None:
                Fixity.objects.filter(recording=recording_id, recording__state=Recording.State.DELETED).delete()
                continue
            _settle(Check.FIXITY, recording_id, examined.wrong, read_at=clock.now())
            tally.checked += 1
            tally.bytes += examined.bytes
            tally.add(recording_id, examined.wrong)
        return _close(Check.FIXITY, tally) if tally.checked or tally.interrupted else None


@custody.unrecorded("the run is closed, and each finding opened, in a transaction of its own that records it")
def check_presence() -> CheckRun | None:
    """Look whether every object is there with its size, so that a loss is known within a day. None while another runs.

    What is missed, or was, is read whole before anything is said of it.
    """
    with claim("oversight.check_presence") as alone:
        if not alone:
            return None
        tally, doubtful = _Tally(), checks.missed(papers=True)
        try:
            for recording_id, there in checks.stored_objects():
                tally.checked += 1
                if not there:
                    doubtful.add(recording_id)
            for recording_id in sorted(doubtful):
                tally.add(recording_id, recheck(recording_id) or ())
        except BluelampError as error:
            tally.interrupted, tally.note = True, str(error)
            log.warning("presence.interrupted", why=str(error))
        return _close(Check.PRESENCE, tally)


@custody.unrecorded("what is found is opened, or ended, in a transaction that records it")
def recheck(recording_id: UUID) -> tuple[Wrong, ...] | None:
    """Read all objects of one recording now; what is wrong. None where it has been deleted. Raises as `examine`."""
    examined = fixity.examine(recording_id)
    if examined is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_ENROL_ONE, [recording_id])  # of thousands that are lost, each looks at itself alone
    _settle(Check.FIXITY, recording_id, examined.wrong, read_at=clock.now())
    return examined.wrong


@custody.unrecorded("the run is closed, and each finding opened, in a transaction of its own that records it")
def check_keys() -> CheckRun | None:
    """Look for every recording's key: there while the recording is, gone once it has gone. None while another runs."""
    with claim("oversight.check_keys") as alone:
        if not alone:
            return None
        tally = _Tally()
        wrong: dict[UUID, list[Wrong]] = {}
        try:
            for recording_id, problem in checks.wrong_keys(tally.started_at):
                tally.checked += 1
                if problem is not None:
                    wrong.setdefault(recording_id, []).append(problem)
            tally.note = checks.keys_of_nothing(tally.checked)
        except BluelampError as error:
            tally.interrupted, tally.note = True, str(error)
            log.warning("keys.interrupted", why=str(error))
        for recording_id, found in wrong.items():
            _settle(Check.KEYS, recording_id, found)
            tally.add(recording_id, found)
        if not tally.interrupted:
            standing = Finding.objects.filter(kind=Check.KEYS, ended_at=None).exclude(recording__in=list(wrong))
            for recording_id in standing.values_list("recording_id", flat=True).distinct():
                _settle(Check.KEYS, recording_id, ())
        return _close(Check.KEYS, tally)


@custody.unrecorded("the deletion records what happens; that it is checked no more is part of it")
def forget(recordings: Sequence[Recording]) -> None:
    """Recordings are deleted under policy: what is stored of them is looked for no more. In that transaction."""
    ids = [recording.pk for recording in recordings]
    Fixity.objects.filter(recording__in=among(ids)).delete()
    Finding.objects.filter(recording__in=among(ids), ended_at=None).exclude(problem=Finding.Problem.KEY_LEFT).update(
        ended_at=clock.now(), ended_because="The recording was deleted under policy."
    )
    losses.deleted([recording.pk for recording in recordings])


@custody.service
def _settle(kind: Check, recording_id: UUID, wrong: Sequence[Wrong], read_at: datetime | None = None) -> None:
    """Open findings for what is wrong and was not known, end those that are mended, note when it was read."""
    now = clock.now()
    # First the recording, as its deletion does, which ends what stands against it. What was seen of one that has been
    # deleted since is no loss; that it left its key behind stands.
    row = Recording.objects.select_for_update(of=("self",), no_key=True).filter(pk=recording_id).only("state").first()
    if row is not None and row.state == Recording.State.DELETED:
        wrong = [item for item in wrong if item.problem == Finding.Problem.KEY_LEFT]
    well = (
        losses.good_until(recording_id, now, [item.problem for item in wrong]) if wrong else now
    )  # before it is noted
    if read_at is not None:
        Fixity.objects.filter(recording=recording_id).update(checked_at=read_at)
    standing = {
        (item.object_name, item.problem): item
        for item in Finding.objects.select_for_update().filter(recording=recording_id, kind=kind, ended_at=None)
    }
    custody.nothing_changed()
    depends = checks.depends_on(recording_id).ids if wrong else ()
    new = False
    for item in wrong:
        known = standing.pop((item.object_name, item.problem), None)
        if known is not None:
            known.seen_at, known.detail = now, item.detail
            known.save(update_fields=["seen_at", "detail"])
            continue
        new = new or item.problem not in losses.NO_LOSS
        Finding.objects.create(
            kind=kind,
            recording_id=recording_id,
            object_name=item.object_name,
            problem=item.problem,
            detail=item.detail,
            found_at=now,
            seen_at=now,
        )
        custody.record(
            FixityFailed(
                actor=SYSTEM,
                subject=f"recording:{recording_id}",
                also=depends,
                object=item.object_name,
                problem=item.problem,
                detail=item.detail,
            )
        )
        log.error(
            "fixity.failed",
            recording=str(recording_id),
            object=item.object_name,
            problem=item.problem,
            detail=item.detail,
            concerns=list(depends),
        )
    for (name, problem), known in standing.items():
        known.ended_at, known.ended_because = now, "A later check found it mended."
        known.save(update_fields=["ended_at", "ended_because"])
        custody.record(FixityRestored(actor=SYSTEM, subject=f"recording:{recording_id}", object=name, problem=problem))
    if wrong or standing:
        mended = "its key is in the keyring again" if kind == Check.KEYS else ""
        losses.follow(recording_id, well=well, depends=depends, now=now, new=new, mended=mended)


@custody.service
def _close(kind: Check, tally: _Tally) -> CheckRun:
    """Keep what a run did, say so in the ledger, and let go of runs that are long past."""
    if tally.interrupted:
        outcome = CheckRun.Outcome.INTERRUPTED
    else:
        outcome = CheckRun.Outcome.BAD if tally.found else CheckRun.Outcome.GOOD
    run = CheckRun.objects.create(
        kind=kind,
        started_at=tally.started_at,
        finished_at=clock.now(),
        outcome=outcome,
        checked=tally.checked,
        bytes=tally.bytes,
        found=tally.found,
        problems=tally.problems[:_MOST_TOLD],
        note=tally.note,
    )
    CheckRun.objects.filter(kind=kind, finished_at__lt=run.finished_at - _KEPT).delete()
    if kind == Check.LEDGER:
        custody.record(
            LedgerVerified(actor=SYSTEM, subject=LEDGER, size=tally.checked, remembered=None, problems=tally.found)
        )
    elif kind == Check.PRESENCE:
        custody.record(StoreLookedThrough(actor=SYSTEM, subject=STORE, objects=tally.checked, problems=tally.found))
    elif kind == Check.FIXITY:
        custody.record(
            FixityChecked(
                actor=SYSTEM, subject=STORE, recordings=tally.checked, bytes=tally.bytes, problems=tally.found
            )
        )
    else:
        custody.record(KeysChecked(actor=SYSTEM, subject=KEYRING, keys=tally.checked, problems=tally.found))
    return run


class _Throttle:
    """Waits so that on the whole no more than `rate` bytes a second are read: uploads and viewers come first."""

    def __init__(self, rate: float, pause: Callable[[float], None]) -> None:
        self._rate, self._pause = rate, pause
        self._begun, self._bytes = time.monotonic(), 0

    def took(self, size: int) -> None:
        self._bytes += size
        ahead = self._bytes / self._rate - (time.monotonic() - self._begun)
        if ahead > 0:
            self._pause(min(ahead, 1.0))
