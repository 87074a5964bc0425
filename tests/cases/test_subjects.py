"""What happens to a person whom a case is about says for how long the case's footage is kept."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from bluelamp.cases import queries, services
from bluelamp.cases.models import Subject
from bluelamp.cases.rules import with_appeal, with_appeal_closed, with_review
from bluelamp.cases.services.subjects import today
from bluelamp.custody import queries as ledger
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.policy import Role
from bluelamp.retention import hooks, rules
from bluelamp.retention import queries as retention
from bluelamp.retention import services as retention_services
from bluelamp.retention.models import Hold, Shortening
from bluelamp.retention.rules import Appeal, MopiGroup, MopiReview, Stage, calendar
from tests import factories
from tests.cases.outcomes import DAY, QUARANTINE, ago, by_default, closed, due, grouped, happened, kept_until, tags

pytestmark = pytest.mark.django_db


def test_undecided_never_expires_in_a_closed_case_either(case, recording, subject):
    assert due(recording) is None
    closed(case)
    assert due(recording) is None
    decision = retention.decision(recording)
    assert decision.governing.code == f"proceedings_open:{subject.pk}"
    assert decision.step(clock.now() + 40_000 * DAY) is rules.Step.KEEP
    assert tags(case)[-2:] == ["case.subject_added", "case.closed"]


def test_charged_never_expires_until_the_outcome(case, recording, subject):
    happened(subject, Stage.CHARGED, ago(2))
    closed(case)
    assert due(recording) is None
    happened(subject, Stage.ACQUITTED, ago(0))
    assert due(recording) == by_default(recording)


def test_a_conviction_keeps_for_six_months_from_its_day(case, recording, subject):
    happened(subject, Stage.CONVICTED, ago(1))
    assert due(recording) is None  # the case is still open
    closed(case)
    assert due(recording) == kept_until(calendar.add_months(ago(1), 6))
    assert recording.due_rule == f"proceedings:{subject.pk}"


def test_custody_keeps_until_the_release(case, recording, subject):
    happened(subject, Stage.CONVICTED, ago(1), custodial=True)
    closed(case)
    assert due(recording) is None
    happened(subject, Stage.CONVICTED, ago(1), custodial=True, released_on=today() + 900 * DAY)
    assert due(recording) == kept_until(today() + 900 * DAY)
    assert not Shortening.objects.exists()  # it had no end before, and now it has one: nothing was corrected


def test_an_appeal_keeps_until_it_is_decided(case, recording, subject, detective):
    happened(subject, Stage.CONVICTED, ago(400))
    closed(case)
    services.record_known(subject, with_appeal(subject.known, Appeal(ago(300))), actor=detective)
    services.record_known(subject, with_appeal(subject.known, Appeal(ago(290), ccrc=True)), actor=detective)
    assert due(recording) is None
    services.record_known(subject, with_appeal_closed(subject.known, 0, ago(3)), actor=detective)
    assert due(recording) is None
    services.record_known(subject, with_appeal_closed(subject.known, 1, ago(0)), actor=detective)
    assert due(recording) == by_default(recording)
    event = ledger.history(case.custody_id)[-1]
    assert event.tag == "case.proceedings_recorded"
    assert event.details["appeals"] == [f"appeal {ago(300)}/{ago(3)}", f"ccrc {ago(290)}/{ago(0)}"]
    assert event.details["correction"] is False


def test_of_several_persons_the_longest_clock_counts(case, recording, subject, detective):
    other = services.add_subject(case, "Custody 13/26", actor=detective)
    closed(case)
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    assert due(recording) is None
    happened(other, Stage.CONVICTED, ago(0))
    assert due(recording) == kept_until(calendar.add_months(ago(0), 6))


def test_what_was_due_already_is_given_time_for_review_when_the_proceedings_end(case, detective):
    long_ago = clock.now() - 90 * DAY
    old = factories.recording(detective, started_at=long_ago, received_at=long_ago)
    services.add_recording(case, old, actor=detective, reason="Shows it")
    subject = services.add_subject(case, "unknown", actor=detective)
    closed(case)
    happened(subject, Stage.DISCONTINUED, ago(0))
    old.refresh_from_db()
    assert old.review_until is not None
    assert due(old) >= clock.now() + 6 * DAY


def test_a_correction_that_shortens_waits_for_a_second_person(case, recording, subject, detective):
    happened(subject, Stage.CONVICTED, ago(1))
    closed(case)
    before = due(recording)
    with pytest.raises(Invalid, match="reason"):
        happened(subject, Stage.ACQUITTED, ago(1))
    happened(subject, Stage.ACQUITTED, ago(1), reason="Wrong defendant")
    assert due(recording) == before
    waiting = Shortening.objects.get()
    assert (waiting.recording, waiting.former_due_at, waiting.state) == (recording, before, "waiting")
    assert waiting.edited_by == detective.custody_id
    assert waiting.would_be_due_at < before
    assert ledger.history(case.custody_id)[-1].details["correction"] is True


def test_a_correction_is_held_back_also_while_something_else_keeps_the_footage(case, recording, subject):
    happened(subject, Stage.CONVICTED, ago(1), custodial=True, released_on=today() + 900 * DAY)
    closed(case)
    promised = due(recording)
    hold = retention_services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint 7", "", "person:900")
    happened(subject, Stage.CONVICTED, ago(1), custodial=True, released_on=today() + 300 * DAY, reason="Misread")
    assert due(recording) is None
    retention_services.release_hold(hold, "Over", "person:901")
    assert due(recording) == promised


def _released(subject, day, reason="Wrong"):
    happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=day, reason=reason)


def test_taking_a_date_away_and_giving_an_earlier_one_waits_for_a_second_person(case, recording, subject):
    happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=today() + 5000 * DAY)
    closed(case)
    _released(subject, None)
    assert due(recording) is None
    _released(subject, today() + 7 * DAY)
    assert due(recording) is None
    assert Shortening.objects.get().former_due_at is None


def test_a_correction_under_an_open_appeal_waits_once_the_appeal_is_over(case, recording, subject, detective):
    happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=today() + 5000 * DAY)
    closed(case)
    former = due(recording)
    services.record_known(subject, with_appeal(subject.known, Appeal(ago(3))), actor=detective)
    happened(subject, Stage.CONVICTED, ago(400), custodial=False, released_on=None, reason="Suspended")
    services.record_known(subject, with_appeal_closed(subject.known, 0, ago(0)), actor=detective, reason="Dismissed")
    assert due(recording) is None or due(recording) >= former
    assert Shortening.objects.filter(state="waiting").exists()


def test_a_birth_date_taken_away_and_given_anew_waits_for_a_second_person(case, recording, subject):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(1))
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(2000, 1, 1))
    closed(case)
    assert due(recording) is not None
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=None, reason="Another person")
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(1930, 1, 1), reason="Found it")
    assert due(recording) is None


def test_an_open_group_does_not_hide_what_a_correction_of_the_proceedings_takes_away(case, recording, subject):
    happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=today() + 5000 * DAY)
    grouped(subject, MopiGroup.SERIOUS)
    closed(case)
    _released(subject, today() + 7 * DAY)
    assert [each.former_due_at for each in Shortening.objects.all()] == [kept_until(today() + 5000 * DAY)]


def test_a_correction_that_lengthens_counts_at_once(case, recording, subject):
    happened(subject, Stage.CONVICTED, ago(30))
    closed(case)
    happened(subject, Stage.CONVICTED, ago(10), reason="Misread the date")
    assert due(recording) == kept_until(calendar.add_months(ago(10), 6))
    assert not Shortening.objects.exists()


@pytest.mark.parametrize(
    ("stage", "on", "more", "wrong"),
    [
        (Stage.CHARGED, 1, {}, "lies ahead"),
        (Stage.CONVICTED, None, {}, "Enter the date"),
        (Stage.CONVICTED, -10, {"custodial": True, "released_on": -20}, "before the conviction"),
        (Stage.UNDECIDED, None, {}, "recorded already"),
    ],
)
def test_what_cannot_be_is_refused_in_words(subject, stage, on, more, wrong):
    def day(days):
        return None if days is None else today() + days * DAY

    more = {name: day(value) if name == "released_on" else value for name, value in more.items()}
    with pytest.raises(Invalid, match=wrong):
        happened(subject, stage, day(on), **more)
    assert Subject.objects.get().stage == "undecided"


def test_of_two_who_record_at_once_the_second_is_told_and_loses_nothing_of_the_first(subject, detective):
    stale = Subject.objects.get(pk=subject.pk)
    happened(subject, Stage.CONVICTED, ago(3))
    with pytest.raises(Conflict, match="just recorded something else"):
        services.record_known(stale, with_appeal(subject.known, Appeal(ago(1))), actor=detective)
    assert Subject.objects.get(pk=subject.pk).known == subject.known


def test_the_database_refuses_what_no_form_would_give(subject):
    for wrong in ({"born": ago(9_000)}, {"stage": "convicted"}, {"custodial": True}, {"years": 9}, {"group": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Subject.objects.filter(pk=subject.pk).update(**wrong)


def test_a_person_is_added_once_and_by_a_name(case, subject, detective):
    with pytest.raises(Conflict, match="already"):
        services.add_subject(case, "custody 12/26", actor=detective)
    with pytest.raises(Invalid):
        services.add_subject(case, "  ", actor=detective)


def test_a_review_group_keeps_for_its_clear_period(case, recording, subject):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    closed(case)
    grouped(subject, MopiGroup.OTHER)
    assert due(recording) == kept_until(calendar.add_years(ago(0), 6))
    assert recording.due_rule == f"mopi:{subject.pk}"
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(1992, 2, 29))
    assert due(recording) == calendar.end_of(date(2092, 12, 31)) + QUARANTINE


def test_the_date_of_birth_does_not_enter_the_ledger(case, subject):
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(1992, 2, 29))
    event = ledger.history(case.custody_id)[-1]
    assert event.tag == "case.group_recorded"
    assert event.details["birth_known"] is True
    assert "1992" not in str(event)


def test_what_happened_to_a_person_is_not_told_in_the_history_of_the_footage(case, recording, subject, detective):
    happened(subject, Stage.CONVICTED, ago(1), custodial=True)
    grouped(subject, MopiGroup.SERIOUS, reason="Robbery")
    services.review_group(subject, keep=True, following=None, reason="Still a risk", actor=detective)
    told = ledger.history(recording.custody_id)
    assert not {item.tag for item in told} & {"case.proceedings_recorded", "case.group_recorded", "case.group_reviewed"}
    assert not any(word in str(told) for word in ("convicted", "Robbery", "Still a risk"))


def test_a_group_needs_a_reason_and_a_lower_group_waits_for_a_second_person(case, recording, subject):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    closed(case)
    with pytest.raises(Invalid, match="reason"):
        grouped(subject, MopiGroup.SERIOUS, reason=" ")
    grouped(subject, MopiGroup.SERIOUS)
    assert due(recording) is None
    grouped(subject, MopiGroup.OTHER, reason="Charged with less")
    assert due(recording) is None
    assert Shortening.objects.get().former_due_at is None


def test_who_chose_the_group_does_not_let_it_go_alone(case, recording, subject, detective):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    closed(case)
    grouped(subject, MopiGroup.SERIOUS, clear_from=ago(4_000))
    with pytest.raises(NotAllowed, match="yourself"):
        services.review_group(subject, keep=False, following=None, reason="No risk", actor=detective)
    services.review_group(subject, keep=True, following=today() + DAY, reason="Still a risk", actor=detective)
    assert due(recording) is None
    other = factories.person(Role.INVESTIGATOR)
    made = services.review_group(subject, keep=False, following=None, reason="No risk", actor=other)
    assert (made.on, made.keep, made.next) == (today(), False, None)
    # Of two reviews on one day the one that keeps counts.
    assert due(recording) is None
    assert tags(case)[-2:] == ["case.group_reviewed"] * 2


def test_a_review_that_lets_go_gives_the_ordinary_end(case, recording, subject):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    closed(case)
    grouped(subject, MopiGroup.SERIOUS, clear_from=ago(4_000))
    other = factories.person(Role.INVESTIGATOR)
    services.review_group(subject, keep=False, following=None, reason="No risk", actor=other)
    assert due(recording) == by_default(recording)


def test_a_review_needs_a_group_a_reason_and_a_later_next_one(subject, detective):
    with pytest.raises(Conflict, match="group"):
        services.review_group(subject, keep=True, following=None, reason="Risk", actor=detective)
    grouped(subject, MopiGroup.SERIOUS)
    with pytest.raises(Invalid):
        services.review_group(subject, keep=True, following=None, reason="", actor=detective)
    with pytest.raises(Invalid, match="after this one"):
        services.review_group(subject, keep=True, following=today(), reason="Risk", actor=detective)


def test_a_due_review_is_on_retentions_list_with_who_may_make_it(case, recording, subject, detective):
    grouped(subject, MopiGroup.SERIOUS, clear_from=calendar.add_years(ago(0), -10))
    (found,) = hooks.reviews_due(today())
    assert found.review.due == ago(0)
    assert found.members == {detective.pk}
    assert found.recordings == 1
    assert str(subject.pk) in found.address
    assert "Custody" not in found.what
    assert hooks.reviews_due(ago(1)) == []
    services.review_group(subject, keep=True, following=None, reason="Still a risk", actor=detective)
    assert hooks.reviews_due(today()) == []


def test_the_reasons_of_many_recordings_take_the_statements_of_one(case, subject, detective):
    counted = []
    for number in (1, 6):
        made = [factories.recording(detective) for _ in range(number)]
        for recording in made:
            services.add_recording(case, recording, actor=detective, reason="Shows it")
        with CaptureQueriesContext(connection) as asked:
            found = queries.retention_reasons(made)
        assert all(len(found[recording.pk]) == 2 for recording in made)
        counted.append(len(asked))
    assert counted[0] == counted[1]


def test_a_review_of_before_is_known_with_the_group(subject, detective):
    grouped(subject, MopiGroup.SERIOUS)
    known = with_review(subject.known, MopiReview(today(), True))
    services.review_group(subject, keep=True, following=None, reason="Risk", actor=detective)
    assert Subject.objects.get(pk=subject.pk).known == known
