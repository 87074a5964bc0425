"""A force's year in metadata, day by day, with the real sweep; and what should have become of each recording.

Recordings come in through footage's own door, each with a real key in the keyring; only a sample has objects in the
store. People flag, hold, extend and lock as they would, and end it. What is expected of each recording is kept apart,
without the rules (`tests.retention.judge`): whatever goes is judged by somebody who did not decide that it should.

Recordings begin in the minutes after a step of the clock, and the sweep runs at each step: it stands for the sweep of
every minute, since the deletion of what is due begins a margin before the limit.
"""

from __future__ import annotations

import heapq
import itertools
import os
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from bluelamp import custody
from bluelamp.custody import queries as ledger
from bluelamp.footage import services as footage
from bluelamp.footage.events import DueSet
from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import atomic
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold
from bluelamp.vault import objects
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from tests import factories
from tests.retention.judge import DAY, GRACE, LIMIT, MINUTE, Judge, Kept

LONDON, HOUR = ZoneInfo("Europe/London"), timedelta(hours=1)
_SLACK = 10 * MINUTE  # the simulation's clock goes on while it works

# Of a hundred thousand recordings, how many have each thing happen to them. With these some two thirds go by themselves
# within the limit, as in the roll-out whose scale this has: 460,000 of 785,000 by its last day.
_FLAGGED, _FLAGGED_LATE = 38_000, 600
_HELD, _EXTENDED, _IN_CASE, _LOCKED, _DOCKED_LATE, _IN_INCIDENT = 900, 300, 900, 20, 500, 1_500


@dataclass(frozen=True)
class Scale:
    """How much: recordings on the first day and on the last, and how often a day the clock stops for a sweep."""

    days: int
    first: int
    last: int
    steps: int
    sample: int
    """One of so many has objects in the store."""
    keep_days: tuple[int | None, ...] = (120, 365, 2192, 2192, 3653, None)
    """Of the categories, each as likely as another."""

    def on(self, day: int) -> int:
        """Recordings made on a day."""
        return round(self.first + (self.last - self.first) * day / max(self.days - 1, 1))


@dataclass
class Report:
    """What a simulated year came to."""

    recorded: int = 0
    deleted: int = 0
    deleted_by_default: int = 0
    quarantined: int = 0
    restored: int = 0
    failed: int = 0
    reserved: int = 0
    too_late: int = 0
    late: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    here: int = 0
    with_objects: int = 0
    seconds: float = 0
    sweep_seconds: float = 0
    peak_mib: int = 0

    def lines(self) -> Iterator[str]:
        """For whoever runs it, beside what was published of the roll-out."""
        yield f"{'':32}{'simulated':>12}{'published':>12}"
        yield f"{'recorded':32}{self.recorded:>12,}{'785,000':>12}"
        yield f"{'deleted under policy':32}{self.deleted:>12,}{'460,000':>12}"
        yield f"{'  by the default period':32}{self.deleted_by_default:>12,}"
        yield f"{'kept at the end':32}{self.here:>12,}{'325,000':>12}"
        yield f"{'went into quarantine':32}{self.quarantined:>12,}"
        yield f"{'came back from it':32}{self.restored:>12,}"
        yield f"{'something once kept it':32}{self.reserved:>12,}"
        yield f"{'asked for when it had gone':32}{self.too_late:>12,}"
        yield f"{'gone too late':32}{len(self.late):>12,}"
        yield f"{'gone too early':32}{len(self.early):>12,}"
        yield f"objects really stored for {self.with_objects:,} recordings, keys for all"
        yield f"{self.seconds:,.0f} s, {self.sweep_seconds:,.0f} s of them sweeps; peak memory {self.peak_mib:,} MiB"


