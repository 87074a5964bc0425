"""Whole histories of recordings, generated, against a naive reckoning of the same rules.

A life is what happens to one recording: flags, holds, locks, extensions, requests, cases that open and close, charges,
outcomes, appeals, review groups and reviews, late arrival, versions of the policy. The oracle below reckons anew, from
the same life, from when on it may be gone: slowly, by walking hours and days, with nothing of the rules' arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluelamp.retention import rules
from bluelamp.retention.rules import (
    Appeal,
    Decision,
    Facts,
    Flag,
    Hold,
    Mopi,
    MopiGroup,
    MopiPeriods,
    MopiReview,
    Policy,
    Proceedings,
    RetentionReason,
    SpecialPeriod,
    Stage,
    Step,
    decide,
)

ORDINARY = settings(max_examples=300, derandomize=True, deadline=None)
CAMPAIGN = settings(max_examples=12_000, derandomize=True, deadline=None)

LONDON = ZoneInfo("Europe/London")
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
SPRING, AUTUMN = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)
LEAP = datetime(2028, 2, 29, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """From `at` on `what` is `value`; None: it has ended."""

    at: datetime
    what: str
    value: Any


@dataclass(frozen=True)
class Life:
    """One recording's history. The policy is one of the things that change."""

    started_at: datetime
    received_at: datetime
    events: tuple[Event, ...]

    def standing(self, now: datetime) -> dict[str, Any]:
        """What holds at `now`, by name."""
        state: dict[str, Any] = {}
        for event in sorted(self.events, key=lambda event: event.at):
            if event.at <= now:
                state[event.what] = event.value
        return {what: value for what, value in state.items() if value is not None}

    def facts(self, now: datetime, review_until: datetime | None = None, more: tuple[datetime, ...] = ()) -> Facts:
        """The same as the rules are told it."""
        state = self.standing(now)

        def of(kind: str) -> tuple[Any, ...]:
            return tuple(value for what, value in state.items() if what.startswith(f"{kind} "))

        return Facts(
            self.started_at,
            self.received_at,
            flag=state.get("flag"),
            holds=of("hold"),
            extensions=(*of("extension"), *more),
            reasons=(*of("request"), *of("case")),
            review_until=review_until,
            locked="lock" in state,
            proceedings=of("proceedings"),
            mopi=of("mopi"),
            special=state.get("special"),
        )

    def policy(self, now: datetime) -> Policy:
        return self.standing(now).get("policy", Policy())

    @property
    def instants(self) -> list[datetime]:
        """When something happens, from receipt on."""
        return sorted({self.received_at, *(event.at for event in self.events)})


# The generator. Hypothesis chooses the numbers; what is made of them is plausible rather than arbitrary.


def _policy(chance: Random, version: int) -> Policy:
    quarantine = chance.randint(1, 10)
    return Policy(
        default=timedelta(days=chance.randint(quarantine + 1, 90)),
        quarantine=timedelta(days=quarantine),
        review_grace=timedelta(days=chance.randint(quarantine + 1, 30)),
        margin=timedelta(minutes=chance.randint(2, 1440)),
        cooling=timedelta(days=chance.randint(quarantine + 1, 30)),
        version=version,
        mopi=MopiPeriods(
            age=chance.choice([100, 90]),
            serious=chance.randint(5, 12),
            other=chance.randint(1, 7),
            review=chance.randint(5, 12),
            review_again=chance.randint(1, 6),
            time_based=chance.random() < 0.7,
        ),
    )


def _day(chance: Random, after: datetime, days: int) -> date:
    return (after + timedelta(days=chance.randint(0, days))).astimezone(LONDON).date()


