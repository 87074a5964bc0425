"""The ledger against a real PostgreSQL: append-only, sequenced, and checked from the outside."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from bluelamp import custody
from bluelamp.custody import Event, Operation, keys, proving, queries, recording, rotation, sequencer, verification
from bluelamp.custody.models import (
    APPEND_ONLY,
    CustodyCosignature,
    CustodyDetail,
    CustodyEvent,
    CustodyLeaf,
    CustodyOrigin,
    CustodyTile,
    CustodyTimestamp,
)
from bluelamp.custody.verification import verify_ledger
from bluelamp.formats import leaf, merkle
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import NoteError, VerifierKey, sign_note, verifier_key
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.verify.ledger import CheckpointRow, Row, check_stretch, conclude

COLUMNS = {
    "custody_event": "tag",
    "custody_detail": "stored",
    "custody_leaf": "index",
    "custody_tile": "root",
    "custody_cosignature": "line",
    "custody_timestamp": "at",
    "custody_log_key": "vkey",
    "custody_origin": "origin",
}


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


def _one_row_of_each() -> None:
    """A row trigger is only asked where there is a row."""
    _record()
    sequencer.drain()
    CustodyTile.objects.create(level=9, index=0, hashes=b"", root=b"")
    CustodyOrigin.objects.create(origin="bluelamp/test/restored-x", since_size=1, since=clock.now())
    CustodyCosignature.objects.create(size=1, witness="witness", line="", at=clock.now())
    CustodyTimestamp.objects.create(size=1, response=b"", at=clock.now())


def _report():
    return verify_ledger()[0]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_application_may_not_change_the_ledger(committed_db, table, statement):
    _one_row_of_each()
    column = COLUMNS.get(table, "note")
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column))


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_triggers_refuse_even_the_owner_of_the_tables(committed_db, postgres, table, statement):
    _one_row_of_each()
    column = COLUMNS.get(table, "note")
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
    in_order = list(CustodyLeaf.objects.order_by("index").values_list("event_id", flat=True))
    numbers = {item.id: item.details["number"] for item in queries.search(tag="ledger.tried")}
    assert [numbers[event_id] for event_id in in_order] == [2, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row._replace(stored=row.stored.replace(b"Because", b"becausE")), "does not match"),
        (lambda row: row._replace(entry=bytes(32)), "do not hash"),
        (lambda row: None, "Leaf 1 is missing"),
        (lambda row: row._replace(stored=b""), "does not match"),
        (lambda row: row._replace(stored=None), "what it says is missing"),
        (lambda row: row._replace(entry=None), "its event is missing"),
        (lambda row: row._replace(tag="ledger.done"), "in the list is not what"),
        (lambda row: row._replace(actor="person:2"), "in the list is not what"),
        (lambda row: row._replace(subject="recording:b"), "in the list is not what"),
        (lambda row: row._replace(also=[]), "in the list is not what"),
        (lambda row: row._replace(at=row.at.replace(year=2001)), "in the list is not what"),
    ],
)
def test_a_changed_leaf_is_named(change, words):
    rows, checkpoint, key = _small_log(3)
    assert _checked(rows, checkpoint, key) == ()
    rows = [row for row in (change(row) if row.number == 1 else row for row in rows) if row is not None]
    problems = _checked(rows, checkpoint, key)
    assert words in " ".join(problems)
    assert "Leaf 1" in problems[0] or "do not hash" in problems[0]


def test_leaves_that_were_cut_off_are_missed_by_the_checkpoint():
    rows, checkpoint, key = _small_log(3)
    assert _checked(rows[:2], checkpoint, key) == ("The checkpoint of size 3 counts 3 leaves, the ledger has 2.",)


def _small_log(size):
    key, tree, rows = Ed25519PrivateKey.generate(), merkle.CompactRange(), []
    for number in range(size):
        at = datetime(2026, 11, 22, 8, number, tzinfo=UTC)
        fields = recording.leaf_fields(_event(number), at)
        entry, stored = leaf.write(fields, bytes(16 * len(fields)))
        tree.append(merkle.leaf_hash(entry))
        rows.append(
            Row(
                number,
                number + 1,
                entry,
                "ledger.tried",
                at.replace(tzinfo=None),
                stored,
                "person:1",
                "recording:a",
                ["case:7"],
            )
        )
    note = sign_note(Checkpoint("log", size, tree.root()).text(), "log", key)
    return rows, CheckpointRow(size, tree.root(), tree.to_bytes(), note), VerifierKey("log", key.public_key())


def _checked(rows, checkpoint, key):
    stretch = check_stretch(0, rows, [checkpoint.size], [])
    return conclude([stretch], [checkpoint], [key]).problems


def test_an_event_that_was_taken_out_of_the_queue_to_the_tree_is_found(committed_db):
    _record()
    sequencer.drain()
    lost = _record(2)
    assert _report().good
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM custody_pending")
    assert _report().problems == (f"1 event(s) stand neither in the tree nor in the queue to it: {lost.id}.",)


def test_a_checkpoint_of_another_key_is_not_trusted(committed_db):
    _record()
    sequencer.drain()
    report, _ = verify_ledger(trusted=[verifier_key(keys.log_origin(), Ed25519PrivateKey.generate())])
    assert "cannot be trusted" in report.problems[0]


def test_a_new_key_takes_over_at_a_checkpoint_that_both_sign_and_old_proofs_stay(committed_db):
    old_proof_of = _record(1)
    sequencer.drain()
    before = proving.log_proof(old_proof_of.id)
    try:
        old, new = rotation.rotate(reason="Yearly", actor="system:operator")
        sequencer.drain()
        handover = proving.latest()
        for vkey in (old, new):
            assert verify_checkpoint(handover.note, VerifierKey.parse(vkey)).size == 2
        _record(2)
        sequencer.drain()
        assert keys.log_vkeys() == [old, new]
        after = proving.latest().note
        assert verify_checkpoint(after, VerifierKey.parse(new)).size == 3
        with pytest.raises(NoteError):
            verify_checkpoint(after, VerifierKey.parse(old))
        assert before.verify(old_proof_of.entry, [VerifierKey.parse(vkey) for vkey in keys.log_vkeys()]).size == 1
        assert _report().good
    finally:
        for name in ("log", "log-former"):
            (settings.BLUELAMP.keys / f"{name}.key").unlink(missing_ok=True)


def test_a_key_is_not_replaced_without_a_reason(committed_db):
    before = keys.own_vkey()
    with pytest.raises(Invalid):
        rotation.rotate(reason=" ", actor="system:operator")
    assert keys.own_vkey() == before


def test_a_value_that_is_missing_without_an_erasure_is_tampering(committed_db, postgres):
    made = _record()
    sequencer.drain()
    stored = bytes(CustodyDetail.objects.get(event_id=made.id).stored)
    with psycopg.connect(postgres.url("admin"), dbname=connection.settings_dict["NAME"]) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            "UPDATE custody_detail SET stored = %s WHERE event_id = %s", [leaf.erase(stored, {"reason"}, 1), made.id]
        )
    (problem,) = verify_ledger()[0].problems
    assert "reason is gone without a lawful erasure" in problem


def test_keeping_up_signs_once_for_what_is_there_and_once_more_for_each_full_batch(committed_db, monkeypatch):
    monkeypatch.setattr(sequencer, "_BATCH", 3)
    assert sequencer.keep_up() == 0
    for number in range(2):
        _record(number)
    assert sequencer.keep_up() == 1
    for number in range(7):
        _record(number)
    assert sequencer.keep_up() == 3
    assert proving.latest().size == 9
    assert _report().good


def test_several_processes_find_what_one_finds(committed_db, postgres, monkeypatch):
    monkeypatch.setattr(verification, "STRETCH", 256)
    monkeypatch.setattr(settings, "BLUELAMP", dataclasses.replace(settings.BLUELAMP, database_url=committed_db))
    with transaction.atomic():
        made = custody.record_all([_event(number) for number in range(600)])
    sequencer.drain()
    report, _ = verify_ledger(processes=2)
    assert (report.size, report.problems) == (600, ())
    with psycopg.connect(postgres.url("admin"), dbname=connection.settings_dict["NAME"]) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE custody_detail SET actor = 'person:9' WHERE event_id = %s", [made[300].id])
    (problem,) = verify_ledger(processes=2)[0].problems
    assert "Leaf 300" in problem
