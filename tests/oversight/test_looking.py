"""Who looked at one recording."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bluelamp.custody import queries as custody_queries
from bluelamp.footage import services as footage
from bluelamp.footage.services.viewing import log_refusal
from bluelamp.oversight.queries import looking
from bluelamp.people.policy import Role
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit(), name="Olu Bright")


@pytest.fixture
def recording(wearer):
    return factories.recording(wearer, duration_ms=60_000)


def test_viewers_openings_reasons_and_refusals_are_told(as_auditor, recording, wearer):
    ben = factories.person(Role.INVESTIGATOR, unit=wearer.unit, name="Ben Marsh")
    cy = factories.person(Role.OFFICER, unit=factories.unit(), name="Cy Hale")
    story.opened(recording, wearer)
    story.opened(recording, ben, reason="Statement of Ms Lee")
    story.opened(recording, ben, reason="Disclosure review", purpose="download")
    log_refusal(recording, actor=cy.custody_id, what="media", why="It was recorded by another unit.")
    page = as_auditor.get(reverse("audit:recording", args=[recording.pk])).content.decode()
    for said in ("Olu Bright", "Ben Marsh", "Statement of Ms Lee", "Disclosure review", "Cy Hale", "another unit"):
        assert said in page
    seen = looking.looking(recording.custody_id)
    assert (seen.people, seen.openings, len(seen.reasons), len(seen.refusals)) == (2, 3, 2, 1)
    by_name = {viewer.custody_id: viewer for viewer in seen.viewers}
    assert (by_name[ben.custody_id].openings, by_name[ben.custody_id].downloads) == (2, 1)
    assert (by_name[wearer.custody_id].openings, by_name[wearer.custody_id].without_reason) == (1, 1)


def test_stretches_are_merged_and_what_was_sent_twice_counts_once(recording, wearer):
    viewing = story.opened(recording, wearer)
    for first, last in ((0, 199), (100, 299), (500, 599), (0, 99)):
        footage.record_range(viewing, "original", first, last, 1000)
    (viewer,) = looking.looking(recording.custody_id).viewers
    assert viewer.stretches == ((0, 18_000), (30_000, 36_000))
    assert viewer.milliseconds == 24_000
    assert viewer.bytes_sent == 600


def test_a_range_of_a_recording_of_unknown_length_counts_its_bytes_only(wearer):
    recording = factories.recording(wearer)
    footage.record_range(story.opened(recording, wearer), "original", 0, 99, 1000)
    (viewer,) = looking.looking(recording.custody_id).viewers
    assert viewer.stretches == ()
    assert viewer.bytes_sent == 100


def test_another_recording_s_viewers_are_not_mixed_in(recording, wearer):
    story.opened(factories.recording(wearer), factories.person(Role.OFFICER))
    assert looking.looking(recording.custody_id).viewers == []


def test_reading_the_facts_only_is_told_apart_from_watching(recording, wearer):
    supervisor = factories.person(Role.SUPERVISOR, unit=wearer.unit)
    footage.log_consultation(supervisor, recording)
    seen = looking.looking(recording.custody_id)
    assert (seen.people, seen.openings) == (0, 0)
    assert seen.viewers[0].facts_read == 1


def test_what_was_said_stays_when_the_recording_has_gone(as_auditor, recording, wearer):
    story.opened(recording, wearer, reason="Statement of Ms Lee")
    footage.mark_deleted(recording)
    page = as_auditor.get(reverse("audit:recording", args=[recording.pk])).content.decode()
    assert "The recording has been deleted." in page
    assert "Statement of Ms Lee" in page


def test_reading_who_looked_is_recorded_on_the_recording_itself(as_auditor, auditor, recording):
    as_auditor.get(reverse("audit:recording", args=[recording.pk]))
    (item,) = [each for each in custody_queries.history(recording.custody_id) if each.tag == "ledger.consulted"]
    assert (item.actor, item.details["page"]) == (auditor.custody_id, "who looked")


def test_a_recording_that_never_was_is_not_found(as_auditor):
    response = as_auditor.get(reverse("audit:recording", args=["00000000-0000-7000-8000-000000000000"]))
    assert response.status_code == 404
    assert custody_queries.count("ledger.consulted") == 0
