"""What is the next thing that happened, and what corrects what was recorded before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bluelamp.cases.rules import Known, is_correction, problems, with_appeal, with_appeal_closed, with_review
from bluelamp.retention.rules import Appeal, Mopi, MopiGroup, MopiReview, Proceedings, Stage

DAY, LATER, TODAY = date(2026, 3, 1), date(2026, 5, 1), date(2026, 11, 22)
UNDECIDED = Known(Proceedings("1"))
CHARGED = Known(Proceedings("1", Stage.CHARGED, DAY))
CONVICTED = Known(Proceedings("1", Stage.CONVICTED, LATER))
IN_CUSTODY = Known(replace(CONVICTED.proceedings, custodial=True))
RELEASED = Known(replace(IN_CUSTODY.proceedings, released_on=date(2030, 1, 1)))
APPEALED = with_appeal(CONVICTED, Appeal(LATER))
DECIDED = with_appeal_closed(APPEALED, 0, TODAY)
ACQUITTED = Known(Proceedings("1", Stage.ACQUITTED, LATER))
GROUPED = Known(Proceedings("1"), Mopi("1", MopiGroup.OTHER, DAY))


def mopi(**more: object) -> Known:
    assert GROUPED.mopi is not None
    return replace(GROUPED, mopi=replace(GROUPED.mopi, **more))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (UNDECIDED, CHARGED),
        (UNDECIDED, ACQUITTED),
        (CHARGED, CONVICTED),
        (CHARGED, ACQUITTED),
        (IN_CUSTODY, RELEASED),
        (CONVICTED, APPEALED),
        (APPEALED, DECIDED),
        (DECIDED, with_appeal(DECIDED, Appeal(TODAY, ccrc=True))),
        (UNDECIDED, GROUPED),
        (GROUPED, mopi(clear_from=LATER)),
        (GROUPED, with_review(GROUPED, MopiReview(TODAY, keep=True))),
        (mopi(group=MopiGroup.PUBLIC_PROTECTION), mopi(group=MopiGroup.PUBLIC_PROTECTION, born=DAY)),
    ],
)
def test_what_happens_next_is_no_correction(before, after):
    assert not is_correction(before, after)
    assert problems(after, TODAY) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CHARGED, UNDECIDED),
        (CHARGED, Known(replace(CHARGED.proceedings, on=LATER))),
        (CONVICTED, ACQUITTED),
        (CONVICTED, CHARGED),
        (CONVICTED, IN_CUSTODY),
        (IN_CUSTODY, CONVICTED),
        (CONVICTED, Known(replace(CONVICTED.proceedings, on=DAY))),
        (RELEASED, IN_CUSTODY),
        (RELEASED, Known(replace(RELEASED.proceedings, released_on=date(2029, 1, 1)))),
        (DECIDED, APPEALED),
        (DECIDED, CONVICTED),
        (APPEALED, with_appeal(CONVICTED, Appeal(DAY))),
        (APPEALED, with_appeal(CONVICTED, Appeal(LATER, ccrc=True))),
        (GROUPED, UNDECIDED),
        (GROUPED, mopi(group=MopiGroup.SERIOUS)),
        (GROUPED, mopi(clear_from=date(2026, 1, 1))),
        (mopi(group=MopiGroup.UNRESOLVED), mopi(group=MopiGroup.UNRESOLVED, years=9)),
        (mopi(group=MopiGroup.PUBLIC_PROTECTION, born=DAY), mopi(group=MopiGroup.PUBLIC_PROTECTION)),
    ],
)
def test_what_changes_the_record_is_a_correction(before, after):
    assert is_correction(before, after)


@pytest.mark.parametrize(
    ("known", "wrong"),
    [
        (Known(Proceedings("1", Stage.CHARGED)), "Enter the date"),
        (Known(Proceedings("1", Stage.CHARGED, date(2026, 11, 23))), "lies ahead"),
        (Known(replace(IN_CUSTODY.proceedings, released_on=DAY)), "before the conviction"),
        (with_appeal(CONVICTED, Appeal(date(2026, 11, 23))), "on a day that lies ahead"),
        (with_appeal(CONVICTED, Appeal(LATER, DAY)), "before it was opened"),
        (mopi(clear_from=date(2026, 11, 23)), "come to notice"),
        (mopi(born=date(2026, 11, 23)), "date of birth"),
        (mopi(years=5), "6 to 100 years"),
        (mopi(reviews=(MopiReview(TODAY, keep=True, next=TODAY),)), "after this one"),
    ],
)
def test_what_cannot_be_is_said_in_words(known, wrong):
    assert any(wrong in said for said in problems(known, TODAY))


def test_a_person_without_a_group_has_nothing_to_review():
    with pytest.raises(ValueError, match="no review group"):
        with_review(UNDECIDED, MopiReview(TODAY, keep=True))