class Year:
    """One run. Needs a database in which transactions commit, and a demonstration's clock that only this moves."""

    def __init__(self, scale: Scale, seed: int = 7, tell: Callable[[str], None] = lambda line: None) -> None:
        self.scale, self._chance, self._tell = scale, random.Random(seed), tell
        self.report = Report()
        self._judge = Judge(DAY / scale.steps + _SLACK)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._kept_before = _kept()
        unit = factories.unit()
        self._officers = [factories.person(Role.OFFICER, unit=unit) for _ in range(20)]
        self._detective = factories.person(Role.INVESTIGATOR)
        self._second = factories.person(Role.BWV_MANAGER)
        self._categories = [
            Category.objects.create(code=f"kept_{number}", name=f"Kept {number}", keep_days=days, basis="Simulation")
            for number, days in enumerate(scale.keep_days)
        ]

    def run(self) -> Report:
        """The whole of it, judged."""
        begun = time.perf_counter()
        first = clock.now().replace(minute=0, second=0, microsecond=0) + DAY
        step = DAY / self.scale.steps
        for day in range(self.scale.days):
            made = self._spread(self.scale.on(day))
            for number in range(self.scale.steps):
                instant = first + day * DAY + number * step
                if instant.astimezone(LONDON).dst() != (instant - LIMIT).astimezone(LONDON).dst():
                    # What was recorded before the clocks went forward has an hour less.
                    self._to(instant - HOUR)
                    self._sweep()
                self._to(instant)
                self._sweep()
                self._people_act()
                self._arrive(made[number])
            self._judge.look_at_what_went()
            self._tidy()
            if day % 30 == 29:
                self._tell(f"day {day + 1}: {self.report.recorded:,} recorded, {self.report.deleted:,} deleted")
        self._end()
        self.report.seconds = time.perf_counter() - begun
        self.report.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return self.report

    def _spread(self, count: int) -> list[int]:
        each, left = divmod(count, self.scale.steps)
        return [each + (number < left) for number in range(self.scale.steps)]

    def _to(self, instant: datetime) -> None:
        # Whole seconds, and never short of the instant.
        missing = (instant - clock.now()).total_seconds()
        if missing > 0:
            clock.advance(timedelta(seconds=int(missing) + 1))

    def _sweep(self) -> None:
        begun = time.perf_counter()
        result = services.sweep()
        self.report.sweep_seconds += time.perf_counter() - begun
        self.report.quarantined += result.quarantined
        self.report.deleted += result.deleted
        self.report.failed += result.failed

    def _arrive(self, count: int) -> None:
        if not count:
            return
        now = clock.now()
        news: list[footage.NewRecording] = []
        for _ in range(count):
            late = self._happens(_DOCKED_LATE)
            ago = timedelta(days=self._chance.randint(25, 40)) if late else timedelta()
            news.append(self._new(now - ago + timedelta(seconds=self._chance.randint(60, 480))))
            if late:
                self._judge.docked_late(news[-1].id, now + GRACE)
        incidents = [new for new in news if self._happens(_IN_INCIDENT)]
        together = {new.id: incidents[0].id for new in incidents} if len(incidents) > 1 else {}
        news = [replace(new, incident=together.get(new.id)) for new in news]
        get_keyring().create_all([str(new.id) for new in news])
        for recording in footage.accept_all(news):
            self._decide_its_fate(recording, [new.id for new in incidents] if recording.pk in together else [])
            if self.report.recorded % self.scale.sample == 0:
                objects.seal_bytes(recording.original, recording.key_id, b"footage")
                self.report.with_objects += 1
            self.report.recorded += 1

    def _new(self, started: datetime) -> footage.NewRecording:
        made, wearer = new_id(), self._chance.choice(self._officers)
        return footage.NewRecording(
            id=made,
            filename=f"{made}.mp4",
            sha256=os.urandom(32).hex(),
            size=600_000_000,
            original=f"recordings/{made}/original",
            started_at=started,
            ended_at=started + 8 * MINUTE,
            wearer=wearer,
            unit=wearer.unit,
        )

    # What people do about a recording, at once or later.

    def _happens(self, in_a_hundred_thousand: int) -> bool:
        return self._chance.randrange(100_000) < in_a_hundred_thousand

    def _later(self, days: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (clock.now() + timedelta(days=days), next(self._order), act))

    def _people_act(self) -> None:
        flagged: list[UUID] = []
        while self._agenda and self._agenda[0][0] <= clock.now():
            _, _, act = heapq.heappop(self._agenda)
            if isinstance(act, _Flag):
                flagged.append(act.recording)
            else:
                act()
        self._flag_together(flagged)

    def _decide_its_fate(self, recording: Recording, incident: Sequence[UUID]) -> None:
        recording_id = recording.pk

        def keep(act: Callable[[UUID, Sequence[UUID]], None]) -> Callable[[], None]:
            # What is done to one file bears on all of its incident.
            return lambda: act(recording_id, incident or [recording_id])

        if self._happens(_FLAGGED):
            self._later(self._chance.uniform(0, 5), keep(self._flag) if incident else _Flag(recording_id))
        if self._happens(_FLAGGED_LATE):
            self._later(self._chance.uniform(5, 33), keep(self._flag))
        if self._happens(_HELD):
            # Also in quarantine, and also when it is just too late.
            self._later(self._chance.uniform(0, 33), keep(self._hold))
        if self._happens(_EXTENDED):
            self._later(self._chance.uniform(0, 30), keep(self._extend))
        if self._happens(_IN_CASE):
            self._later(self._chance.uniform(0, 29), keep(self._complain))
        if self._happens(_LOCKED):
            self._later(self._chance.uniform(0, 3), keep(self._lock))

    def _flag_together(self, ids: list[UUID]) -> None:
        """Flags as they come by the thousand, at the dock: the rows at once, dates by retention's own decision."""
        live = list(Recording.objects.filter(pk__in=ids, state=Recording.State.LIVE))
        if not live:
            return
        now, flags = clock.now(), []
        with atomic():
            for recording in live:
                category = self._chance.choice(self._categories)
                flags.append(
                    EvidenceFlag(
                        recording=recording,
                        category=category,
                        reason="Evidence",
                        flagged_by=self._detective,
                        flagged_at=now,
                    )
                )
                self._judge.keeps([recording.pk], self._end_of(category, recording.started_at), dated=True)
            EvidenceFlag.objects.bulk_create(flags)
            events: list[custody.Event] = []
            for recording, decision in zip(live, queries.decisions(live).values(), strict=True):
                rule = decision.governing.code
                events.append(_due_set(recording, decision.due_at, rule))
                recording.due_at, recording.due_rule = decision.due_at, rule
            Recording.objects.bulk_update(live, ["due_at", "due_rule"])
            custody.record_all(events)
        for recording in live:
            if self._chance.random() < 0.06:
                self._later(self._chance.uniform(5, 90), partial(self._release_flag, recording.pk))

    def _end_of(self, category: Category, started: datetime) -> datetime | None:
        # In the later of both readings it may be an hour more, which the judge allows for.
        return None if category.keep_days is None else started + timedelta(days=category.keep_days)

    def _flag(self, recording_id: UUID, files: Sequence[UUID]) -> None:
        recording, category = Recording.objects.get(pk=recording_id), self._chance.choice(self._categories)
        if EvidenceFlag.objects.filter(recording=recording, released_at=None).exists():
            return
        flag = partial(footage.flag, recording, category=category, reason="Evidence", by=self._detective)
        if self._took_effect(flag, recording_id):
            self._judge.keeps(files, self._end_of(category, recording.started_at), dated=True)

    def _release_flag(self, recording_id: UUID) -> None:
        recording = Recording.objects.get(pk=recording_id)
        if recording.state != Recording.State.DELETED and len(self._judge.kept[recording_id]) == 1:
            footage.release_flag(recording, reason="Not evidence after all", by=self._second)
            self._judge.kept[recording_id] = [Kept(clock.now(), dated=False)]

    def _hold(self, recording_id: UUID, files: Sequence[UUID]) -> None:
        source = f"request:{next(self._order)}"
        self._place(recording_id, files, Hold.Kind.SUBJECT_ACCESS, source, self._chance.uniform(20, 90))

    def _complain(self, recording_id: UUID, files: Sequence[UUID]) -> None:
        source = f"complaint:{next(self._order)}"
        self._place(recording_id, files, Hold.Kind.COMPLAINT, source, self._chance.uniform(60, 400))

    def _place(self, recording_id: UUID, files: Sequence[UUID], kind: str, source: str, days: float) -> None:
        recording = Recording.objects.get(pk=recording_id)
        if not self._took_effect(
            partial(services.place_hold, recording, kind, "Asked for", source, "public"), recording_id
        ):
            return
        kept = self._judge.keeps(files, None, dated=False)

        def release() -> None:
            services.release_holds(source, "Ended", "person:9001")
            for each in kept:
                each.free_from = clock.now()

        self._later(days, release)

    def _extend(self, recording_id: UUID, files: Sequence[UUID]) -> None:
        recording = Recording.objects.get(pk=recording_id)
        until = recording.started_at + timedelta(days=self._chance.randint(45, 120))
        if self._took_effect(
            partial(services.extend, recording, until=until, reason="Needed", actor="person:9001"), recording_id
        ):
            self._judge.keeps([recording_id], until, dated=True)

    def _lock(self, recording_id: UUID, files: Sequence[UUID]) -> None:
        recording = Recording.objects.get(pk=recording_id)
        if self._took_effect(partial(footage.lock, recording, reason="A death", by=self._second), recording_id):
            self._judge.keeps(files, None, dated=False)

    def _took_effect(self, act: Callable[[], object], recording_id: UUID) -> bool:
        try:
            act()
        except Invalid:  # it is kept longer already
            return False
        except Conflict:
            self.report.too_late += Recording.objects.filter(pk=recording_id, state=Recording.State.DELETED).count()
            return False
        return True

    def _end(self) -> None:
        report, judge = self.report, self._judge
        judge.look_at_what_is_left()
        report.late, report.early = judge.late, judge.early
        report.deleted_by_default, report.reserved = judge.by_default, judge.reserved
        report.here = Recording.objects.exclude(state=Recording.State.DELETED).count()
        report.restored = ledger.count("recording.restored")
        if judge.judged != report.deleted:
            report.late.append(f"{judge.judged} deletions were finished of {report.deleted}")
        keys, stored = (now - before for now, before in zip(_kept(), self._kept_before, strict=True))
        if keys != report.here:
            report.late.append(f"{keys} keys for {report.here} recordings")
        if stored > report.with_objects:
            report.late.append(f"{stored} objects of {report.with_objects}")

    def _tidy(self) -> None:
        # Nobody prepares footage here.
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'footage.prepare'")


@dataclass(frozen=True)
class _Flag:
    """One of many flags that are set together."""

    recording: UUID

    def __call__(self) -> None:
        raise NotImplementedError


def _kept() -> tuple[int, int]:
    """Live keys, and objects in the store; other tests leave some."""
    return get_keyring().count(), sum(1 for _ in get_store().list())


def _due_set(recording: Recording, due_at: datetime | None, rule: str) -> custody.Event:
    return DueSet(
        actor="system:retention", subject=recording.custody_id, before=recording.due_at, after=due_at, rule=rule
    )
