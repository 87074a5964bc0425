"""What a proposal and an edit held back tell those who read and decide on them, and that reading is recorded."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category
from bluelamp.people.policy import Role
from bluelamp.retention import queries
from bluelamp.retention.models import Shortening
from tests import factories
from tests.pages import text_of
from tests.retention.test_policy_pages import as_, proposed
from tests.retention.test_services import accepted

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER)


@pytest.fixture
def rights():
    return factories.person(Role.RIGHTS_OFFICER)


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


@pytest.fixture
def shortening(officer):
    recording = accepted(officer)
    for code in ("violent_offence", "stop_search"):
        footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=officer)
    return Shortening.objects.get()


def test_a_proposal_is_read_as_it_was_reckoned_and_reckoned_anew_when_asked(officer, manager, rights, monkeypatch):
    made = proposed(manager, default_days=20)
    accepted(officer)
    address = reverse("retention:proposal", args=[made.pk])

    def reckoned(*_: object, **__: object) -> None:
        raise AssertionError("a reader has it reckoned")

    with monkeypatch.context() as patched:
        patched.setattr(queries, "dry_run", reckoned)
        assert "0 would go earlier" in text_of(as_(rights).get(address))
    before = made.reckoned_at
    assert as_(rights).post(reverse("retention:reckon_proposal", args=[made.pk])).status_code == 302
    made.refresh_from_db()
    assert made.reckoned_at > before
    page = text_of(as_(rights).get(address))
    assert "1 would go earlier" in page
    assert "Reckon again" in page
    assert "Reckon again" not in text_of(as_(officer).get(address))


def test_who_reads_a_proposals_sample_is_recorded(officer, manager, rights):
    recording = accepted(officer)
    made = proposed(manager, default_days=20)
    as_(rights).get(reverse("retention:proposal", args=[made.pk]))
    (listed,) = custody.search(tag="footage.listed", actor=rights.custody_id)
    assert recording.custody_id in listed.also
    assert listed.details["filters"] == {"page": "proposal"}


def test_whoever_decides_on_an_edit_reads_what_was_edited_and_why_and_the_wearer_does_not(officer, shortening, manager):
    page = text_of(as_(manager).get(reverse("retention:shortening", args=[shortening.pk])))
    assert "Recorded before Violence against the person (10 years from recording)" in page
    assert "Recorded now Stop and search (1 year from recording)" in page
    assert "Reason given Evidence" in page
    officer.roles = [Role.OFFICER.value, Role.BWV_MANAGER.value]
    officer.save()
    page = text_of(as_(officer).get(reverse("retention:shortening", args=[shortening.pk])))
    assert "a colleague has to decide" in page
    assert "Recorded before" not in page
    assert "Reason given" not in page
