"""What the rules of retention promise, for any facts that can be thought of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as given_by_chance
from hypothesis import strategies as st

from bluelamp.retention import rules
from bluelamp.retention.rules import Facts, Flag, Hold, Policy, RetentionReason, Step, decide

RECORDED = datetime(2026, 11, 21, 7, 19, tzinfo=UTC)
POLICY = Policy()
SECOND = timedelta(seconds=1)
REQUEST = Hold("request by a member of the public", "DPA 2018 s.45")
PLAIN = Facts(started_at=RECORDED, received_at=RECORDED + timedelta(hours=6))

# The same cases in every run; a rare kind may take many attempts to be thought of.
SETTINGS = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def given(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis's own, with the settings above."""
    return lambda test: SETTINGS(given_by_chance(*strategies)(test))


moments = st.timedeltas(timedelta(0), timedelta(days=7_300)).map(lambda since: datetime(2020, 1, 1, tzinfo=UTC) + since)
periods = st.timedeltas(timedelta(0), timedelta(days=10_000_000))
flags = st.builds(Flag, st.just("Violence"), st.none() | periods, st.just("MoPI"))
reasons = st.builds(
    RetentionReason,
    code=st.uuids().map(lambda one: f"case:{one}"),
    title=st.just("Part of a case"),
    why=st.just("it is part of a case"),
    basis=st.just("CPIA 1996"),
    until=st.none() | moments,
)


@st.composite
def policies(draw):
    quarantine = draw(st.integers(1, 29))
    return Policy(
        default=timedelta(days=draw(st.integers(quarantine + 1, 90))),
        quarantine=timedelta(days=quarantine),
        review_grace=timedelta(days=draw(st.integers(quarantine + 1, 60))),
        margin=timedelta(minutes=draw(st.integers(2, 1440))),
    )


@st.composite
def some_facts(draw):
    started = draw(moments)
    return Facts(
        started_at=started,
        received_at=started + draw(st.timedeltas(timedelta(0), timedelta(days=200))),
        flag=draw(st.none() | flags),
        holds=draw(st.sampled_from([(), (REQUEST,), (REQUEST, REQUEST)])),
        extensions=tuple(draw(st.lists(moments, max_size=3))),
        reasons=tuple(draw(st.lists(reasons, max_size=3))),
        review_until=draw(st.none() | moments),
        locked=draw(st.booleans()),
    )


def keeps(facts: Facts) -> bool:
    return bool(facts.holds or facts.flag or facts.extensions or facts.reasons or facts.locked or facts.review_until)


@given(some_facts(), policies())
def test_nothing_goes_earlier_than_any_rule_says(facts, policy):
    decision = decide(facts, policy)
    floors = [rule for rule in decision.considered if rule.code != rules.DEFAULT]
    if any(rule.until is None for rule in floors):
        assert decision.due_at is decision.delete_at is decision.quarantine_at is None
    else:
        assert all(decision.delete_at >= rule.gone_by >= rule.until for rule in floors)
        assert all(decision.due_at >= rule.gone_by for rule in decision.considered)


@given(some_facts(), policies())
def test_what_is_flagged_extended_or_needed_stays_in_use_until_its_date(facts, policy):
    decision = decide(facts, policy)
    dates = [*facts.extensions, *(reason.until for reason in facts.reasons)]
    if facts.flag and facts.flag.keep is not None:
        dates.append(rules.flagged_until(facts.flag, facts.started_at))
    for until in dates:
        assert decision.step(until - SECOND if until else facts.started_at) is Step.KEEP


@given(some_facts(), policies())
def test_what_nothing_keeps_is_deleted_inside_the_limit(facts, policy):
    facts = Facts(started_at=facts.started_at, received_at=facts.received_at)
    assume(not rules.arrived_late(facts, policy))
    decision = decide(facts, policy)
    limit = rules.default_due(facts.started_at, policy)
    assert facts.started_at + policy.default - timedelta(hours=1) <= limit <= facts.started_at + policy.default
    assert decision.due_at == limit
    assert decision.delete_at == limit - policy.margin
    # The sweep comes each minute: the first one after `delete_at` still has time to finish inside the limit.
    assert decision.step(decision.delete_at + timedelta(minutes=1)) is Step.DELETE
    assert decision.delete_at + timedelta(minutes=1) < limit
    assert decision.governing.code == rules.DEFAULT