def _proceedings(chance: Random, code: str, begin: datetime) -> Iterable[tuple[datetime, Any]]:
    """One person's proceedings, step by step."""
    at, known = begin, Proceedings(code)
    yield at, known
    if chance.random() < 0.2:
        return
    if chance.random() < 0.8:
        at += timedelta(days=chance.randint(0, 200), hours=chance.randint(0, 23))
        known = replace(known, stage=Stage.CHARGED, on=_day(chance, at - 3 * DAY, 3))
        yield at, known
        if chance.random() < 0.3:
            return
    at += timedelta(days=chance.randint(0, 400), hours=chance.randint(0, 23))
    final = [stage for stage in Stage if stage.is_final]
    known = replace(known, stage=chance.choice([*final, Stage.CONVICTED, Stage.CONVICTED]), on=_day(chance, at, 0))
    if known.stage is Stage.CONVICTED and chance.random() < 0.5:
        known = replace(known, custodial=True)
        if chance.random() < 0.5:
            yield at, known
            at += timedelta(days=chance.randint(0, 300))
        known = replace(known, released_on=_day(chance, at, 2_000))
    yield at, known
    for _ in range(chance.randint(0, 2)):
        at += timedelta(days=chance.randint(0, 250))
        appeal = Appeal(_day(chance, at, 0), ccrc=chance.random() < 0.4)
        yield at, replace(known, appeals=(*known.appeals, appeal))
        if chance.random() < 0.2:
            return
        at += timedelta(days=chance.randint(0, 500))
        known = replace(known, appeals=(*known.appeals, replace(appeal, closed_on=_day(chance, at, 0))))
        yield at, known


def _mopi(chance: Random, code: str, begin: datetime) -> Iterable[tuple[datetime, Any]]:
    """One person's review group and the reviews made of it."""
    known = Mopi(code, chance.choice(list(MopiGroup)), _day(chance, begin, 0))
    if chance.random() < 0.6:
        born = date(1930, 1, 1) + timedelta(days=chance.randint(0, 30_000))
        known = replace(known, born=chance.choice([born, date(1996, 2, 29)]), years=chance.choice([None, 3, 6, 10, 30]))
    yield begin, known
    at = begin
    for _ in range(chance.randint(0, 2)):
        at += timedelta(days=chance.randint(1, 4_000))
        if chance.random() < 0.2:
            known = replace(known, clear_from=_day(chance, at, 0))
        else:
            following = _day(chance, at, 3_000) if chance.random() < 0.3 else None
            review = MopiReview(_day(chance, at, 0), chance.random() < 0.6, following)
            known = replace(known, reviews=(*known.reviews, review))
        yield at, known


def _stretch(chance: Random, begin: datetime, value: Any, days: int = 120) -> Iterable[tuple[datetime, Any]]:
    """Something that begins, and often ends."""
    yield begin, value
    if chance.random() < 0.6:
        yield begin + timedelta(days=chance.randint(0, days), minutes=chance.randint(0, 1439)), None


def _flags(chance: Random, begin: datetime) -> Iterable[tuple[datetime, Any]]:
    for _ in range(chance.randint(1, 2)):
        keep = chance.choice([None, timedelta(days=chance.randint(0, 800))])
        yield from _stretch(chance, begin, Flag("Violence", keep, "MoPI"))
        begin += timedelta(days=chance.randint(121, 300))


def _stream(chance: Random, kind: str, begin: datetime) -> Iterable[tuple[datetime, Any]]:
    if kind == "flag":
        return _flags(chance, begin)
    if kind == "hold":
        return _stretch(chance, begin, Hold("request by a member of the public", "DPA 2018 s.45"))
    if kind == "lock":
        return _stretch(chance, begin, True)
    if kind == "extension":
        return [(begin, begin + timedelta(days=chance.randint(0, 400), minutes=chance.randint(0, 1439)))]
    if kind == "request":
        until = chance.choice([None, begin + timedelta(days=chance.randint(0, 90))])
        return _stretch(chance, begin, RetentionReason(f"request:{begin}", "Request", "it was asked for", "DPA", until))
    if kind == "case":
        return _stretch(chance, begin, RetentionReason(f"case:{begin}", "Open case", "it is in a case", "CPIA"), 600)
    if kind == "proceedings":
        return _proceedings(chance, f"p{begin}", begin)
    if kind == "mopi":
        return _mopi(chance, f"m{begin}", begin)
    if kind == "special":
        return _stretch(chance, begin, SpecialPeriod("Training", timedelta(days=chance.randint(11, 60))))
    return [(begin, _policy(chance, version=chance.randint(2, 9)))]


