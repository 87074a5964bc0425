"""The ledger against a real PostgreSQL: append-only, sequenced, and checked from the outside."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from bluelamp import custody
from bluelamp.custody import Event, Operation, keys, queries, sequencer
from bluelamp.custody.models import APPEND_ONLY, CustodyEvent
from bluelamp.formats.signed_note import verifier_key
from bluelamp.verify.ledger import Leaf, check_ledger


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class Tried(Event):
    """Something was tried."""

    tag = "ledger.tried"
    operation = Operation.ALTERATION
    number: int
    words: list[str]


def _event(number: int = 1) -> Tried:
    return Tried(
        actor="person:1", subject="recording:a", reason="Because", also=("case:7",), number=number, words=["ä"]
    )


def _record(number: int = 1) -> custody.CustodyRecord:
    with transaction.atomic():
        return custody.record(_event(number))


def _report(change=lambda leaf: leaf):
    leaves = [change(Leaf(*leaf)) for leaf in queries.leaves()]
    trusted = verifier_key(keys.log_origin(), keys.log_key())
    return check_ledger([leaf for leaf in leaves if leaf is not None], queries.latest_checkpoint().note, trusted)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_application_may_not_change_the_ledger(committed_db, table, statement):
    _record()
    sequencer.drain()
    column = {"custody_event": "tag", "custody_detail": "fields", "custody_leaf": "index"}.get(table, "note")
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column))


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_triggers_refuse_even_the_owner_of_the_tables(committed_db, postgres, table, statement):
    _record()
    sequencer.drain()
    column = {"custody_event": "tag", "custody_detail": "fields", "custody_leaf": "index"}.get(table, "note")
    owner = psycopg.connect(postgres.url("owner"), dbname=connection.settings_dict["NAME"])
    with owner, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute(statement.format(table, column))


def test_an_event_outside_a_transaction_is_refused(committed_db):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        custody.record(_event())


def test_an_event_goes_with_the_change_that_failed(committed_db):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        custody.record(_event())
        raise ZeroDivisionError
    assert CustodyEvent.objects.count() == 0


def test_a_service_that_records_nothing_is_rolled_back(committed_db):
    @custody.service
    def silent():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO people_organisation (name, kind, email_domains) VALUES ('X', 'cps', '{}')")

    with pytest.raises(custody.ServiceWithoutEvent):
        silent()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_organisation WHERE name = 'X'")
        assert cursor.fetchone() == (0,)


def test_history_finds_an_event_under_each_of_its_subjects(committed_db):
    _record()
    for subject in ("recording:a", "case:7"):
        (item,) = queries.history(subject)
        assert (item.actor, item.reason, item.operation) == ("person:1", "Because", "alteration")
        assert item.details == {"number": 1, "words": ["ä"]}
    assert queries.history("recording:b") == []


def test_a_checkpoint_covers_every_event_and_verifies(committed_db):
    for number in range(7):
        _record(number)
    checkpoint = sequencer.run_once()
    assert checkpoint is not None
    assert checkpoint.size == 7
    assert sequencer.run_once() is None
    _record(8)
    assert sequencer.run_once().size == 8
    assert _report().good
    assert _report().size == 8


def test_ids_that_commit_out_of_order_all_reach_the_tree(committed_db):
    early, sequenced = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            custody.record(_event(1))
            early.set()
            assert sequenced.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert early.wait(10)
    _record(2)
    assert sequencer.run_once().size == 1
    sequenced.set()
    thread.join()
    assert sequencer.run_once().size == 2
    assert [leaf[2]["detail.number"] for leaf in queries.leaves()] == [2, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda leaf: replace(leaf, fields={**leaf.fields, "actor": "person:2"}) if leaf.index == 1 else leaf,
            "does not match",
        ),
        (lambda leaf: replace(leaf, entry=bytes(32)) if leaf.index == 1 else leaf, "do not hash"),
        (lambda leaf: None if leaf.index == 1 else leaf, "Leaf 1 is missing"),
        (lambda leaf: None if leaf.index == 2 else leaf, "the ledger has 2"),
        (lambda leaf: replace(leaf, salts={}) if leaf.index == 0 else leaf, "does not match"),
        (lambda leaf: replace(leaf, listed_as_said=False) if leaf.index == 1 else leaf, "Leaf 1: its type or time"),
    ],
    ids=["edited_value", "edited_entry", "removed_leaf", "removed_last_leaf", "removed_salts", "edited_column"],
)
def test_tampering_is_found(committed_db, change, words):
    for number in range(3):
        _record(number)
    sequencer.drain()
    assert words in " ".join(_report(change).problems)


def test_an_event_that_was_taken_out_of_the_queue_to_the_tree_is_found(committed_db):
    _record()
    sequencer.drain()
    _record(2)
    assert _report().good
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM custody_pending")
    assert _report().problems == ("1 event stands neither in the tree nor in the queue to it.",)


def test_a_checkpoint_of_another_key_is_not_trusted(committed_db):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    _record()
    sequencer.drain()
    other = verifier_key(keys.log_origin(), Ed25519PrivateKey.generate())
    report = check_ledger((), queries.latest_checkpoint().note, other)
    assert "cannot be trusted" in report.problems[0]
