"""The clocks of criminal proceedings, each branch of the code of practice by its paragraph."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bluelamp.retention import rules
from bluelamp.retention.rules import Appeal, Facts, Policy, Proceedings, Stage, Step, calendar, decide
from bluelamp.retention.rules.proceedings import clock

RECORDED = datetime(2026, 11, 21, 7, 19, tzinfo=UTC)
POLICY = Policy()
PLAIN = Facts(RECORDED, RECORDED + timedelta(hours=6))
LIMIT = RECORDED + timedelta(days=31)
IN_A_CENTURY = RECORDED + timedelta(days=36_500)

CONVICTED = Proceedings("7", Stage.CONVICTED, date(2027, 8, 31))
IN_CUSTODY = replace(CONVICTED, custodial=True)
SIX_MONTHS = "somebody was convicted in its case on 31 August 2027, six months before"


def of(*proceedings: Proceedings) -> rules.Decision:
    return decide(replace(PLAIN, proceedings=proceedings), POLICY)


def in_use_until(day: date) -> datetime:
    until = calendar.end_of(day)
    assert until is not None
    return until


@pytest.mark.parametrize(
    ("proceedings", "paragraph", "why"),
    [
        (Proceedings("7"), "5.7", "nobody has decided yet whether to charge somebody in its case"),
        (
            Proceedings("7", Stage.CHARGED, date(2026, 12, 1)),
            "5.8",
            "somebody is charged in its case and the proceedings are not over",
        ),
        (
            IN_CUSTODY,
            "5.9",
            "somebody convicted in its case is in custody or hospital, and the date of release is not known",
        ),
        (replace(CONVICTED, appeals=(Appeal(date(2027, 9, 10)),)), "5.10", "an appeal is open in its case"),
        (
            replace(CONVICTED, appeals=(Appeal(date(2027, 9, 10), ccrc=True),)),
            "5.10",
            "an application to the Criminal Cases Review Commission is open in its case",
        ),
        # An outcome whose date nobody knows starts no clock.
        (Proceedings("7", Stage.ACQUITTED), "5.7", "nobody has decided yet whether to charge somebody in its case"),
        (Proceedings("7", Stage.CONVICTED), "5.7", "nobody has decided yet whether to charge somebody in its case"),
    ],
)
def test_what_is_not_over_never_expires(proceedings, paragraph, why):
    decision = of(proceedings)
    assert decision.due_at is None
    assert decision.step(IN_A_CENTURY) is Step.KEEP
    assert decision.governing.code == "proceedings_open:7"
    told = clock(proceedings)
    assert told.basis.endswith(f"code of practice, paragraph {paragraph}")
    assert told.sentence.startswith(f"Kept without an end date because {why}. ")


@pytest.mark.parametrize(
    ("proceedings", "last_day", "paragraph", "why"),
    [
        (
            Proceedings("7", Stage.ACQUITTED, date(2027, 5, 1)),
            date(2027, 5, 1),
            "5.8",
            "in its case the person was acquitted on 1 May 2027",
        ),
        (
            Proceedings("7", Stage.DISCONTINUED, date(2027, 5, 1)),
            date(2027, 5, 1),
            "5.8",
            "in its case the prosecutor discontinued the proceedings on 1 May 2027",
        ),
        (
            Proceedings("7", Stage.NO_FURTHER_ACTION, date(2027, 5, 1)),
            date(2027, 5, 1),
            "5.7",
            "in its case it was decided to take no further action on 1 May 2027",
        ),
        (
            Proceedings("7", Stage.OUT_OF_COURT, date(2027, 5, 1)),
            date(2027, 5, 1),
            "5.7",
            "in its case it was dealt with out of court on 1 May 2027",
        ),
        (
            CONVICTED,
            date(2028, 2, 29),
            "5.9",
            SIX_MONTHS,
        ),
        (
            replace(IN_CUSTODY, released_on=date(2029, 6, 1)),
            date(2029, 6, 1),
            "5.9",
            "somebody convicted in its case is in custody or hospital until then",
        ),
        # Released earlier than six months from the conviction: the six months all the same.
        (
            replace(IN_CUSTODY, released_on=date(2027, 10, 1)),
            date(2028, 2, 29),
            "5.9",
            SIX_MONTHS,
        ),
        # A date of release without a custodial sentence means nothing.
        (
            replace(CONVICTED, released_on=date(2029, 6, 1)),
            date(2028, 2, 29),
            "5.9",
            SIX_MONTHS,
        ),
        # Decided after the six months, or after the release.
        (
            replace(CONVICTED, appeals=(Appeal(date(2027, 9, 10), date(2028, 3, 1)),)),
            date(2028, 3, 1),
            "5.10",
            "an appeal in its case was decided then",
        ),
        (
            replace(IN_CUSTODY, released_on=date(2029, 6, 1), appeals=(Appeal(date(2027, 9, 10), date(2030, 1, 7)),)),
            date(2030, 1, 7),
            "5.10",
            "an appeal in its case was decided then",
        ),
        # Decided before: the release or the six months go on.
        (
            replace(IN_CUSTODY, released_on=date(2029, 6, 1), appeals=(Appeal(date(2027, 9, 10), date(2028, 1, 7)),)),
            date(2029, 6, 1),
            "5.9",
            "somebody convicted in its case is in custody or hospital until then",
        ),
    ],
)
def test_what_is_over_is_kept_to_the_end_of_the_codes_last_day(proceedings, last_day, paragraph, why):
    decision = of(proceedings)
    until = in_use_until(last_day)
    assert decision.governing.code == "proceedings:7"
    told = clock(proceedings)
    assert told.basis.endswith(f"paragraph {paragraph}")
    assert (decision.quarantine_at, decision.due_at) == (until, until + POLICY.quarantine)
    assert decision.step(until - timedelta(seconds=1)) is Step.KEEP
    assert told.sentence == f"Kept until the end of {calendar.on(last_day)} because {why}."


def test_an_outcome_before_the_limit_leaves_the_default_to_govern_and_stays_on_the_list():
    decision = of(Proceedings("7", Stage.NO_FURTHER_ACTION, date(2026, 11, 25)))
    assert (decision.due_at, decision.governing.code) == (LIMIT, rules.DEFAULT)
    assert [rule.title for rule in decision.considered] == ["Default period", "Case"]


def test_of_several_persons_the_one_whose_clock_runs_longest_keeps_it():
    acquitted = Proceedings("1", Stage.ACQUITTED, date(2027, 5, 1))
    convicted = replace(CONVICTED, code="2")
    assert of(acquitted, convicted).governing.code == of(convicted, acquitted).governing.code == "proceedings:2"
    assert of(acquitted, convicted, Proceedings("3", Stage.CHARGED, date(2027, 1, 1))).due_at is None


def test_an_open_appeal_keeps_whatever_else_is_known():
    appeals = (Appeal(date(2027, 9, 10), date(2028, 1, 1)), Appeal(date(2030, 1, 1), ccrc=True))
    for stage in Stage:
        proceedings = Proceedings("7", stage, date(2027, 8, 31), appeals=appeals)
        assert of(proceedings).step(IN_A_CENTURY) is Step.KEEP


@pytest.mark.parametrize(
    ("proceedings", "end"),
    [
        (Proceedings("7"), "A decision gives it an end."),
        (Proceedings("7", Stage.CHARGED, date(2026, 12, 1)), "The outcome gives it an end."),
        (IN_CUSTODY, "The date of release gives it an end."),
        (
            replace(CONVICTED, appeals=(Appeal(date(2027, 9, 10)),)),
            "Once that is decided, the date of release or of the conviction gives it an end.",
        ),
    ],
)
def test_the_sentence_says_what_gives_it_an_end(proceedings, end):
    assert clock(proceedings).sentence.endswith(end)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("more", [{}, {"custodial": True}, {"appeals": (Appeal(date(2027, 9, 10)),)}])
def test_readers_of_a_recordings_facts_learn_of_a_case_and_not_of_its_proceedings(stage, more):
    decision = of(Proceedings("7", stage, date(2027, 8, 31), **more))
    rule = decision.governing
    assert (rule.title, rule.why) == ("Case", "a case that it belongs to needs it")
    told = f"{decision.sentence} {rule.basis} {rule.would_end}".lower()
    assert not [word for word in ("convict", "charge", "custody", "acquit", "appeal", "prosecut") if word in told]


def test_every_stage_has_words_and_knows_whether_it_is_an_outcome():
    assert {stage.words for stage in Stage} == {
        "Nobody has decided yet whether to charge",
        "Charged",
        "No further action",
        "Dealt with out of court",
        "Discontinued by the prosecutor",
        "Acquitted",
        "Convicted",
    }
    assert [stage for stage in Stage if not stage.is_final] == [Stage.UNDECIDED, Stage.CHARGED]
