"""Every page with the facts of another's recording is in the ledger, whichever way it was reached."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.footage import services
from bluelamp.footage.models import Category, Viewing
from bluelamp.people.policy import Role
from tests import factories

pytestmark = pytest.mark.django_db

# Sent empty, each of them comes back with the whole page.
FORMS = ("watch", "download", "flag", "release", "category", "reference", "note", "lock", "unlock", "let_watch")


@pytest.fixture
def many_roles(elsewhere):
    """Somebody who may send every form."""
    roles = (Role.INVESTIGATOR, Role.BWV_MANAGER, Role.PROFESSIONAL_STANDARDS, Role.POST_INCIDENT_MANAGER)
    return factories.person(*roles, unit=elsewhere, name="Ida Hope")


def _consulted(recording):
    return [item.actor for item in ledger.history(recording.custody_id) if item.tag == "recording.consulted"]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_did_not_pass_shows_the_page_and_is_recorded_as_a_reading(sign_in, recording, many_roles, name):
    services.add_note(recording, text="Seen by whoever reads this page", by=recording.wearer)
    response = sign_in(many_roles).post(reverse(f"footage:{name}", args=[recording.pk]), {})
    assert response.status_code == 422
    assert "Seen by whoever reads this page" in response.content.decode()
    assert _consulted(recording) == [many_roles.custody_id]
    assert not Viewing.objects.exists()


def test_while_the_recording_is_open_a_form_records_no_second_reading(sign_in, recording, many_roles):
    client = sign_in(many_roles)
    client.post(reverse("footage:watch", args=[recording.pk]), {"reason": "Inquiry"})
    client.post(reverse("footage:note", args=[recording.pk]), {})
    assert _consulted(recording) == []


def test_a_wrong_form_of_the_wearer_opens_nothing_by_itself(sign_in, recording, officer):
    response = sign_in(officer).post(reverse("footage:note", args=[recording.pk]), {})
    assert response.status_code == 422
    assert not Viewing.objects.exists()
    assert _consulted(recording) == []


def test_whoever_flagged_is_told_to_ask_a_colleague_instead_of_being_offered_the_release(
    sign_in, recording, manager, standards
):
    services.flag(recording, category=Category.objects.get(code="arrest"), reason="First", by=manager)
    services.flag(recording, category=Category.objects.get(code="arrest"), reason="Second", by=manager)
    address = reverse("footage:release", args=[recording.pk])
    client = sign_in(manager)
    page = client.get(reverse("footage:recording", args=[recording.pk])).content.decode()
    assert "a colleague releases it" in page
    assert address not in page
    assert client.post(address, {"reason": "Over"}).status_code == 403
    client = sign_in(standards)
    assert address in client.get(reverse("footage:recording", args=[recording.pk])).content.decode()
    assert client.post(address, {"reason": "Over"}).status_code == 302
