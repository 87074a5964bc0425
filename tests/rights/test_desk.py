"""What the desk does after the answer, and what the ledger knows of the desk's reading."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.rights import queries, services
from bluelamp.rights.models import Request
from tests import factories, signin
from tests.rights.given import ask, deliver, form

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(client, officer):
    signin.quickly(client, officer)
    return officer


def _closed_but_held(borough, at, officer):
    request = ask(borough, at)
    services.confirm_email(request)
    services.close(request, by=officer, state="answered", outcome="Sent by post", release=False)
    return request


def test_the_footage_of_a_closed_request_can_be_let_go_later(client, borough, wearer, at, officer):
    recording = factories.recording(wearer, started_at=at)
    request = _closed_but_held(borough, at, officer)
    address = reverse("requests:request", args=[request.pk])
    assert "Stop holding the footage" in client.get(address).content.decode()
    answer = client.post(
        reverse("requests:stop_holding", args=[request.pk]), {"reason": "Time to complain is over"}, follow=True
    )
    assert "no longer held" in answer.content.decode()
    assert "Stop holding the footage" not in client.get(address).content.decode()
    assert not recording.holds.filter(released_at=None).exists()
    released = next(item for item in ledger.history(request.custody_id) if item.tag == "request.holds_released")
    assert (released.reason, released.details["holds_released"]) == ("Time to complain is over", 1)


def test_letting_footage_go_needs_a_reason(client, borough, wearer, at, officer):
    recording = factories.recording(wearer, started_at=at)
    request = _closed_but_held(borough, at, officer)
    assert client.post(reverse("requests:stop_holding", args=[request.pk]), {"reason": " "}).status_code == 422
    assert recording.holds.filter(released_at=None).exists()


def test_an_open_request_and_one_that_holds_nothing_have_nothing_to_let_go(borough, at, officer):
    request = ask(borough, at)
    services.confirm_email(request)
    with pytest.raises(Conflict, match="not closed"):
        services.stop_holding(request, by=officer, reason="Tidying up")
    services.close(request, by=officer, state="answered", outcome="Nothing found", release=False)
    with pytest.raises(Conflict, match="holds no footage"):
        services.stop_holding(request, by=officer, reason="Tidying up")


def test_closed_requests_that_still_hold_footage_are_listed_first(client, borough, wearer, at, officer):
    factories.recording(wearer, started_at=at)
    holding = _closed_but_held(borough, at, officer)
    clock.advance(timedelta(days=1))
    empty = _closed_but_held(borough, at - timedelta(days=9), officer)
    page = client.get(reverse("requests:index") + "?show=closed").content.decode()
    assert page.index(holding.reference) < page.index(empty.reference)
    assert page.count("Still held</strong>") == 1


def test_reading_a_request_logs_which_recordings_of_others_were_listed(client, borough, wearer, at, officer):
    recording = factories.recording(wearer, started_at=at)
    request = ask(borough, at)
    before = ledger.count("footage.listed")
    client.get(reverse("requests:request", args=[request.pk]))
    assert ledger.count("footage.listed") == before + 1
    listed = ledger.history(recording.custody_id)[-1]
    assert (listed.tag, listed.actor) == ("footage.listed", officer.custody_id)
    assert listed.details["filters"] == {"request": request.custody_id}


def test_an_answer_ends_the_waiting_for_clarification(borough, at, officer):
    request = ask(borough, at, kind="foi")
    services.confirm_email(request)
    services.ask_clarification(request, by=officer, question="Which entrance?")
    deliver()
    assert queries.due(request).on is None
    services.close(request, by=officer, state="refused", outcome="Not held", release=True)
    assert not request.pauses.filter(until=None).exists()
    assert queries.due(Request.objects.get()).on is not None


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("9999-12-31", "lies in the future"),
        ("0001-01-01", "the last 13 months"),
        ("2024-02-29", "the last 13 months"),
    ],
)
def test_a_day_beyond_the_form_is_refused_in_words(client, borough, at, day, words):
    answer = client.post(reverse("public:ask"), {**form(borough, at), "day": day, "until_time": "00:00"})
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "words"), [("foi", "twenty working days"), ("subject_access", "within one month")], ids=["foi", "sar"]
)
def test_who_has_asked_is_told_the_time_that_the_law_gives_for_it(client, borough, at, kind, words):
    answer = client.post(
        reverse("public:ask"), {**form(borough, at), "kind": kind, "details": "Which door"}, follow=True
    )
    told = answer.content.decode()
    assert words in told
    assert ("within one month" in told) == (kind == "subject_access")
