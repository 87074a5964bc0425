"""Requests against a real database: asking stops deletion, within bounds, and tells nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Busy, Conflict, Invalid
from bluelamp.people.models import Unit
from bluelamp.people.policy import Role
from bluelamp.retention import services as retention
from bluelamp.retention.models import Hold
from bluelamp.rights import queries, rules, services
from bluelamp.rights.models import Request
from tests import factories, signin
from tests.rights.given import ask, deliver, form, particulars

pytestmark = pytest.mark.django_db


def test_a_request_on_day_31_stops_deletion(borough, wearer):
    started = clock.now() - timedelta(days=30, hours=23, minutes=30)
    recording = factories.recording(wearer, started_at=started, sealed=True, state=Recording.State.QUARANTINED)
    request = ask(borough, started)
    services.confirm_email(request)
    clock.advance(timedelta(hours=5))
    retention.sweep(clock.now())
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE
    assert recording.holds.get(released_at=None).source == request.custody_id


def test_what_matches_is_kept_before_the_address_is_confirmed_and_lapses_without(borough, wearer):
    started = clock.now() - timedelta(days=30, hours=23, minutes=30)
    recording = factories.recording(wearer, started_at=started, sealed=True, state=Recording.State.QUARANTINED)
    ask(borough, started)
    deliver()
    clock.advance(timedelta(hours=24))
    retention.sweep(clock.now())
    recording.refresh_from_db()
    assert recording.state != Recording.State.DELETED
    clock.advance(rules.PROVISIONAL)
    assert services.lapse_unconfirmed() == 1
    assert Request.objects.get().state == Request.State.LAPSED
    assert not queries.retention_reasons([recording])
    assert not Hold.objects.filter(released_at=None).exists()


def test_footage_of_another_borough_or_time_is_not_held(borough, wearer):
    at = clock.now() - timedelta(days=2)
    elsewhere = factories.person(Role.OFFICER, unit=factories.unit(parent=factories.unit(kind=Unit.Kind.BOROUGH)))
    inside = factories.recording(wearer, started_at=at)
    factories.recording(elsewhere, started_at=at)
    factories.recording(wearer, started_at=at - timedelta(hours=2))
    request = ask(borough, at)
    assert [match.recording_id for match in request.matches.all()] == [inside.pk]


def test_naming_the_officer_finds_footage_recorded_in_another_borough(borough):
    at = clock.now() - timedelta(days=2)
    visitor = factories.person(Role.OFFICER, unit=factories.unit(parent=factories.unit(kind=Unit.Kind.BOROUGH)))
    recording = factories.recording(visitor, started_at=at)
    request = ask(borough, at, officer_number=visitor.warrant_number.lower())
    assert request.matches.get().recording == recording


def test_one_form_cannot_freeze_the_force(borough, wearer, monkeypatch):
    monkeypatch.setattr(rules, "MOST_HELD", 3)
    at = clock.now() - timedelta(days=2)
    for minute in range(5):
        factories.recording(wearer, started_at=at + timedelta(minutes=minute))
    request = ask(borough, at)
    services.confirm_email(request)
    assert Hold.objects.filter(released_at=None).count() == 3
    request.refresh_from_db()
    assert request.escalated
    assert "fits 5 recordings" in request.escalation
    assert "request.escalated" in [item.tag for item in ledger.history(request.custody_id)]


def test_footage_docked_after_the_request_is_held_on_arrival(borough, wearer):
    at = clock.now() - timedelta(hours=3)
    request = ask(borough, at)
    services.confirm_email(request)
    late = factories.recording(wearer, started_at=at)
    hooks.accepted.call([late])
    assert late.holds.get(released_at=None).source == request.custody_id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda at: {"from_at": at, "until_at": at - timedelta(minutes=1)}, "ends before it begins"),
        (lambda at: {"until_at": at + rules.LONGEST_WINDOW}, "at most 6 hours"),
        (lambda at: {"from_at": at + timedelta(days=9), "until_at": at + timedelta(days=9, hours=1)}, "future"),
    ],
    ids=["upside_down", "too_long", "future"],
)
def test_a_stretch_of_time_that_cannot_be_is_refused(borough, change, words):
    at = clock.now() - timedelta(days=2)
    with pytest.raises(Invalid, match=words):
        ask(borough, at, **change(at))
    assert Request.objects.count() == 0


def test_too_many_requests_from_one_sender_are_refused(borough):
    at = clock.now() - timedelta(days=2)
    for number in range(6):
        ask(borough, at, email=f"m{number}@mail.example")
    with pytest.raises(Busy):
        ask(borough, at, email="m7@mail.example")


def test_too_many_requests_for_one_address_are_refused(borough):
    at = clock.now() - timedelta(days=2)
    for number in range(5):
        services.receive_request(particulars(borough, at), peer=f"192.0.2.{number}")
    with pytest.raises(Busy):
        services.receive_request(particulars(borough, at), peer="192.0.2.99")


def test_the_answer_is_the_same_whether_footage_exists_or_not(client, borough, wearer):
    at = clock.now() - timedelta(days=2)
    factories.recording(wearer, started_at=at)
    pages = []
    for when in (at, at - timedelta(days=9)):
        answer = client.post(reverse("public:ask"), form(borough, when))
        assert answer.status_code == 302
        text = client.get(answer.url).content.decode()
        pages.append(re.sub(r'BL(-\w{4}){3}|nonce="[^"]+"|value="[^"]{20,}"|<time.*?</time>', "", text))
    assert [request.matches.count() for request in Request.objects.order_by("received_at")] == [1, 0]
    assert pages[0] == pages[1]


def test_a_mail_filter_that_opens_the_link_confirms_nothing(client, borough):
    client.post(reverse("public:ask"), form(borough, clock.now() - timedelta(days=2)))
    deliver()
    link = re.search(r"(/public/confirm/\S+)", mail.outbox[-1].body)[1]
    client.get(link)
    assert Request.objects.get().confirmed_at is None
    client.post(link)
    assert Request.objects.get().state == Request.State.OPEN


def test_following_needs_both_the_reference_and_the_address(client, borough):
    request = ask(borough, clock.now() - timedelta(days=2))
    right = {"reference": request.reference.lower(), "email": "MARY@mail.example"}
    assert "Where it stands" in client.post(reverse("public:follow"), right).content.decode()
    for wrong in ({"email": "x@mail.example"}, {"reference": "BL-2222-2222-2222"}):
        assert client.post(reverse("public:follow"), {**right, **wrong}).status_code == 422


def test_a_form_with_mistakes_says_each_of_them(client, borough):
    answer = client.post(reverse("public:ask"), {"email": "not an address"})
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()


def _desk(client, role):
    person = factories.person(role, unit=factories.unit())
    signin.quickly(client, person)
    return person


def test_the_desk_lists_what_is_due_first(client, borough):
    officer = _desk(client, Role.RIGHTS_OFFICER)
    request = ask(borough, clock.now() - timedelta(days=2))
    services.confirm_email(request)
    services.prove_identity(request, by=officer, proofs="Passport and bill, seen in person")
    page = client.get(reverse("requests:index")).content.decode()
    assert request.reference in page
    detail = client.get(reverse("requests:request", args=[request.pk]))
    assert detail.status_code == 200
    assert "One month" in detail.content.decode()


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.BWV_MANAGER, Role.OPERATOR])
def test_the_desk_is_closed_to_other_roles(client, borough, role):
    request = ask(borough, clock.now() - timedelta(days=2))
    _desk(client, role)
    assert client.get(reverse("requests:index")).status_code == 403
    assert client.get(reverse("requests:request", args=[request.pk])).status_code == 403


@pytest.mark.parametrize(
    "name", ["prove_identity", "ask_clarification", "clarified", "extend", "close", "stop_holding"]
)
def test_an_auditor_reads_the_desk_and_changes_nothing(client, borough, name):
    request = ask(borough, clock.now() - timedelta(days=2))
    services.confirm_email(request)
    _desk(client, Role.AUDITOR)
    assert client.get(reverse("requests:request", args=[request.pk])).status_code == 200
    assert client.post(reverse(f"requests:{name}", args=[request.pk]), {}).status_code == 403


def test_closing_keeps_the_footage_unless_told_otherwise(borough, wearer):
    at = clock.now() - timedelta(days=2)
    officer = factories.person(Role.RIGHTS_OFFICER)
    for release, standing in ((False, 1), (True, 0)):
        recording = factories.recording(wearer, started_at=at)
        request = ask(borough, at, email=f"{release}@mail.example")
        services.confirm_email(request)
        services.close(request, by=officer, state="answered", outcome="Sent by post", release=release)
        assert recording.holds.filter(released_at=None, source=request.custody_id).count() == standing
        with pytest.raises(Conflict):
            services.close(request, by=officer, state="answered", outcome="Again", release=False)


def test_the_ledger_carries_nothing_of_the_requester(borough):
    request = ask(borough, clock.now() - timedelta(days=2))
    for item in ledger.history(request.custody_id):
        assert "Mary" not in str(item)
        assert "mary@" not in str(item)


def test_what_is_wrong_is_summed_up_in_the_order_in_which_the_page_asks(client):
    page = client.post(reverse("public:ask"), {"name": ""}).content.decode()
    summed_up = re.findall(r'href="#id_(\w+?)(?:_0)?"', page.partition("govuk-error-summary")[2].partition("<h1")[0])
    asked = list(dict.fromkeys(re.findall(r'name="(\w+)"', page.partition("<form")[2])))
    assert len(summed_up) > 8
    assert summed_up == [name for name in asked if name in summed_up]
