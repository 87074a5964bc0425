"""What anybody may read, and what nobody may be recognised in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.oversight import queries
from bluelamp.people.policy import Role
from bluelamp.rights.models import Request
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db

ADDRESS = "/public/figures/"


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def figures():
    cache.clear()
    return queries.public_figures()


def test_anybody_reads_them_without_signing_in(wearer):
    for _ in range(13):
        factories.recording(wearer)
    assert reverse("oversight_public:figures") == ADDRESS
    response = Client().get(ADDRESS)
    assert response.status_code == 200
    page = response.content.decode()
    assert "Videos recorded" in page
    assert ">15<" in page
    assert wearer.name not in page


def test_no_count_below_five_is_told(wearer):
    for _ in range(4):
        factories.recording(wearer, state=Recording.State.DELETED)
    factories.recording(wearer)
    found = figures()
    assert (found.recorded, found.deleted, found.kept, found.shared) == (
        "5",
        "fewer than 5",
        "fewer than 5",
        "fewer than 5",
    )


def test_the_force_with_nothing_says_what_the_force_with_one_says(wearer):
    nothing = figures()
    factories.recording(wearer, started_at=clock.now() - timedelta(days=1))
    one = figures()
    assert (nothing.recorded, nothing.kept) == (one.recorded, one.kept)


def test_requests_in_time_are_told_as_a_share_of_enough_of_them():
    now = clock.now()
    for number in range(9):
        story.request(Request.State.ANSWERED, received_at=now - timedelta(days=20), closed_at=now)
        assert figures().in_time == "–", number
    story.request(Request.State.REFUSED, received_at=now - timedelta(days=60), closed_at=now)
    assert (figures().requests, figures().in_time) == ("10", "90 %")


def test_a_request_closed_before_its_month_began_is_in_time():
    now = clock.now()
    for _ in range(10):
        story.request(
            Request.State.REFUSED, received_at=now - timedelta(days=90), closed_at=now, identity_proved_at=None
        )
    assert figures().in_time == "100 %"


def test_what_was_closed_over_a_year_ago_is_left_out():
    ago = clock.now() - timedelta(days=400)
    for _ in range(12):
        story.request(Request.State.ANSWERED, received_at=ago - timedelta(days=10), closed_at=ago)
    assert figures().requests == "fewer than 5"


def test_a_crowd_of_readers_asks_the_database_once(wearer):
    client = Client()
    client.get(ADDRESS)
    with CaptureQueriesContext(connection) as captured:
        client.get(ADDRESS)
    assert not [query for query in captured if "footage_recording" in query["sql"]]


def test_a_shared_computer_keeps_no_page_with_somebody_s_name(wearer, signed_in):
    assert signed_in(wearer).get(ADDRESS)["Cache-Control"] == "no-store"


def test_it_says_when_footage_stays_that_should_not(wearer):
    assert "is older than 31 days" in Client().get(ADDRESS).content.decode()
    started = clock.now() - timedelta(days=33)
    factories.recording(wearer, started_at=started, received_at=started)
    cache.clear()
    assert "is still there" in Client().get(ADDRESS).content.decode()


def test_posting_does_nothing():
    assert Client().post(ADDRESS).status_code == 405