@given(some_facts(), policies())
def test_quarantine_lies_wholly_before_deletion(facts, policy):
    decision = decide(facts, policy)
    assume(decision.due_at is not None)
    assert decision.delete_at - decision.quarantine_at == policy.quarantine
    assert decision.step(decision.quarantine_at - SECOND) is Step.KEEP
    assert decision.step(decision.quarantine_at) is Step.QUARANTINE
    assert decision.step(decision.delete_at - SECOND) is Step.QUARANTINE
    assert decision.step(decision.delete_at) is Step.DELETE


@given(some_facts(), policies(), st.data())
def test_another_reason_never_brings_anything_forward(facts, policy, data):
    more = data.draw(
        st.sampled_from(
            [
                replace(facts, holds=(*facts.holds, REQUEST)),
                replace(facts, locked=True),
                replace(facts, extensions=(*facts.extensions, data.draw(moments))),
                replace(facts, reasons=(*facts.reasons, data.draw(reasons))),
                facts if facts.flag else replace(facts, flag=data.draw(flags)),
            ]
        )
    )
    before, after = decide(facts, policy), decide(more, policy)
    if before.due_at is None:
        assert after.due_at is None
    elif after.due_at is not None:
        assert after.due_at >= before.due_at
        assert after.delete_at >= before.delete_at
    assert not after.earlier_than(before.due_at)


@given(some_facts(), policies(), moments)
def test_a_hold_always_wins(facts, policy, now):
    decision = decide(replace(facts, holds=(REQUEST,)), policy)
    assert decision.due_at is None
    assert decision.step(now) is Step.KEEP
    assert decision.governing.until is None


@given(some_facts(), policies(), moments)
def test_a_lock_always_wins(facts, policy, now):
    assert decide(replace(facts, locked=True), policy).step(now) is Step.KEEP


@given(some_facts(), policies())
def test_the_order_of_reasons_does_not_matter(facts, policy):
    turned = replace(facts, extensions=facts.extensions[::-1], reasons=facts.reasons[::-1], holds=facts.holds[::-1])
    one, other = decide(facts, policy), decide(turned, policy)
    assert (one.due_at, one.delete_at, one.quarantine_at) == (other.due_at, other.delete_at, other.quarantine_at)


@given(some_facts(), policies())
def test_every_decision_is_said_in_a_sentence_that_names_its_date(facts, policy):
    decision = decide(facts, policy)
    assert decision.sentence.endswith(".")
    if decision.due_at is None:
        assert decision.sentence.startswith("Kept without an end date because ")
    else:
        assert rules.when(decision.due_at) in decision.sentence


@given(some_facts(), policies(), moments)
def test_the_end_of_a_reason_deletes_nothing_by_itself(facts, policy, now):
    facts = replace(facts, holds=(), locked=False, flag=None)
    facts = replace(facts, reasons=tuple(reason for reason in facts.reasons if reason.until))
    decision = decide(facts, policy)
    until = rules.grace_when_a_reason_ends(decision, now, policy)
    if until is None:
        assert decision.step(now) is Step.KEEP
    else:
        again = decide(replace(facts, review_until=until), policy)
        assert again.step(now) is Step.KEEP
        assert again.due_at >= now + policy.review_grace


@given(some_facts(), policies())
def test_whatever_arrives_has_the_review_grace_or_more_before_it_goes(facts, policy):
    decision = decide(facts, policy)
    if decision.due_at is not None:
        assert decision.due_at >= facts.received_at + policy.review_grace


def test_a_hold_one_second_before_deletion_on_day_31_stops_it():
    decision = decide(PLAIN, POLICY)
    last_second = decision.delete_at - SECOND
    assert last_second > RECORDED + timedelta(days=30, hours=23)
    assert decision.step(last_second) is Step.QUARANTINE
    held = decide(replace(PLAIN, holds=(REQUEST,)), POLICY)
    assert held.step(last_second) is held.step(last_second + timedelta(days=400)) is Step.KEEP


def test_plain_footage_says_that_nothing_keeps_it():
    assert decide(PLAIN, POLICY).sentence == (
        "Nothing keeps this recording beyond the default of 31 days from recording: it will be gone by "
        "07:19 on 22 December 2026, the last 3 days in quarantine, from which it can be brought back. "
        "A flag as evidence, a hold or an extension would keep it longer."
    )


