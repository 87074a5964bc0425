"""The pages of retention: what they say, and to whom they open."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from bluelamp.custody import keys
from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.ids import new_id
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, queries, services
from bluelamp.retention.models import Extension, Hold
from tests import factories
from tests.pages import text_of
from tests.retention.test_sweep import sealed_recording

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def unit():
    return factories.unit()


@pytest.fixture
def recording(unit):
    return sealed_recording(factories.person(Role.OFFICER, unit=unit))


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER, unit=factories.unit())


@pytest.fixture
def gone(recording):
    clock.advance(31 * DAY)
    services.sweep()
    recording.refresh_from_db()
    return recording


def signed_in(client, person):
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def addresses(recording, hold):
    return {
        "policy": reverse("retention:policy"),
        "deletions": reverse("retention:deletions"),
        "hold": reverse("retention:place_hold", args=[recording.pk]),
        "extend": reverse("retention:extend", args=[recording.pk]),
        "release": reverse("retention:release_hold", args=[hold.pk]),
    }


@pytest.fixture
def hold(recording):
    return services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint by Ann Example", "", "person:0")


@pytest.mark.parametrize("name", ["policy", "deletions", "hold", "extend", "release"])
def test_nobody_gets_in_without_signing_in(client, recording, hold, name):
    for answer in (client.get(addresses(recording, hold)[name]), client.post(addresses(recording, hold)[name])):
        assert answer.status_code in (302, 405)
        assert answer.status_code == 405 or answer["Location"].startswith(reverse("account_login"))
    assert Hold.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Role.OFFICER, "hold"),
        (Role.OFFICER, "release"),
        (Role.OFFICER, "extend"),
        (Role.AUDITOR, "hold"),
        (Role.AUDITOR, "extend"),
        (Role.RIGHTS_OFFICER, "release"),
        (Role.INVESTIGATOR, "hold"),
        (Role.OPERATOR, "extend"),
    ],
)
def test_the_wrong_role_is_refused_and_the_refusal_is_recorded(client, recording, hold, role, name):
    stranger = factories.person(role, unit=factories.unit())
    details = {"kind": "other", "reason": "Because", "last_day": "2030-01-01"}
    answer = signed_in(client, stranger).post(addresses(recording, hold)[name], details)
    assert answer.status_code == 403
    assert custody.search(tag="access.refused")[0].actor == stranger.custody_id
    hold.refresh_from_db()
    assert hold.released_at is None
    assert (Hold.objects.count(), Extension.objects.count()) == (1, 0)


def test_the_policy_page_says_the_periods_and_what_goes_next(client, recording, manager):
    answer = signed_in(client, manager).get(reverse("retention:policy"))
    said = text_of(answer)
    assert answer.status_code == 200
    assert "gone within 31 days of recording" in said
    assert "Until somebody decides" in said
    assert "1 recording will go into quarantine and 1 will be deleted" in said
    assert answer.content.decode().count('<svg role="img"') == 2


def test_a_hold_is_placed_from_its_page(client, recording, manager):
    address = reverse("retention:place_hold", args=[recording.pk])
    assert "Place a hold" in text_of(signed_in(client, manager).get(address))
    answer = client.post(address, {"kind": "complaint", "reason": "Complaint 7"})
    assert answer["Location"] == reverse("footage:recording", args=[recording.pk])
    assert queries.standing_holds(recording)[0].placed_by == manager.custody_id


def test_a_form_without_a_reason_comes_back_with_what_was_typed(client, recording, manager):
    answer = signed_in(client, manager).post(
        reverse("retention:place_hold", args=[recording.pk]), {"kind": "complaint", "reason": " "}
    )
    assert answer.status_code == 422
    assert "Enter a reason" in text_of(answer)
    assert not queries.standing_holds(recording)


def test_the_wearer_may_keep_own_footage_longer(client, recording):
    address = reverse("retention:extend", args=[recording.pk])
    last_day = (clock.now() + 90 * DAY).date()
    answer = signed_in(client, recording.wearer).post(address, {"last_day": last_day.isoformat(), "reason": "Inquest"})
    assert answer.status_code == 302
    recording.refresh_from_db()
    assert recording.due_rule == "extension"
    again = client.post(address, {"last_day": last_day.isoformat(), "reason": "Inquest"})
    assert again.status_code == 422
    assert "kept longer than that already" in text_of(again)


@pytest.mark.parametrize("day", ["9999-12-31", "2026-02-30", "tomorrow", "2001-01-01"])
def test_impossible_days_are_refused_in_words(client, recording, day):
    answer = signed_in(client, recording.wearer).post(
        reverse("retention:extend", args=[recording.pk]), {"last_day": day, "reason": "Inquest"}
    )
    assert answer.status_code == 422
    assert "There is a problem" in text_of(answer)


def test_a_second_person_releases_a_hold_and_the_first_is_told_to_ask(client, recording, manager):
    hold = services.place_hold(recording, Hold.Kind.OTHER, "Wait", "", manager.custody_id)
    address = reverse("retention:release_hold", args=[hold.pk])
    refused = signed_in(client, manager).post(address, {"reason": "Enough"})
    assert refused.status_code == 403
    assert "You placed this hold yourself" in text_of(refused)
    second = factories.person(Role.PROFESSIONAL_STANDARDS, unit=factories.unit())
    assert signed_in(client, second).post(address, {"reason": "Enough"}).status_code == 302
    assert not queries.standing_holds(recording)


def test_the_hold_of_a_request_is_not_released_by_hand(client, recording, manager):
    hold = services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public")
    answer = signed_in(client, manager).post(reverse("retention:release_hold", args=[hold.pk]), {"reason": "Enough"})
    assert answer.status_code == 409
    assert queries.standing_holds(recording)


def test_a_hold_that_comes_too_late_is_refused_on_its_page(client, gone, manager):
    address = reverse("retention:place_hold", args=[gone.pk])
    answer = signed_in(client, manager).post(address, {"kind": "complaint", "reason": "Complaint 7"})
    assert answer.status_code == 409
    assert "deleted before the hold was placed" in text_of(answer)


def test_a_recordings_page_says_how_long_it_is_kept(client, recording):
    said = text_of(signed_in(client, recording.wearer).get(reverse("footage:recording", args=[recording.pk])))
    assert "Nothing keeps this recording beyond the default of 31 days" in said
    assert "Keep longer" in said
    assert "Place a hold" not in said


def test_the_wearer_does_not_learn_of_a_complaint(client, recording, hold):
    said = text_of(signed_in(client, recording.wearer).get(reverse("footage:recording", args=[recording.pk])))
    assert "a hold stands (details restricted)" in said
    assert "Ann Example" not in said
    assert "omplaint" not in said.replace("Complaint or misconduct", "")


def test_nor_does_one_who_may_place_holds_besides(client, recording, hold):
    recording.wearer.roles = [Role.OFFICER.value, Role.BWV_MANAGER.value]
    recording.wearer.save()
    said = text_of(signed_in(client, recording.wearer).get(reverse("footage:recording", args=[recording.pk])))
    assert "a hold stands (details restricted)" in said
    assert "Ann Example" not in said


def test_whoever_may_place_holds_reads_why_they_stand(client, recording, hold, manager):
    said = text_of(signed_in(client, manager).get(reverse("footage:recording", args=[recording.pk])))
    assert "Complaint by Ann Example" in said
    assert "Release" in said


def test_a_certificate_can_be_read_and_taken_away(client, gone, manager):
    certificate = queries.certificate_of(gone)
    assert str(gone.pk) in text_of(signed_in(client, manager).get(reverse("retention:deletions")))
    page = text_of(client.get(reverse("retention:certificate", args=[certificate.pk])))
    assert gone.sha256 in page
    assert "Default period" in page
    taken = client.get(reverse("retention:certificate_json", args=[certificate.pk]))
    assert "attachment" in taken["Content-Disposition"]
    certificates.verify(json.loads(taken.content), keys.receipt_key().public_key())
    stone = text_of(client.get(reverse("footage:recording", args=[gone.pk])))
    assert "Deletion certificate" in stone


def test_an_unknown_certificate_hold_or_recording_is_not_found(client, recording, manager):
    signed_in(client, manager)
    for address in (
        reverse("retention:certificate", args=[recording.pk]),
        reverse("retention:certificate_json", args=[recording.pk]),
        reverse("retention:release_hold", args=[0]),
        reverse("retention:place_hold", args=[new_id()]),
    ):
        assert client.get(address).status_code == 404


def test_a_closed_recording_without_its_certificate_yet_says_so(client, recording, manager):
    Recording.objects.filter(pk=recording.pk).update(state=Recording.State.DELETED)
    said = text_of(signed_in(client, manager).get(reverse("footage:recording", args=[recording.pk])))
    assert "under way and cannot be stopped" in said
