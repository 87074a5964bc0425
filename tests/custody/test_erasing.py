"""Erasure within the log: a second person takes a value out, and every proof stays as it was."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from bluelamp import custody
from bluelamp.custody import erasing, keys, proving, queries, sequencer
from bluelamp.custody.models import CustodyDetail
from bluelamp.custody.verification import verify_ledger
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from bluelamp.people.events import SignedIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    with transaction.atomic():
        made = custody.record(
            SignedIn(
                actor="person:7",
                subject="person:7",
                also=("case:1",),
                reason="Private words about Mr Z",
                address="192.0.2.7",
                second_factor=True,
            )
        )
    sequencer.drain()
    return made


def _ask(event, *fields, actor="person:1"):
    return erasing.ask(event.id, fields or ["reason"], reason="Request 12", actor=actor)


def _erase(event, *fields):
    asked = _ask(event, *fields)
    erasing.erase(asked.id, reason="The request is right", actor="person:2")
    sequencer.drain()


def test_the_value_goes_and_every_proof_stays(event):
    before = proving.log_proof(event.id, proving.latest())
    _erase(event, "reason", "detail.address", "actor", "also")
    stored = bytes(CustodyDetail.objects.get(event_id=event.id).stored)
    for gone in (b"Private words", b"192.0.2.7", b"case:1"):
        assert gone not in stored
    (item,) = [each for each in queries.history("person:7") if each.id == event.id]
    assert (item.reason, item.actor, item.also) == ("", "", ())
    assert set(item.erased) == {"reason", "address", "actor", "also"}
    assert item.details == {"second_factor": True}
    key = VerifierKey.parse(keys.own_vkey())
    assert before.verify(event.entry, key).size == 1
    (proven,) = proving.proven(proving.latest(), events=[event.id])
    assert proven.event.entry() == event.entry
    assert proving.log_proof(event.id).verify(proven.event.entry(), key).size == 3
    assert verify_ledger()[0].problems == ()


def test_nobody_decides_on_what_they_asked_for(event):
    asked = _ask(event)
    with pytest.raises(NotAllowed):
        erasing.erase(asked.id, reason="Because", actor="person:1")
    assert queries.history("person:7")[0].reason


def test_a_refused_erasure_is_over(event):
    asked = _ask(event)
    erasing.refuse(asked.id, reason="It is needed for the trial", actor="person:2")
    assert erasing.waiting() == []
    with pytest.raises(NotFound):
        erasing.erase(asked.id, reason="All the same", actor="person:3")
    assert queries.history("person:7")[0].reason


def test_one_ask_an_event_and_one_decision(event):
    asked = _ask(event)
    with pytest.raises(Conflict):
        _ask(event, actor="person:3")
    erasing.erase(asked.id, reason="Right", actor="person:2")
    with pytest.raises(NotFound):
        erasing.erase(asked.id, reason="Twice", actor="person:3")
    with pytest.raises(Invalid, match="still has"):
        _ask(event)


@pytest.mark.parametrize("field", sorted(erasing.NEVER))
def test_that_something_was_done_stays(event, field):
    with pytest.raises(Invalid, match="must stay"):
        _ask(event, field)


@pytest.mark.parametrize("fields", [[], ["nothing"], ["detail.nothing", "reason"]])
def test_only_what_is_there_is_erased(event, fields):
    with pytest.raises(Invalid):
        erasing.ask(event.id, fields, reason="Request 12", actor="person:1")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_needed(event, reason):
    with pytest.raises(Invalid):
        erasing.ask(event.id, ["reason"], reason=reason, actor="person:1")


def test_what_made_an_erasure_lawful_is_not_erased(event):
    _erase(event)
    erasure = queries.search(tag="custody.detail_erased")[0]
    with pytest.raises(Conflict, match="stay whole"):
        erasing.ask(erasure.id, ["reason"], reason="Request 12", actor="person:1")


def test_an_event_outside_the_tree_waits():
    with transaction.atomic():
        made = custody.record(SignedIn(actor="a", subject="b", address="::1", second_factor=False))
    with pytest.raises(Conflict, match="not in a checkpoint"):
        _ask(made)
    with pytest.raises(NotFound):
        erasing.ask(10**9, ["reason"], reason="Request 12", actor="person:1")


def test_the_database_erases_nothing_without_a_new_erasure(event):
    _erase(event)
    erasure = queries.search(tag="custody.detail_erased")[0].id
    for erased, cited in ((event.id, erasure), (event.id, event.id), (event.id, 10**9)):
        with (
            pytest.raises(DatabaseError, match="is not its erasure"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT custody_erase(%s, '', '', '', '{}', %s)", [erased, cited])
