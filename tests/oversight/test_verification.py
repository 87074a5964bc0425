"""The checkpoint's page, and the check behind its button."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from psycopg.conninfo import make_conninfo

from bluelamp import custody
from bluelamp.custody import keys, sequencer
from bluelamp.custody import queries as custody_queries
from bluelamp.custody.models import CustodyEvent, CustodyLeaf
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.formats import merkle, signed_note
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.kernel.errors import Busy, Conflict
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import services
from bluelamp.oversight.queries import verification
from bluelamp.people.events import SignedIn
from bluelamp.people.policy import Role
from bluelamp.verify import stored
from tests import factories, signin

ADDRESS = "/audit/checkpoint/"


def _events(count):
    with atomic():
        for number in range(count):
            custody.record(
                SignedIn(actor=f"person:{number}", subject=f"person:{number}", address="::1", second_factor=True)
            )


@pytest.mark.django_db
def test_without_a_checkpoint_the_page_says_why_and_the_check_says_so(as_auditor):
    assert reverse("audit:checkpoint") == ADDRESS
    assert "There is no checkpoint yet" in as_auditor.get(ADDRESS).content.decode()
    response = as_auditor.post(ADDRESS)
    assert response.status_code == 409
    assert "nothing can be verified" in response.content.decode()


@pytest.mark.django_db
def test_the_page_shows_the_signed_note_its_size_and_its_root(as_auditor):
    _events(3)
    sequencer.drain()
    page = as_auditor.get(ADDRESS).content.decode()
    checkpoint = latest_checkpoint()
    assert checkpoint.root.hex() in page
    for line in checkpoint.note.splitlines():
        assert line.replace("+", "&#43;") in page or line in page
    assert keys.own_vkey() in page


@pytest.mark.django_db
def test_an_untouched_ledger_is_good_and_the_check_is_recorded(as_auditor, auditor, monkeypatch):
    monkeypatch.setattr(stored, "_PAGE", 4)  # so that eleven leaves are read in several pages
    _events(10)
    sequencer.drain()
    size = latest_checkpoint().size
    page = as_auditor.post(ADDRESS).content.decode()
    assert f"{size} events checked" in page
    assert "Evidence of tampering" not in page
    (item,) = [each for each in custody_queries.history("system:ledger") if each.tag == "ledger.verified"]
    assert item.actor == auditor.custody_id
    assert item.details == {"size": size, "remembered": None, "problems": 0}


@pytest.mark.django_db
def test_a_note_that_was_kept_still_holds_however_the_form_broke_its_lines(as_auditor):
    _events(3)
    sequencer.drain()
    kept = latest_checkpoint()
    _events(4)
    sequencer.drain()
    for pasted in (kept.note, kept.note.replace("\n", "\r\n") + "\r\n  "):
        page = as_auditor.post(ADDRESS, {"note": pasted}).content.decode()
        assert f"still holds for the first {kept.size} of them" in page
        assert "Evidence of tampering" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forge",
    [
        lambda note: note.replace("\n3\n", "\n2\n"),
        lambda note: "not a note",
        lambda note: note.rsplit("— ", 1)[0] + "— somebody AAAA\n",
    ],
    ids=["another size", "no note", "another signer"],
)
def test_a_note_that_was_never_signed_here_is_not_believed(forge):
    _events(3)
    sequencer.drain()
    found = services.verify(actor="person:1", kept_note=forge(latest_checkpoint().note))
    assert not found.good
    assert found.problems[0].startswith("The note that was kept cannot be trusted")


@pytest.mark.django_db
def test_a_note_longer_than_any_note_is_refused(as_auditor):
    assert as_auditor.post(ADDRESS, {"note": "x" * 10_001}).status_code == 422
    assert custody_queries.count("ledger.verified") == 0


@pytest.mark.django_db
def test_a_ledger_too_large_to_wait_for_is_left_to_the_command(as_auditor, monkeypatch):
    monkeypatch.setattr(verification, "MOST_LEAVES", 2)
    _events(3)
    sequencer.drain()
    response = as_auditor.post(ADDRESS)
    assert response.status_code == 409
    assert "bluelamp verify --database" in response.content.decode()


@pytest.fixture
def tampered(committed_db, postgres):
    """A function that runs SQL as somebody who owns the database and has taken the triggers off.

    SECOND, THIRD and LAST in it stand for the ids of those events.
    """

    def run(sql, *values):
        for word, event_id in zip(("SECOND", "THIRD", "LAST"), (ids[1], ids[2], ids[-1]), strict=True):
            sql = sql.replace(word, str(event_id))
        connection.close()
        with psycopg.connect(
            make_conninfo(postgres.url("admin"), dbname=_name(committed_db)), autocommit=True
        ) as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute(sql, values)

    _events(6)
    sequencer.drain()
    ids = list(CustodyLeaf.objects.order_by("index").values_list("event_id", flat=True))
    return run


def _name(url):
    return psycopg.conninfo.conninfo_to_dict(url)["dbname"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "UPDATE custody_detail SET stored = set_byte(stored, 12, get_byte(stored, 12) # 255) "
            "WHERE event_id = THIRD",
            "does not match what the ledger says the event was",
        ),
        ("UPDATE custody_detail SET actor = 'person:99' WHERE event_id = THIRD", "in the list is not what"),
        ("UPDATE custody_detail SET subject = 'recording:b' WHERE event_id = THIRD", "in the list is not what"),
        ("UPDATE custody_detail SET also = '{recording:b}' WHERE event_id = THIRD", "in the list is not what"),
        (
            "UPDATE custody_event SET at = at - interval '1 day' WHERE id = THIRD",
            "in the list is not what",
        ),
        ("UPDATE custody_event SET tag = 'session.ended' WHERE id = THIRD", "in the list is not what"),
        ("DELETE FROM custody_leaf WHERE event_id = THIRD", "is missing"),
        ("DELETE FROM custody_leaf WHERE event_id = LAST", "neither in the tree nor in the queue"),
        ("UPDATE custody_event SET entry = decode(repeat('00', 32), 'hex') WHERE id = THIRD", "do not hash"),
        ("DELETE FROM custody_detail WHERE event_id = SECOND", "is missing"),
        ("UPDATE custody_detail SET stored = '' WHERE event_id = SECOND", "does not match"),
        ("UPDATE custody_checkpoint SET note = replace(note, '6', '5')", "cannot be trusted"),
    ],
)
def test_every_way_of_tampering_is_called_so(tampered, sql, said):
    assert services.verify(actor="person:1").good
    tampered(sql)
    found = services.verify(actor="person:1")
    assert not found.good
    assert any(said in problem for problem in found.problems), found.problems


def test_a_history_that_was_rewritten_whole_is_betrayed_by_a_note_that_was_kept(tampered):
    """With the database and the signing key one can sign another history; not make a kept note fit it."""
    kept = latest_checkpoint()
    _events(2)
    sequencer.drain()
    for sql in (
        "UPDATE custody_detail SET (stored, subject, actor, also) = "
        "(other.stored, other.subject, other.actor, other.also) FROM custody_detail other "
        "WHERE custody_detail.event_id = SECOND AND other.event_id = THIRD",
        "UPDATE custody_event SET entry = other.entry, at = other.at FROM custody_event other "
        "WHERE custody_event.id = SECOND AND other.id = THIRD",
    ):
        tampered(sql)
    tree = merkle.CompactRange()
    for event_id in CustodyLeaf.objects.order_by("index").values_list("event_id", flat=True):
        tree.append(merkle.leaf_hash(bytes(CustodyEvent.objects.get(pk=event_id).entry)))
    forged = Checkpoint(keys.log_origin(), tree.size, tree.root())
    note = signed_note.sign_note(forged.text(), forged.origin, keys.log_key())
    tampered(
        "UPDATE custody_checkpoint SET note = %s, root = %s, frontier = %s, previous = 0 WHERE size = %s",
        *(note, tree.root(), tree.to_bytes(), tree.size),
    )
    tampered("DELETE FROM custody_checkpoint WHERE size < %s", tree.size)
    tampered("UPDATE custody_log_key SET since_size = %s", tree.size)
    assert services.verify(actor="person:1").good
    found = services.verify(actor="person:1", kept_note=kept.note)
    (problem,) = found.problems
    assert problem.startswith("The note that was kept, of size 6: the leaves do not hash to its root")


def test_the_page_calls_tampering_by_its_name(tampered):
    client = Client()
    signin.quickly(client, factories.person(Role.AUDITOR))
    sequencer.drain()
    tampered(
        "UPDATE custody_detail SET stored = set_byte(stored, 12, get_byte(stored, 12) # 255) WHERE event_id = THIRD"
    )
    page = client.post(ADDRESS).content.decode()
    assert "Evidence of tampering" in page
    assert re.search(r"Leaf 2 \(event \d+\) does not match", page)
    (item,) = [each for each in custody_queries.history("system:ledger") if each.tag == "ledger.verified"]
    assert item.details["problems"] == 1


def test_one_check_at_a_time(tampered, committed_db):
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [verification._LOCK])
        with pytest.raises(Busy):
            services.verify(actor="person:1")
    assert services.verify(actor="person:1").good


@pytest.mark.django_db
def test_a_check_that_could_not_be_made_is_not_recorded_as_made():
    with pytest.raises(Conflict):
        services.verify(actor="person:1")
    assert custody_queries.count("ledger.verified") == 0
