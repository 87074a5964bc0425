"""The next twelve months: what goes, what stays, what arrives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import queries
from bluelamp.retention.models import Shortening
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_an_empty_installation_projects_nothing():
    found = queries.projection()
    assert found.is_empty
    assert found.let_go is None
    assert {month.stored for month in found.months} == {0}
    assert len(found.months) in (12, 13)


def test_what_has_no_date_stays_and_what_has_one_goes_on_it():
    officer = factories.person(Role.OFFICER)
    old = clock.now() - 200 * DAY
    factories.recording(officer, started_at=old, received_at=old, size=1000, due_at=None, due_rule="hold")
    factories.recording(
        officer, started_at=old, received_at=old, size=500, due_at=clock.now() + 90 * DAY, due_rule="evidence"
    )
    found = queries.projection()
    assert found.stored == 1500
    assert found.arrivals == 0
    assert found.deleted == 1
    assert found.months[0].stored == 1500
    assert found.months[-1].stored == 1000


def test_arrivals_go_on_as_lately_and_their_kept_share_grows():
    officer = factories.person(Role.OFFICER)
    for days in range(1, 57):
        at = clock.now() - days * DAY
        factories.recording(
            officer, started_at=at, received_at=at, size=100, due_at=clock.now() + DAY, due_rule="default"
        )
    for days in range(33, 80):
        at = clock.now() - days * DAY
        kept = {"due_at": None, "due_rule": "evidence"} if days % 2 else {"state": "deleted", "due_rule": "default"}
        factories.recording(officer, started_at=at, received_at=at - 100 * DAY, size=100, **kept)
    found = queries.projection()
    assert found.arrivals == pytest.approx(1, abs=0.05)
    assert found.let_go is not None
    assert 0.5 < found.let_go < 0.8
    assert found.months[-1].stored > found.months[2].stored


def test_what_cools_is_reviewed_or_has_an_edit_of_its_limit_held_back_is_not_what_somebody_keeps():
    officer = factories.person(Role.OFFICER)
    at = clock.now() - 40 * DAY
    rules = ["default", "late_arrival", "review", "cooling:v2", "evidence", "hold", "proceedings:7"]
    made = [factories.recording(officer, started_at=at, received_at=at, size=100, due_rule=rule) for rule in rules]
    assert queries.projection().let_go == pytest.approx(4 / 7)
    for recording, cause in zip(made, ("date", "category", "flag", "case"), strict=False):
        held = Shortening.objects.create(
            recording=recording, cause=cause, would_be_due_at=clock.now(), edited_at=clock.now(), former_due_at=None
        )
        Recording.objects.filter(pk=recording.pk).update(due_rule=f"held_back:{held.pk}")
    assert queries.projection().let_go == pytest.approx(2 / 7)