_ONE = ("flag", "lock", "special", "policy")  # of these a recording has one at a time
_MANY = ("hold", "extension", "request", "case", "proceedings", "mopi")


@st.composite
def lives(draw: st.DrawFn) -> Life:
    chance = draw(st.randoms(use_true_random=False))
    near = draw(st.sampled_from([SPRING, AUTUMN, SPRING - 31 * DAY, AUTUMN - 31 * DAY, LEAP]))
    started = near + timedelta(minutes=draw(st.integers(-3 * 1440, 3 * 1440)))
    received = started + draw(st.sampled_from([HOUR, 24 * DAY, 25 * DAY, 35 * DAY, 200 * DAY]))
    events: list[Event] = []
    if draw(st.booleans()):
        events.append(Event(received, "policy", _policy(chance, 1)))
    for number, kind in enumerate(draw(st.lists(st.sampled_from(_MANY + _ONE), max_size=4))):
        name = kind if kind in _ONE else f"{kind} {number}"
        if name in {event.what for event in events} and name != "policy":
            continue
        begin = received + timedelta(days=chance.randint(0, 45), minutes=chance.randint(0, 1439))
        events += [Event(at, name, value) for at, value in _stream(chance, kind, begin)]
    return Life(started, received, tuple(events))


# The oracle: from when on may it be gone? One "not before" a rule; None is never.


def _walls(started: datetime, length: timedelta) -> list[datetime]:
    """When London's clocks show the start's time again after `length`; round an hour that is missing, both readings."""
    offset = started.astimezone(LONDON).utcoffset()
    wanted = started + offset + length
    shown = [wanted - one for one in (timedelta(0), HOUR) if (wanted - one).astimezone(LONDON).utcoffset() == one]
    return shown or [wanted, wanted - HOUR]


def _midnight_after(day: date) -> datetime:
    at = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
    while at.astimezone(LONDON).date() <= day:
        at += HOUR
    return at


def _months_later(day: date, months: int) -> date:
    wanted = (day.year * 12 + day.month - 1 + months) % 12 + 1
    at = day + (months * 31 - 7) * DAY - 30 * DAY
    while at.month != wanted:
        at += DAY
    while at.day < day.day and (at + DAY).month == wanted:
        at += DAY
    while at.day > day.day:
        at -= DAY
    return at


def _years_later(day: date, years: int) -> date:
    at = day + int(years * 365.2425 - 3) * DAY
    if (day.month, day.day) == (2, 29):
        while (at.month, at.day) not in ((2, 29), (3, 1)):
            at += DAY
        return at
    while (at.month, at.day) != (day.month, day.day):
        at += DAY
    return at


def _after_proceedings(known: Proceedings) -> datetime | None:
    if known.on is None or known.stage in (Stage.UNDECIDED, Stage.CHARGED):
        return None
    if [appeal for appeal in known.appeals if not appeal.closed_on]:
        return None
    days = [known.on, *[appeal.closed_on for appeal in known.appeals]]
    if known.stage is Stage.CONVICTED:
        days.append(_months_later(known.on, 6))
        if known.custodial:
            if known.released_on is None:
                return None
            days.append(known.released_on)
    return max(_midnight_after(day) for day in days)


