"""The review groups of the management of police information: how long each keeps, and when somebody must look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bluelamp.retention.rules import (
    Facts,
    Mopi,
    MopiGroup,
    MopiPeriods,
    MopiReview,
    Policy,
    Review,
    Step,
    calendar,
    decide,
    review_due,
)
from bluelamp.retention.rules.mopi import clock

RECORDED = datetime(2026, 11, 21, 7, 19, tzinfo=UTC)
POLICY = Policy()
PLAIN = Facts(RECORDED, RECORDED + timedelta(hours=6))
CLEAR_FROM = date(2026, 11, 21)
REVIEWED_ONLY = replace(POLICY, mopi=MopiPeriods(time_based=False))

ONE, TWO, THREE, FOUR = (Mopi("7", group, CLEAR_FROM) for group in MopiGroup)
BORN = replace(ONE, born=date(1992, 2, 29))
KEPT, LET_GO = MopiReview(date(2030, 1, 1), keep=True), MopiReview(date(2030, 1, 1), keep=False)

IN_THAT_YEAR = "it concerns public protection, and the person in its case will be 100 in that year"
EVERY = [ONE, BORN, TWO, THREE, FOUR, replace(FOUR, years=9), *(replace(TWO, reviews=(one,)) for one in (KEPT, LET_GO))]


def of(*mopi: Mopi, policy: Policy = POLICY):
    return decide(replace(PLAIN, mopi=mopi), policy)


@pytest.mark.parametrize(
    ("mopi", "policy", "why"),
    [
        (ONE, POLICY, "it concerns public protection, and the date of birth of the person in its case is not known"),
        (TWO, POLICY, "a review after 10 years clear must decide (MoPI group 2)"),
        (THREE, REVIEWED_ONLY, "a review after 6 years clear must decide (MoPI group 3)"),
        (FOUR, POLICY, "the matter is not resolved (MoPI group 4)"),
        (replace(TWO, reviews=(KEPT,)), POLICY, "a review after 10 years clear must decide (MoPI group 2)"),
        (replace(THREE, reviews=(KEPT,)), POLICY, "a review on 1 January 2030 found that it is still needed"),
        (replace(FOUR, years=6, reviews=(KEPT,)), POLICY, "a review on 1 January 2030 found that it is still needed"),
        (
            replace(BORN, reviews=(MopiReview(date(2092, 3, 1), keep=True),)),
            POLICY,
            "a review on 1 March 2092 found that it is still needed",
        ),
    ],
)
def test_time_alone_does_not_dispose_of_what_a_review_must_decide(mopi, policy, why):
    decision = of(mopi, policy=policy)
    assert decision.step(RECORDED + timedelta(days=100_000)) is Step.KEEP
    assert decision.governing.code == "mopi_open:7"
    told = clock(mopi, policy.mopi)
    assert told.basis.endswith(f"review group {mopi.group.value}")
    assert told.sentence == f"Kept without an end date because {why}. A review may let it go."


@pytest.mark.parametrize(
    ("mopi", "last_day", "why"),
    [
        (
            BORN,
            date(2092, 12, 31),
            IN_THAT_YEAR,
        ),
        (
            replace(ONE, born=date(2000, 2, 29)),
            date(2100, 12, 31),
            IN_THAT_YEAR,
        ),
        (replace(BORN, reviews=(KEPT,)), date(2092, 12, 31), "it concerns public protection, and the person"),
        (THREE, date(2032, 11, 21), "a clear period of 6 years since 21 November 2026 must pass (MoPI group 3)"),
        (
            replace(THREE, clear_from=date(2028, 2, 29)),
            date(2034, 3, 1),
            "a clear period of 6 years since 29 February 2028 must pass (MoPI group 3)",
        ),
        (
            replace(FOUR, years=100),
            date(2126, 11, 21),
            "a time of 100 years since 21 November 2026 must pass (MoPI group 4)",
        ),
        # 6 years upwards.
        (
            replace(FOUR, years=2),
            date(2032, 11, 21),
            "a time of 6 years since 21 November 2026 must pass (MoPI group 4)",
        ),
    ],
)
def test_what_goes_by_time_is_kept_to_its_last_day(mopi, last_day, why):
    decision = of(mopi)
    until = calendar.end_of(last_day)
    assert decision.governing.code == "mopi:7"
    assert (decision.quarantine_at, decision.due_at) == (until, until + POLICY.quarantine)
    told = clock(mopi, POLICY.mopi).sentence
    assert told.startswith(f"Kept until the end of {calendar.on(last_day)} because {why}")


@pytest.mark.parametrize("mopi", [ONE, BORN, TWO, THREE, FOUR])
def test_a_review_that_lets_go_ends_every_group_with_its_day(mopi):
    decision = of(replace(mopi, reviews=(MopiReview(date(2029, 1, 1), keep=True), LET_GO)))
    assert decision.quarantine_at == calendar.end_of(LET_GO.on)
    let_go = replace(mopi, reviews=(LET_GO,))
    assert "a review on 1 January 2030 found that it is no longer needed" in clock(let_go, POLICY.mopi).sentence


@pytest.mark.parametrize("mopi", [ONE, BORN, TWO, THREE, FOUR])
def test_who_comes_to_notice_again_begins_a_new_clear_period(mopi):
    again = replace(mopi, clear_from=date(2030, 1, 2), reviews=(LET_GO,))
    assert of(again).due_at == of(replace(again, reviews=())).due_at != of(replace(mopi, reviews=(LET_GO,))).due_at


def test_of_two_reviews_on_one_day_the_one_that_keeps_counts():
    for reviews in ((KEPT, LET_GO), (LET_GO, KEPT)):
        assert of(replace(TWO, reviews=reviews)).due_at is None


def test_the_force_chooses_its_periods():
    longer = replace(POLICY, mopi=MopiPeriods(other=8, age=90))
    assert of(THREE, policy=longer).quarantine_at == calendar.end_of(date(2034, 11, 21))
    assert of(BORN, policy=longer).quarantine_at == calendar.end_of(date(2082, 12, 31))


@pytest.mark.parametrize(
    ("mopi", "policy", "due"),
    [
        (ONE, POLICY, date(2036, 11, 21)),
        (BORN, POLICY, date(2036, 11, 21)),
        (TWO, POLICY, date(2036, 11, 21)),
        (THREE, POLICY, None),  # time disposes of it
        (THREE, REVIEWED_ONLY, date(2032, 11, 21)),
        (FOUR, POLICY, date(2032, 11, 21)),
        (replace(FOUR, years=6), POLICY, None),
        (replace(FOUR, years=100), POLICY, date(2036, 11, 21)),
        (replace(TWO, reviews=(KEPT,)), POLICY, date(2040, 1, 1)),
        (replace(THREE, reviews=(KEPT,)), POLICY, date(2035, 1, 1)),
        (replace(TWO, reviews=(replace(KEPT, next=date(2031, 6, 1)),)), POLICY, date(2031, 6, 1)),
        (replace(TWO, reviews=(LET_GO,)), POLICY, None),
        (replace(ONE, born=date(1930, 1, 1)), POLICY, None),  # would be 100 before the first review
    ],
)
def test_the_next_review_follows_from_the_group(mopi, policy, due):
    review = review_due(mopi, policy.mopi)
    assert (review.due if review else None) == due
    if review:
        assert review.basis.endswith(f"review group {mopi.group.value}")


def test_a_review_says_why_it_is_due_and_when():
    first = review_due(TWO, POLICY.mopi)
    assert first == Review(
        date(2036, 11, 21),
        "10 years have passed since 21 November 2026 (MoPI group 2)",
        "Management of police information (College of Policing, authorised professional practice), review group 2",
    )
    assert not first.is_due(date(2036, 11, 20))
    assert first.is_due(date(2036, 11, 21))
    again = review_due(replace(TWO, reviews=(KEPT,)), POLICY.mopi)
    assert again.why == "the review on 1 January 2030 kept it until the next"


def test_every_group_has_words():
    assert [group.words[:7] for group in MopiGroup] == ["Group 1", "Group 2", "Group 3", "Group 4"]


def test_the_date_does_not_tell_the_birthday():
    born = [date(1992, month, day) for month, day in ((1, 1), (2, 29), (7, 14), (12, 31))]
    assert {of(replace(ONE, born=day)).due_at for day in born} == {of(BORN).due_at}


@pytest.mark.parametrize("mopi", EVERY)
def test_readers_of_a_recordings_facts_learn_of_a_case_and_not_of_a_group(mopi):
    decision = of(mopi)
    assert [rule.title for rule in decision.considered[:1]] == ["Case"]
    assert "because a case that it belongs to needs it. " in decision.sentence
    told = f"{decision.sentence} {decision.governing.basis}"
    assert not [word for word in ("MoPI", "group", "protection", "review", "100", "clear") if word in told]
