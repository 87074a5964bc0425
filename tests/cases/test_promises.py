"""What a correction took away is kept until a second person approves it, or until what was promised has ended."""

from __future__ import annotations

from datetime import date

import pytest

from bluelamp.cases import services
from bluelamp.cases.rules import with_appeal
from bluelamp.cases.services.subjects import today
from bluelamp.kernel.errors import NotAllowed
from bluelamp.people.policy import Role
from bluelamp.retention import services as retention
from bluelamp.retention.models import Shortening
from bluelamp.retention.rules import Appeal, MopiGroup, Stage
from tests import factories
from tests.cases.outcomes import DAY, ago, by_default, closed, due, grouped, happened, kept_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER)


@pytest.fixture
def corrected(case, recording, subject, manager):
    """A group taken down from what only a review lets go to one that goes by time; a second person refused that."""
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    grouped(subject, MopiGroup.SERIOUS)
    closed(case)
    grouped(subject, MopiGroup.OTHER, reason="Charged with less")
    held = Shortening.objects.get()
    retention.refuse_shortening(held.pk, reason="Look again", actor=manager)
    return held


def test_a_refused_correction_of_a_group_ends_when_another_person_lets_the_group_go(corrected, recording, subject):
    assert due(recording) is None
    other = factories.person(Role.INVESTIGATOR)
    services.review_group(subject, keep=False, following=None, reason="No risk", actor=other)
    corrected.refresh_from_db()
    assert corrected.state == "undone"
    assert due(recording) == by_default(recording)


def test_a_refused_correction_ends_when_the_record_gives_back_what_it_took(corrected, recording, subject):
    grouped(subject, MopiGroup.SERIOUS, reason="It was robbery")
    corrected.refresh_from_db()
    assert corrected.state == "undone"
    assert recording.due_rule != f"held_back:{corrected.pk}"
    assert not Shortening.objects.filter(state__in=["waiting", "refused"]).exists()


def test_whoever_corrected_lets_nothing_go_by_a_review_after_a_colleague_chose_again(
    corrected, case, recording, subject, detective
):
    other = factories.person(Role.INVESTIGATOR)
    grouped(subject, MopiGroup.OTHER, clear_from=today() - 10 * DAY, reason="Came to notice earlier", by=other)
    services.review_group(subject, keep=False, following=None, reason="No risk", actor=detective)
    assert Shortening.objects.filter(state="waiting").exists()
    assert due(recording) is None


def test_steps_of_a_correction_are_decided_together_and_by_none_who_made_one(case, recording, subject, detective):
    def released(day, reason="Wrong"):
        happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=day, reason=reason)

    released(today() + 5000 * DAY, "")
    closed(case)
    released(today() + 900 * DAY, "Misread the warrant")
    released(today() + 1000 * DAY, "Read it again")
    held = Shortening.objects.get(state="waiting")
    assert held.former_due_at == kept_until(today() + 5000 * DAY)
    assert held.would_be_due_at == kept_until(today() + 1000 * DAY)
    assert (held.cause, held.edit_reason, held.source) == ("case", "Read it again", f"proceedings:{subject.pk}")
    assert "custody" in held.before
    assert held.before != held.after
    with pytest.raises(NotAllowed):
        retention.approve_shortening(held.pk, reason="Right", actor=detective)


def test_an_appeal_that_is_opened_leaves_a_correction_waiting(case, recording, subject, detective):
    happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=today() + 5000 * DAY)
    closed(case)
    happened(subject, Stage.CONVICTED, ago(400), custodial=True, released_on=today() + 900 * DAY, reason="Misread")
    before = Shortening.objects.get()
    services.record_known(subject, with_appeal(subject.known, Appeal(ago(1))), actor=detective)
    assert Shortening.objects.get() == before


def test_no_date_of_birth_is_told_to_whoever_decides(case, recording, subject):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(2001, 5, 17))
    closed(case)
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(1951, 5, 17), reason="Misread")
    held = Shortening.objects.get()
    assert "date of birth known" in held.after
    assert not any(year in held.before + held.after for year in ("2001", "1951"))
