"""A backup of day 0 comes back on day 32, with keyring and store of day 32: what may open does, and nothing else."""

from __future__ import annotations

from typing import Any

from django.test import Client

from bluelamp.custody import keys
from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.oversight.models import Finding
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, services
from bluelamp.retention.models import Certificate
from tests import factories
from tests.cli.restoring.story import DAY, Story, opens


def test_a_backup_of_day_0_opens_what_was_kept_and_nothing_that_has_gone(story: Story, restored: Any) -> None:
    assert opens(story.flagged)
    assert opens(story.evidence)
    assert not opens(story.released)
    assert not opens(story.unchanged)
    states = dict(Recording.objects.values_list("pk", "state"))
    assert states[story.flagged.pk] == states[story.evidence.pk] == Recording.State.LIVE
    assert states[story.released.pk] == states[story.unchanged.pk] == Recording.State.DELETED
    assert restored.closed == 2
    for gone in (story.released, story.unchanged):
        body = Certificate.objects.get(recording=gone.pk).body
        certificate = certificates.verify(body, keys.receipt_key().public_key())
        assert certificate.rule == "Deleted before a restore"
        assert "not known here" in certificate.basis
        assert certificate.sha256 == gone.sha256
        assert certificate.key_erased_at < certificate.deleted_at


def test_what_would_be_due_at_once_is_kept_until_people_have_looked(story: Story, restored: Any) -> None:
    row = Recording.objects.get(pk=story.flagged.pk)
    assert row.review_until is not None
    assert row.review_until >= clock.now() + 6 * DAY
    assert not row.flags.exists(), "the flag came after the backup"
    assert services.sweep().deleted == 0
    assert opens(story.flagged)
    assert custody.search(tag="retention.review_given", subject=row.custody_id)[0].reason.startswith("The database was")
    assert restored.given_time == 1


def test_what_arrived_since_is_listed_and_left_alone(story: Story, restored: Any) -> None:
    (unknown,) = [item for item in restored.unknown if item.recording == str(story.arrived.pk)]
    assert unknown.objects == (story.arrived.original,)
    assert unknown.opens
    services.sweep()
    assert opens(story.arrived)


def test_a_file_that_is_missing_from_the_store_is_said_to_be_lost(story: Story, restored: Any) -> None:
    assert restored.missing == (str(story.lost.pk),)
    assert Finding.objects.get(ended_at=None).recording_id == story.lost.pk


def test_the_oversight_page_says_that_the_database_was_restored_and_until_when_to_look(
    story: Story, restored: Any
) -> None:
    client = Client()
    person = factories.person(Role.AUDITOR, unit=factories.unit())
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/oversight/").content.decode()
    assert "The database was restored" in page
    assert "The disk failed" in page
    assert "2 recordings that had gone since were closed again" in page
    assert "1 recording is kept until" in page
