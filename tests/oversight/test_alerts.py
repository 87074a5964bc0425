"""What professional standards are told: footage watched by many, or by one again and again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bluelamp.cases import services as cases
from bluelamp.custody import queries as custody_queries
from bluelamp.footage import services as footage
from bluelamp.oversight import queries
from bluelamp.oversight.rules import Thresholds
from bluelamp.people.policy import Role
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit(), name="Olu Bright")


@pytest.fixture
def recording(wearer):
    return factories.recording(wearer)


def found():
    return queries.alerts(Thresholds())[0]


def _watched_by(recording, count):
    for number in range(count):
        story.opened(recording, factories.person(Role.OFFICER, name=f"Officer {number}"), reason="x" if number else "")


def test_nine_viewers_are_no_alert_and_the_tenth_is(recording):
    _watched_by(recording, 9)
    assert found() == []
    _watched_by(recording, 1)
    (alert,) = found()
    assert (alert.viewers, alert.openings, alert.without_reason) == (10, 10, 2)
    assert alert.by_many
    assert not alert.by_one


def test_one_person_again_and_again_is_an_alert(recording):
    ben = factories.person(Role.OFFICER, name="Ben Marsh")
    for _ in range(4):
        story.opened(recording, ben)
    assert found() == []
    story.opened(recording, ben)
    (alert,) = found()
    assert (alert.viewers, alert.most_openings, alert.in_case) == (1, 5, False)
    assert alert.most_by.startswith("Ben Marsh")
    assert alert.by_one
    assert not alert.by_many


def test_the_wearer_may_watch_the_own_footage_as_often_as_need_be(recording, wearer):
    for _ in range(20):
        story.opened(recording, wearer)
    assert found() == []


def test_a_recipient_outside_the_force_does_not_count(recording, wearer):
    for number in range(12):
        footage.open_viewing(
            recording,
            viewer=f"recipient:{number % 2}",
            viewer_name="Jo",
            grant="share:1",
            reason="",
            session_key="x",
        )
    assert found() == []


def test_a_role_in_the_case_is_told_beside_the_name(recording):
    detective = factories.person(Role.INVESTIGATOR)
    case = cases.open_case("Lantern", opened_by=detective)
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    for _ in range(5):
        story.opened(recording, detective)
    assert found()[0].in_case


def test_the_pattern_of_the_published_case_trips_it(recording, as_auditor):
    """One clip, opened 248 times by 82 people, five of whom had a reason."""
    people = [factories.person(Role.OFFICER) for _ in range(82)]
    for number in range(248):
        story.opened(recording, people[number % 82], reason="Statement" if number < 5 else "")
    (alert,) = found()
    assert (alert.viewers, alert.openings, alert.without_reason) == (82, 248, 243)
    page = as_auditor.get(reverse("oversight:index")).content.decode()
    assert reverse("audit:recording", args=[recording.pk]) in page
    assert "243" in page


def test_the_alert_outlives_the_recording_without_its_reasons(recording):
    _watched_by(recording, 10)
    footage.mark_deleted(recording)
    (alert,) = found()
    assert alert.without_reason is None


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BWV_MANAGER, Role.RIGHTS_OFFICER, Role.OPERATOR])
def test_who_watched_is_told_to_nobody_but_standards_and_auditors(role, recording, signed_in):
    _watched_by(recording, 10)
    client = signed_in(factories.person(role, unit=factories.unit()))
    for address in (reverse("oversight:index"), reverse("home")):
        page = client.get(address).content.decode()
        assert str(recording.pk) not in page
        assert "Officer 3" not in page
        assert "stands out" not in page
    assert custody_queries.count("ledger.consulted") == 0


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROFESSIONAL_STANDARDS])
def test_reading_the_list_is_recorded_and_the_start_page_points_to_it(role, recording, signed_in):
    _watched_by(recording, 10)
    person = factories.person(role)
    client = signed_in(person)
    assert "1 recording stands out" in client.get(reverse("home")).content.decode()
    assert custody_queries.count("ledger.consulted") == 0
    client.get(reverse("oversight:index"))
    (item,) = [each for each in custody_queries.history("system:ledger") if each.tag == "ledger.consulted"]
    assert (item.actor, item.details["page"], item.details["shown"]) == (person.custody_id, "alerts", 1)
