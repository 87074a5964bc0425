"""The start page of whoever records, and of whoever supervises."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.footage import services
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor(station):
    return factories.person(Role.SUPERVISOR, unit=station, name="Sam Ward")


def _going(wearer, days, **more):
    return factories.recording(wearer, due_at=clock.now() + timedelta(days=days), **more)


def _home(client):
    return client.get(reverse("home")).content.decode()


def test_an_officer_finds_the_own_latest_recordings_and_what_needs_a_flag(sign_in, officer, colleague):
    soon, later, theirs = _going(officer, 3), _going(officer, 20), _going(colleague, 3)
    home = _home(sign_in(officer))
    assert "1 recording goes within a week" in home
    for item in (soon, later):
        assert home.count(reverse("footage:recording", args=[item.pk])) == 1
    assert str(theirs.pk) not in home
    assert ledger.count("footage.listed") == 0


def test_what_is_flagged_given_a_category_or_locked_waits_for_nobody(sign_in, officer, manager):
    category = factories.category()
    flagged, given, locked = _going(officer, 3), _going(officer, 3), _going(officer, 3)
    services.flag(flagged, category=category, reason="Assault", by=officer)
    services.categorise(given, category=category, by=officer)
    services.lock(locked, reason="Injury", by=manager)
    for item in (flagged, given, locked):
        item.__class__.objects.filter(pk=item.pk).update(due_at=clock.now() + timedelta(days=3))
    assert "within a week" not in _home(sign_in(officer))


def test_what_is_in_quarantine_still_waits_for_a_word_until_it_is_gone(sign_in, officer):
    _going(officer, 2, state="quarantined")
    _going(officer, -1, state="deleted")
    assert "1 recording goes within a week" in _home(sign_in(officer))


def test_an_officer_without_footage_is_told_where_it_comes_from(sign_in, officer):
    assert "once your camera has been docked" in _home(sign_in(officer))


def test_a_supervisor_finds_what_the_unit_must_decide_and_the_look_is_recorded(sign_in, supervisor, officer, stranger):
    soon = _going(officer, 3)
    late = _going(officer, 20, review_until=clock.now() + timedelta(days=2))
    elsewhere = _going(stranger, 3)
    home = _home(sign_in(supervisor))
    assert "1 recording goes within a week without a flag or a category" in home
    assert "1 recording came late and waits for a review" in home
    assert str(elsewhere.pk) not in home
    (listed,) = ledger.search(tag="footage.listed")
    assert set(listed.also) == {soon.custody_id, late.custody_id}
    assert listed.actor == supervisor.custody_id


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR, Role.INVESTIGATOR])
def test_nobody_else_has_footage_on_the_start_page(sign_in, officer, role):
    _going(officer, 3)
    home = _home(sign_in(factories.person(role)))
    assert "Your recordings" not in home
    assert "Footage of your unit" not in home
