"""Freedom of information: a name, an address and a description are enough (FOIA 2000 s.8); no proof is asked for."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bluelamp.footage import hooks
from bluelamp.kernel.errors import Conflict
from bluelamp.people.policy import Role
from bluelamp.rights import queries, services
from bluelamp.rights.models import Request
from tests import factories, signin
from tests.rights.given import ask, deliver, form

pytestmark = pytest.mark.django_db

DESCRIBED = {
    "kind": "foi",
    "name": "Mary Whitfield",
    "email": "mary@mail.example",
    "details": "How often cameras failed in May",
}


@pytest.fixture
def described(client):
    client.post(reverse("public:ask"), DESCRIBED)
    return Request.objects.get()


def test_a_name_an_address_and_a_description_are_enough(client, described, borough, wearer, at):
    assert described.details == DESCRIBED["details"]
    asked = client.get(reverse("public:asked")).content.decode()
    assert "twenty working days" in asked
    assert "is kept until" not in asked, "nothing is found by itself, so nothing is promised"
    services.confirm_email(described)
    deliver()
    arrived = factories.recording(wearer, started_at=at)
    hooks.accepted.call([arrived])
    assert services.match_again() == 0
    described.refresh_from_db()
    assert queries.due(described).on is not None
    assert not described.matches.exists()


def test_the_desk_shows_it_and_asks_for_no_proof(client, described):
    services.confirm_email(described)
    officer = factories.person(Role.RIGHTS_OFFICER, unit=factories.unit())
    signin.quickly(client, officer)
    assert described.reference in client.get(reverse("requests:index")).content.decode()
    page = client.get(reverse("requests:request", args=[described.pk])).content.decode()
    assert "nothing is kept for it by itself" in page
    assert DESCRIBED["details"] in page
    assert "Identity proved" not in page
    with pytest.raises(Conflict, match="no"):
        services.prove_identity(described, by=officer, proofs="Passport and bill")


def test_without_a_description_it_says_so(client):
    answer = client.post(reverse("public:ask"), {**DESCRIBED, "details": ""})
    assert answer.status_code == 422
    assert "Describe what you ask for." in answer.content.decode()


def test_a_day_without_times_is_asked_for_them(client):
    answer = client.post(reverse("public:ask"), {**DESCRIBED, "day": f"{queries.today():%Y-%m-%d}"})
    assert "Give the day and both times, or leave out all three." in answer.content.decode()


def test_what_names_a_place_and_a_time_still_keeps_the_footage(client, borough, wearer, at):
    recording = factories.recording(wearer, started_at=at)
    given = {key: value for key, value in form(borough, at).items() if not key.startswith("proof")}
    client.post(reverse("public:ask"), {**given, **DESCRIBED, "role": ""})
    assert Request.objects.get().matches.get().recording == recording
    assert "is kept until" in client.get(reverse("public:asked")).content.decode()


def test_an_officer_and_a_time_find_footage_without_a_borough(wearer, at):
    recording = factories.recording(wearer, started_at=at)
    request = ask(None, at, kind="foi", officer_number=wearer.warrant_number)
    assert request.matches.get().recording == recording


def test_footage_of_oneself_needs_what_it_needed(client, borough, at):
    for name in ("borough", "day", "from_time", "role", "proof_photo", "proof_other"):
        assert client.post(reverse("public:ask"), {**form(borough, at), name: ""}).status_code == 422
