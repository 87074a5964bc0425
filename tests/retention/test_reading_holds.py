"""Who reads the lists of holds and of edits held back: not whoever wore the camera, and each reading is recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from bluelamp.custody import queries as custody
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import services
from bluelamp.retention.models import Hold
from tests import factories
from tests.retention.test_pages import signed_in
from tests.retention.test_services import accepted

pytestmark = pytest.mark.django_db


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, Role.BWV_MANAGER, unit=factories.unit())


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER, unit=factories.unit())


@pytest.fixture
def hold(wearer):
    placed = services.place_hold(accepted(wearer), Hold.Kind.COMPLAINT, "Ann Example complained", "", "person:9001")
    Hold.objects.update(review_at=clock.now() - timedelta(days=1))
    return placed


@pytest.mark.parametrize("name", ["holds", "reviews", "decide_reviews"])
def test_a_list_of_holds_shows_others_footage_is_recorded_and_leaves_out_what_the_reader_wore(
    client, hold, wearer, manager, name
):
    address = reverse(f"retention:{name}")
    assert "Ann Example" in signed_in(client, manager).get(address).content.decode()
    (listed,) = custody.search(tag="footage.listed", actor=manager.custody_id)
    assert listed.details["count"] == 1
    assert hold.recording.custody_id in listed.also
    assert "Ann Example" not in signed_in(client, wearer).get(address).content.decode()
    assert not list(custody.search(tag="footage.listed", actor=wearer.custody_id))


def test_a_hold_on_own_footage_is_not_opened_by_whoever_wore_the_camera(client, hold, wearer, manager):
    address = reverse("retention:hold", args=[hold.pk])
    assert signed_in(client, manager).get(address).status_code == 200
    answer = signed_in(client, wearer).post(address, {"decision": "release", "reason": "Settled"})
    assert answer.status_code == 403
    assert "Ann Example" not in answer.content.decode()
    hold.refresh_from_db()
    assert hold.released_at is None
