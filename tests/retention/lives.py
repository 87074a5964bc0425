"""What happens to recordings, generated: whole histories, plausible ones and at the calendar's awkward hours.

A life is what happens to one recording: flags, holds, locks, extensions, requests, cases that open and close, charges,
outcomes, appeals, review groups and reviews, late arrival, versions of the policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from bluelamp.retention.rules import (
    LONDON,
    Appeal,
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
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
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


# Hypothesis chooses the numbers; what is made of them is plausible rather than arbitrary.


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


def stream(chance: Random, kind: str, begin: datetime) -> Iterable[tuple[datetime, Any]]:
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


ONE = ("flag", "lock", "special", "policy")  # of these a recording has one at a time
MANY = ("hold", "extension", "request", "case", "proceedings", "mopi")


@st.composite
def lives(draw: st.DrawFn) -> Life:
    chance = draw(st.randoms(use_true_random=False))
    near = draw(st.sampled_from([SPRING, AUTUMN, SPRING - 31 * DAY, AUTUMN - 31 * DAY, LEAP]))
    started = near + timedelta(minutes=draw(st.integers(-3 * 1440, 3 * 1440)))
    received = started + draw(st.sampled_from([HOUR, 24 * DAY, 25 * DAY, 35 * DAY, 200 * DAY]))
    events: list[Event] = []
    if draw(st.booleans()):
        events.append(Event(received, "policy", _policy(chance, 1)))
    for number, kind in enumerate(draw(st.lists(st.sampled_from(MANY + ONE), max_size=4))):
        name = kind if kind in ONE else f"{kind} {number}"
        if name in {event.what for event in events} and name != "policy":
            continue
        begin = received + timedelta(days=chance.randint(0, 45), minutes=chance.randint(0, 1439))
        events += [Event(at, name, value) for at, value in stream(chance, kind, begin)]
    return Life(started, received, tuple(events))
