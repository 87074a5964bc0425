"""Erasures from the ledger on the pages: who may ask, who may decide, and what strangers try."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from bluelamp import custody
from bluelamp.custody import erasing, queries, sequencer
from bluelamp.kernel.transaction import atomic
from bluelamp.people.events import SignedIn
from bluelamp.people.policy import Role
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    with atomic():
        made = custody.record(
            SignedIn(
                actor="person:0", subject="thing:7", reason="Private words", address="192.0.2.7", second_factor=True
            )
        )
    sequencer.drain()
    return made


def _as(role):
    client = Client()
    signin.quickly(client, factories.person(role))
    sequencer.drain()
    return client


def _ask(client, event, fields=("reason",), reason="Request 12"):
    return client.post(reverse("audit:erasure_ask", args=[event.id]), {"fields_": fields, "reason": reason})


def _item(event):
    return next(item for item in queries.history("thing:7") if item.id == event.id)


def test_one_asks_and_another_erases(event):
    first, second = _as(Role.PROFESSIONAL_STANDARDS), _as(Role.RIGHTS_OFFICER)
    page = first.get(reverse("audit:event", args=[event.id])).content.decode()
    assert reverse("audit:erasure_ask", args=[event.id]) in page
    assert "The reason given" in first.get(reverse("audit:erasure_ask", args=[event.id])).content.decode()
    assert _ask(first, event).status_code == 302
    assert "You asked for this yourself" in first.get(reverse("audit:erasures")).content.decode()
    (asked,) = erasing.waiting()
    decide = reverse("audit:erasure_decide", args=[asked.id])
    own = first.post(decide, {"reason": "Mine", "decision": "erase"})
    assert own.status_code == 422
    assert "You asked for this erasure yourself" in own.content.decode()
    assert second.post(decide, {"reason": "Right", "decision": "erase"}).status_code == 302
    assert _item(event).reason == ""
    page = first.get(reverse("audit:event", args=[event.id])).content.decode()
    assert "Private words" not in page
    assert "erased by event" in page
    assert second.post(decide, {"reason": "Again", "decision": "erase"}).status_code == 404


def test_a_refusal_leaves_everything(event):
    first, second = _as(Role.RIGHTS_OFFICER), _as(Role.PROFESSIONAL_STANDARDS)
    _ask(first, event)
    (asked,) = erasing.waiting()
    second.post(reverse("audit:erasure_decide", args=[asked.id]), {"reason": "Needed", "decision": "refuse"})
    assert _item(event).reason == "Private words"
    assert "was refused" in second.get(reverse("audit:erasures")).content.decode()


@pytest.mark.parametrize(
    ("fields", "reason", "said"),
    [
        ((), "Request 12", "Choose at least one value"),
        (("reason",), "", "Say why"),
        (("tag",), "Request 12", "Select a valid choice"),
        (("detail.nothing",), "Request 12", "Select a valid choice"),
        (("reason",), "x" * 501, "at most 500 characters"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field(event, fields, reason, said):
    client = _as(Role.RIGHTS_OFFICER)
    answer = _ask(client, event, fields, reason)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert erasing.waiting() == []


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.RIGHTS_OFFICER, Role.PROFESSIONAL_STANDARDS)]
)
def test_nobody_else_asks_sees_or_decides(event, role):
    _ask(_as(Role.RIGHTS_OFFICER), event)
    (asked,) = erasing.waiting()
    client = _as(role)
    assert client.get(reverse("audit:erasures")).status_code == 403
    assert client.get(reverse("audit:erasure_ask", args=[event.id])).status_code == 403
    assert _ask(client, event).status_code == 403
    decide = reverse("audit:erasure_decide", args=[asked.id])
    assert client.post(decide, {"reason": "x", "decision": "erase"}).status_code == 403
    assert _item(event).reason == "Private words"


def test_an_event_or_an_ask_that_is_not_there_is_not_found():
    client = _as(Role.RIGHTS_OFFICER)
    assert client.get(reverse("audit:erasure_ask", args=[10**12])).status_code == 404
    decide = reverse("audit:erasure_decide", args=[10**12])
    assert client.post(decide, {"reason": "x", "decision": "erase"}).status_code == 404
    assert client.get(decide).status_code == 405