def test_the_category_counts_from_recording_however_late_the_flag():
    facts = replace(PLAIN, flag=Flag("Violence", timedelta(days=365), "MoPI group 3"))
    decision = decide(facts, POLICY)
    assert decision.due_at == RECORDED + timedelta(days=368)
    assert decision.sentence == (
        "Kept until 07:19 on 21 November 2027 because it is flagged as evidence (Violence, 1 year from recording). "
        "Then it spends 3 days in quarantine, from which it can be brought back, and is gone by "
        "07:19 on 24 November 2027. If the flag were released, the next rule would govern "
        "(default period, gone by 07:19 on 22 December 2026); a recording already due by then is first given time for "
        "review."
    )


def test_an_undecided_category_never_expires():
    decision = decide(replace(PLAIN, flag=Flag("Arrest", None, "CPIA 1996")), POLICY)
    assert decision.due_at is None
    assert decision.step(RECORDED + timedelta(days=100_000)) is Step.KEEP
    assert "nobody has decided for how long" in decision.sentence


def test_a_category_shorter_than_the_default_shortens_nothing():
    decision = decide(replace(PLAIN, flag=Flag("Training", timedelta(days=5), "Force policy")), POLICY)
    assert decision.due_at == RECORDED + timedelta(days=31)
    assert decision.governing.code == rules.DEFAULT


def test_among_several_endless_reasons_the_sentence_counts_the_others():
    facts = replace(PLAIN, holds=(REQUEST, REQUEST), locked=True)
    sentence = decide(facts, POLICY).sentence
    assert "and for 2 more reasons" in sentence
    assert "the next reason would keep it" in sentence


def test_footage_that_arrives_after_its_limit_has_the_review_grace():
    facts = replace(PLAIN, received_at=RECORDED + timedelta(days=40))
    decision = decide(facts, POLICY)
    assert rules.arrived_late(facts, POLICY)
    assert decision.governing.code == rules.LATE_ARRIVAL
    assert decision.due_at == facts.received_at + timedelta(days=7)
    assert decision.step(facts.received_at) is Step.KEEP


@pytest.mark.parametrize(("days", "late"), [(23, False), (24, False), (25, True), (30, True), (31, True)])
def test_footage_that_arrives_nearly_due_is_late(days, late):
    assert rules.arrived_late(replace(PLAIN, received_at=RECORDED + timedelta(days=days)), POLICY) is late


def test_late_footage_says_why_it_is_still_here():
    facts = replace(PLAIN, received_at=RECORDED + timedelta(days=40))
    assert decide(facts, POLICY).sentence == (
        "It arrived late and is given 7 days from receipt to be reviewed: it will be gone by 07:19 on 7 January 2027, "
        "the last 3 days in quarantine, from which it can be brought back. "
        "A flag as evidence, a hold or an extension would keep it longer."
    )


def test_time_for_review_inside_the_margin_moves_deletion_and_not_the_limit():
    until = RECORDED + timedelta(days=31) - timedelta(minutes=5)
    decision = decide(replace(PLAIN, review_until=until), POLICY)
    assert decision.delete_at == until
    assert decision.due_at == RECORDED + timedelta(days=31)


def test_an_extension_counts_from_its_date_even_inside_the_default():
    until = RECORDED + timedelta(days=30)
    decision = decide(replace(PLAIN, extensions=(until,)), POLICY)
    assert decision.quarantine_at == until
    assert decision.due_at == until + timedelta(days=3)


@pytest.mark.parametrize(
    ("days", "said"),
    [(1, "1 day"), (31, "31 days"), (365, "1 year"), (2192, "6 years"), (3653, "10 years"), (400, "400 days")],
)
def test_periods_are_told_in_years_where_they_are_years(days, said):
    assert rules.period(timedelta(days=days)) == said


def test_dates_are_told_in_london_time_across_the_change_of_clocks():
    assert rules.when(datetime(2026, 10, 24, 23, 30, tzinfo=UTC)) == "00:30 on 25 October 2026"
    assert rules.when(datetime(2026, 10, 25, 12, 0, tzinfo=UTC)) == "12:00 on 25 October 2026"