def _after_mopi(known: Mopi, periods: MopiPeriods) -> datetime | None:
    kept = let_go = None
    for review in known.reviews:
        if review.on >= known.clear_from:
            if review.keep:
                kept = review.on if kept is None else max(kept, review.on)
            else:
                let_go = review.on if let_go is None else max(let_go, review.on)
    if let_go is not None and (kept is None or let_go > kept):
        return _midnight_after(let_go)
    if known.group == 1:
        if known.born is None:
            return None
        birthday = _years_later(known.born, periods.age)
        return None if kept is not None and kept >= birthday else _midnight_after(birthday - DAY)
    if known.group == 2 or kept is not None:
        return None
    if known.group == 3:
        return _midnight_after(_years_later(known.clear_from, periods.other)) if periods.time_based else None
    if known.years is None:
        return None
    return _midnight_after(_years_later(known.clear_from, max(known.years, periods.other)))


def floors(facts: Facts, policy: Policy) -> list[datetime | None]:
    """Until when each thing that keeps the recording keeps it in use."""
    found: list[datetime | None] = [None for _ in facts.holds]
    if facts.locked:
        found.append(None)
    if facts.flag is not None:
        keep = facts.flag.keep
        found.append(None if keep is None else max([facts.started_at + keep, *_walls(facts.started_at, keep)]))
    found += facts.extensions
    found += [reason.until for reason in facts.reasons]
    found += [_after_proceedings(known) for known in facts.proceedings]
    found += [_after_mopi(known, policy.mopi) for known in facts.mopi]
    return found


def limit(facts: Facts, policy: Policy) -> datetime:
    """By when it must be gone if nothing keeps it."""
    length = policy.default if facts.special is None else facts.special.length
    return min([facts.started_at + length, *_walls(facts.started_at, length)])


def gone_by(facts: Facts, policy: Policy) -> datetime | None:
    """By when it is gone: the longest of all rules."""
    ends = [limit(facts, policy)]
    for floor in floors(facts, policy):
        if floor is None:
            return None
        ends.append(floor + policy.quarantine)
    if facts.review_until is not None:
        ends.append(facts.review_until)
    late = facts.received_at + policy.review_grace
    if late > ends[0]:
        ends.append(late)
    return max(ends)


# The properties. Each is a function, so that the ordinary run and the campaign ask the same.


def the_decision_is_the_longest_of_all_rules(life: Life) -> None:
    for now in life.instants:
        facts, policy = life.facts(now), life.policy(now)
        decision = decide(facts, policy)
        assert decision.due_at == gone_by(facts, policy)
        assert decision.version == policy.version
        if decision.due_at is not None:
            assert decision.due_at - policy.margin <= decision.delete_at <= decision.due_at
            assert decision.delete_at - decision.quarantine_at == policy.quarantine
            assert decision.governing.gone_by == decision.due_at
        else:
            assert decision.governing.until is None


def nothing_that_anything_keeps_may_go(life: Life) -> None:
    for now in life.instants:
        facts, policy = life.facts(now), life.policy(now)
        decision = decide(facts, policy)
        for until in floors(facts, policy):
            if until is None:
                assert decision.step(now + 36_500 * DAY) is Step.KEEP
            else:
                assert decision.step(until - SECOND) is Step.KEEP
                assert decision.step(until + policy.quarantine - SECOND) is not Step.DELETE


def another_reason_never_shortens(life: Life) -> None:
    """Whatever is added to whatever stands, at whatever time."""
    now = life.instants[-1]
    facts, policy = life.facts(now), life.policy(now)
    before = decide(facts, policy)
    for number, kind in enumerate(_MANY):
        chance = Random(f"{life.started_at} {number}")
        for _, value in _stream(chance, kind, now):
            if value is None:
                continue
            after = decide(_with(facts, kind, value), policy)
            assert not after.earlier_than(before.due_at), (kind, value)
            for one, other in ((before.delete_at, after.delete_at), (before.quarantine_at, after.quarantine_at)):
                assert other is None or (one is not None and other >= one)


