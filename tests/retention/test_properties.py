"""Whole histories of recordings, generated (`lives`), against a naive reckoning of the same rules (`oracle`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from bluelamp.retention import rules
from bluelamp.retention.rules import Decision, Facts, Step, decide
from tests.retention.lives import DAY, MANY, Life, lives, stream
from tests.retention.oracle import floors, gone_by

ORDINARY = settings(max_examples=300, derandomize=True, deadline=None)
CAMPAIGN = settings(max_examples=12_000, derandomize=True, deadline=None)

SECOND = timedelta(seconds=1)

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
    for number, kind in enumerate(MANY):
        chance = Random(f"{life.started_at} {number}")
        for _, value in stream(chance, kind, now):
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
