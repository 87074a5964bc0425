"""The sweep runs when it must: each minute, and when a demonstration's clock moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from procrastinate.contrib.django import app

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from tests import factories
from tests.retention.test_sweep import files_of, sealed_recording

DAY = timedelta(days=1)


@pytest.fixture
def recording(committed_db):
    return sealed_recording(factories.person(Role.OFFICER, unit=factories.unit()))


def state(recording: Recording) -> str:
    recording.refresh_from_db()
    return recording.state


def test_letting_31_days_pass_quarantines_and_then_deletes(recording):
    clock.advance(27 * DAY)
    assert state(recording) == Recording.State.LIVE
    clock.advance(DAY)
    assert state(recording) == Recording.State.QUARANTINED
    clock.advance(3 * DAY)
    assert state(recording) == Recording.State.DELETED
    assert files_of(recording) == []


def test_nothing_is_erased_by_a_move_of_the_clock_that_is_rolled_back(recording):
    with pytest.raises(RuntimeError, match="changed my mind"), transaction.atomic():
        clock.advance(31 * DAY)
        raise RuntimeError("changed my mind")
    clock._cached = (float("-inf"), timedelta())
    assert state(recording) == Recording.State.LIVE
    assert len(files_of(recording)) == 3


def test_the_sweep_is_a_periodic_job_of_each_minute():
    periodic = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert periodic["retention.sweep"] == "* * * * *"
    assert "retention.reconsider" in periodic