def _with(facts: Facts, kind: str, value: Any) -> Facts:
    field = {"hold": "holds", "extension": "extensions", "request": "reasons", "case": "reasons"}.get(kind, kind)
    return replace(facts, **{field: (*getattr(facts, field), value)})


def the_order_of_what_happened_does_not_matter(life: Life) -> None:
    chance = Random(str(life.events))
    streams = {event.what: [other for other in life.events if other.what == event.what] for event in life.events}
    names = list(streams)
    chance.shuffle(names)
    turned = replace(life, events=tuple(event for name in names for event in streams[name]))
    now = life.instants[-1]
    one, other = decide(life.facts(now), life.policy(now)), decide(turned.facts(now), turned.policy(now))
    assert (one.due_at, one.delete_at, one.quarantine_at) == (other.due_at, other.delete_at, other.quarantine_at)
    assert sorted(map(str, one.considered)) == sorted(map(str, other.considered))


@dataclass
class Sweeping:
    """A life as the sweep lives it: the date promised so far, time given for review, edits that were held back."""

    life: Life
    promised: datetime | None = None
    code: str = ""
    review_until: datetime | None = None
    more: tuple[datetime, ...] = ()

    def decide(self, now: datetime) -> Decision:
        policy = self.life.policy(now)
        decision = self._decision(now)
        if self.code and decision.earlier_than(self.promised):
            codes = {rule.code for rule in decision.considered}
            if rules.is_editable(self.code) and self.code in codes:
                # A second person approved it at once.
                due = rules.after_approval(self.promised, decision.due_at, now, policy)
                assert self.promised is None or due <= self.promised
                assert due >= min(now + policy.cooling, self.promised or due)
                self.more = (*self.more, due - policy.quarantine)
            else:
                until = rules.grace_when_a_reason_ends(decision, now, policy)
                self.review_until = until or self.review_until
                given = self._decision(now)
                assert given.step(now) is Step.KEEP
                assert until is None or given.due_at >= now + policy.review_grace
            decision = self._decision(now)
        self.promised, self.code = decision.due_at, decision.governing.code
        return decision

    def _decision(self, now: datetime) -> Decision:
        return decide(self.life.facts(now, self.review_until, self.more), self.life.policy(now))


def it_goes_when_its_time_has_come_and_not_before(life: Life) -> None:
    sweeping = Sweeping(life)
    for now, following in zip(life.instants, [*life.instants[1:], None], strict=True):
        decision = sweeping.decide(now)
        facts, policy = life.facts(now, sweeping.review_until, sweeping.more), life.policy(now)
        standing = floors(facts, policy)
        if decision.due_at is None:
            assert None in standing
            continue
        assert None not in standing
        # The sweep comes each minute; a change of the policy's quarantine or margin may find a date that has passed.
        swept = max(decision.delete_at, now)
        assert decision.step(swept) is Step.DELETE
        if following is not None and swept >= following:
            continue
        # It goes here: whatever kept it has been served in full, and no rule's last date has passed by a minute.
        assert all(until + policy.quarantine <= swept for until in standing)
        assert swept <= max(decision.due_at, now)
        # Alone the arithmetic of a policy's own change may make something due in the past; an ended reason never does.
        if not any(event.what in ("policy", "special") and event.at == now for event in life.events):
            assert decision.due_at >= now
        return


PROPERTIES: list[Callable[[Life], None]] = [
    the_decision_is_the_longest_of_all_rules,
    nothing_that_anything_keeps_may_go,
    another_reason_never_shortens,
    the_order_of_what_happened_does_not_matter,
    it_goes_when_its_time_has_come_and_not_before,
]


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda each: each.__name__)
def test_of_every_history(holds: Callable[[Life], None]) -> None:
    ORDINARY(given(lives())(holds))()


@pytest.mark.soak
@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda each: each.__name__)
def test_of_twelve_thousand_histories(holds: Callable[[Life], None]) -> None:
    CAMPAIGN(given(lives())(holds))()
