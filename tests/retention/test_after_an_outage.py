"""Cooling counts from the instant a version is really in force, and what its recomputation passed over is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import RetentionPolicy, Shortening, VersionInForce
from tests import factories
from tests.retention.test_policy import made, of_age, past_limit, terms

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SLACK = timedelta(minutes=16)


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def test_a_version_that_an_outage_delayed_cools_from_when_it_is_in_force(officer):
    version = made(terms(default_days=10), after=DAY)
    clock.advance(20 * DAY)  # and nothing ran
    recording = of_age(officer, 14)
    services.carry_out_policy()
    recording.refresh_from_db()
    in_force = VersionInForce.objects.get(version=version).at
    assert in_force > version.not_before
    assert recording.due_at >= in_force + 7 * DAY - SLACK
    assert recording.state == Recording.State.LIVE
    assert services.sweep() == services.SweepResult()
    assert past_limit() == 0
    (line,) = [line for line in queries.versions() if line.version == version]
    assert line.not_before == in_force + 7 * DAY


def test_since_when_a_version_is_in_force_is_never_changed():
    made(terms(default_days=35))
    services.carry_out_policy()
    for statement in ("UPDATE {} SET at = now() - interval '9 days'", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format("retention_version_in_force"))


def passed_over(officer, **change) -> tuple[Recording, Recording]:
    """Two recordings of one age, of which the second was passed over when dates were reckoned anew."""
    reckoned, missed = of_age(officer, 3), of_age(officer, 3)
    before = (missed.due_at, missed.due_rule)
    made(terms(**change))
    services.carry_out_policy()
    missed.refresh_from_db()
    missed.due_at, missed.due_rule = before
    missed.save(update_fields=["due_at", "due_rule"])
    reckoned.refresh_from_db()
    return reckoned, missed


@pytest.mark.parametrize("days", [20, 60])
def test_what_a_recomputation_passed_over_is_found_in_the_night(officer, days):
    reckoned, missed = passed_over(officer, default_days=days)
    assert RetentionPolicy.objects.get().recomputing_after is None
    services.reconsider()
    missed.refresh_from_db()
    assert missed.due_at - missed.started_at == reckoned.due_at - reckoned.started_at
    assert not Shortening.objects.exists()


def test_an_edit_of_what_was_passed_over_is_held_back_all_the_same(officer):
    _, missed = passed_over(officer, default_days=20)
    missed.started_at -= DAY
    missed.save(update_fields=["started_at"])
    services.recompute(missed, edited_by="person:77")
    assert Shortening.objects.get().recording == missed


def test_what_was_passed_over_and_is_being_edited_is_taken_for_an_edit(officer):
    _, missed = passed_over(officer, default_days=20)
    services.recompute(missed, edited_by="person:9077")
    held = Shortening.objects.get()
    assert (held.edited_by, held.cause) == ("person:9077", "date")


def test_the_default_is_looked_at_again_only_in_the_days_after_a_version(officer):
    of_age(officer, 3)
    assert services.reconsider() == 0
    made(terms(default_days=40))
    services.carry_out_policy()
    assert services.reconsider() == 1
    clock.advance(8 * DAY)
    assert services.reconsider() == 0
