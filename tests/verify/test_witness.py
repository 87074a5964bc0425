"""The witness's rules and what it keeps: each answer of tlog-witness, and the evidence of what was refused."""

from __future__ import annotations

import hashlib
import sqlite3
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.add_checkpoint import SIZE_TYPE, Submission
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import Cosignature, WitnessKey, cosignatures
from bluelamp.formats.signed_note import VerifierKey, sign_note
from bluelamp.verify.witness import FORK, UNPROVEN, Witness, WitnessError, identity
from tests.verify.static_log import ORIGIN, StaticLog, entry

NAME = "witness.example/w1"
KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
NOW = 1_795_000_000


@pytest.fixture
def log(tmp_path):
    return StaticLog(tmp_path / "log").append(entry(number) for number in range(300))


@pytest.fixture
def witness(tmp_path, log):
    made = Witness(tmp_path / "witness.sqlite", NAME, KEY, [VerifierKey.parse(log.vkey)])
    yield made
    made.close()


def _rewritten(log, changed=7):
    """Another history, under the same key."""
    return StaticLog(log.folder).append(entry(number, "other" * (number == changed)) for number in range(log.size))


def _body(log, old, size, proof=None):
    if proof is None:
        proof = log.consistency(old, size) if old <= size else ()
    return Submission(old, tuple(proof), log.note(size)).body()


def _send(witness, log, old, size, proof=None, now=NOW):
    return witness.add_checkpoint(_body(log, old, size, proof), now)


def _cosigned_at(answer, note):
    [found] = cosignatures(note + answer.text, [WitnessKey(NAME, KEY.public_key())])
    assert found.witness == NAME
    return found.time


def test_what_continues_the_tree_is_cosigned_with_the_time(witness, log):
    for old, size, now in ((0, 7, NOW), (7, 7, NOW + 1), (7, 8, NOW + 2), (8, 256, NOW + 3), (256, 300, NOW + 4)):
        answer = _send(witness, log, old, size, now=now)
        assert answer.status == 200
        assert answer.text.startswith(f"— {NAME} ")
        assert answer.text.endswith("\n")
        assert _cosigned_at(answer, log.note(size)) == now
    assert witness.refused() == []


def test_what_was_cosigned_is_served_with_both_signatures_and_no_others(witness, log):
    _send(witness, log, 0, 7)
    noisy = log.note(9) + "— noise.example AAAAAAAA\n"
    witness.add_checkpoint(Submission(7, tuple(log.consistency(7, 9)), noisy).body(), NOW + 5)
    latest = witness.latest(hashlib.sha256(ORIGIN.encode()).hexdigest())
    assert (latest.size, latest.root, latest.at) == (9, log.root(9), NOW + 5)
    assert latest.note.startswith(log.note(9))
    assert latest.note.count("\n—") == 2
    assert cosignatures(latest.note, [WitnessKey(NAME, KEY.public_key())]) == [Cosignature(NAME, NOW + 5)]
    assert witness.latest("0" * 64) is None


@pytest.mark.parametrize("body", ["", "old 0\n\nno note", "old 0\n\nforce.example/log\n01\nroot\n\n— a AAAAAAAA\n"])
def test_400_for_what_is_malformed(witness, body):
    assert witness.add_checkpoint(body.encode(), NOW).status == 400


def test_404_for_a_log_that_is_not_witnessed(witness, tmp_path):
    stranger = StaticLog(tmp_path, origin="other.example/log").append([entry(0)])
    assert _send(witness, stranger, 0, 1).status == 404


def test_403_without_a_signature_by_the_logs_key(witness, tmp_path):
    forger = StaticLog(tmp_path, seed=b"f").append([entry(0)])
    assert _send(witness, forger, 0, 1).status == 403
    assert witness.refused() == []


def test_403_for_a_signature_that_does_not_fit_even_beside_a_good_one(witness, log):
    note = log.note(7)
    false = sign_note(Checkpoint(ORIGIN, 8, log.root(8)).text(), ORIGIN, log.key).rpartition("\n\n")[2]
    text, _, good = note.rpartition("\n\n")
    for lines in (false, good + false, false + good):
        assert witness.add_checkpoint(Submission(0, (), f"{text}\n\n{lines}").body(), NOW).status == 403
    assert witness.refused() == []


def test_a_signature_by_either_of_two_keys_of_a_log_is_enough(tmp_path, log):
    former = StaticLog(tmp_path, seed=b"f").append(log.entries)
    keys = [VerifierKey.parse(former.vkey), VerifierKey.parse(log.vkey)]
    witness = Witness(tmp_path / "two.sqlite", NAME, KEY, keys)
    assert _send(witness, former, 0, 7).status == 200
    assert _send(witness, log, 7, 8).status == 200
    assert [standing.origin for standing in witness.standing()] == [ORIGIN]
    witness.close()


def test_400_for_an_old_size_above_the_checkpoints(witness, log):
    _send(witness, log, 0, 9)
    assert _send(witness, log, 9, 7).status == 400


def test_409_with_the_cosigned_size_for_another_old_size(witness, log):
    answer = _send(witness, log, 7, 9)
    assert (answer.status, answer.text, answer.content_type) == (409, "0\n", SIZE_TYPE)
    _send(witness, log, 0, 9)
    for old in (0, 7, 10):
        answer = _send(witness, log, old, 20)
        assert (answer.status, answer.text, answer.content_type) == (409, "9\n", SIZE_TYPE)


def test_422_for_a_tree_without_leaves_that_has_another_root(witness, log):
    note = sign_note(Checkpoint(ORIGIN, 0, b"r" * 32).text(), ORIGIN, log.key)
    assert witness.add_checkpoint(Submission(0, (), note).body(), NOW).status == 422
    assert [item.kind for item in witness.refused()] == [FORK]
    assert _send(witness, log, 0, 0).status == 200
    assert _send(witness, log, 0, 5).status == 200


def test_422_for_a_proof_where_none_is_needed(witness, log):
    assert _send(witness, log, 0, 7, [b"h" * 32]).status == 422
    _send(witness, log, 0, 7)
    assert _send(witness, log, 7, 7, [b"h" * 32]).status == 422


def test_422_for_a_proof_that_does_not_verify(witness, log):
    _send(witness, log, 0, 7)
    good = log.consistency(7, 9)
    for wrong in ([], good[:-1], [*good, good[0]], [b"h" * 32, *good[1:]]):
        assert _send(witness, log, 7, 9, wrong).status == 422
    assert {item.kind for item in witness.refused()} == {UNPROVEN}


def test_422_for_another_tree_of_the_cosigned_size_and_both_are_kept(witness, log):
    _send(witness, log, 0, 9)
    answer = _send(witness, _rewritten(log), 9, 9)
    assert (answer.status, answer.fork) == (422, True)
    [item] = witness.refused()
    assert (item.kind, item.size, item.first_at, item.times) == (FORK, 9, NOW, 1)
    assert item.note == _rewritten(log).note(9)
    assert item.known.startswith(log.note(9))


def test_422_for_a_larger_tree_with_another_history_and_both_are_kept_with_the_proof(witness, log):
    _send(witness, log, 0, 9)
    other = _rewritten(log)
    assert _send(witness, other, 9, 20).status == 422
    [item] = witness.refused()
    assert item.kind == FORK
    assert item.proof == Submission(9, tuple(other.consistency(9, 20)), "").body().decode()
    assert "history was rewritten" in item.why
    assert item.known.startswith(log.note(9))


def test_a_fork_of_a_size_that_was_cosigned_long_ago_is_kept_though_the_answer_is_409(witness, log):
    for old, size in ((0, 9), (9, 20), (20, 300)):
        _send(witness, log, old, size)
    answer = _send(witness, _rewritten(log), 0, 20)
    assert (answer.status, answer.text, answer.fork) == (409, "300\n", True)
    [item] = witness.refused()
    assert item.known.startswith(log.note(20))


def test_after_a_refused_fork_the_true_history_is_still_cosigned(witness, log):
    _send(witness, log, 0, 9)
    _send(witness, _rewritten(log), 9, 20)
    assert _send(witness, log, 9, 20).status == 200
    assert [item.kind for item in witness.refused()] == [FORK]


def test_a_genuine_checkpoint_with_a_wrong_proof_is_no_fork_and_is_settled_by_its_cosignature(witness, log):
    _send(witness, log, 0, 9)
    for _ in range(3):
        _send(witness, log, 9, 20, [b"h" * 32], now=NOW + 1)
    [item] = witness.refused()
    assert (item.kind, item.times, item.last_at) == (UNPROVEN, 3, NOW + 1)
    assert _send(witness, log, 9, 20).status == 200
    assert witness.refused() == []


def test_what_was_cosigned_and_comes_again_is_no_evidence(witness, log):
    _send(witness, log, 0, 9)
    _send(witness, log, 9, 20)
    assert _send(witness, log, 0, 9).status == 409
    assert witness.refused() == []


def test_a_smaller_checkpoint_that_was_never_cosigned_is_kept(witness, log):
    _send(witness, log, 0, 20)
    assert _send(witness, log, 20, 9).status == 400
    [item] = witness.refused()
    assert (item.kind, item.size) == (UNPROVEN, 9)


def test_what_proves_nothing_cannot_crowd_out_a_fork(witness, log):
    _send(witness, log, 0, 9)
    _send(witness, _rewritten(log), 9, 9)
    for size in range(10, 300):
        _send(witness, log, 9, size, [b"h" * 32])
    kept = witness.refused()
    assert [item.kind for item in kept] == [FORK] + [UNPROVEN] * 200
    assert {item.size for item in kept[1:]} == set(range(100, 300))


def test_a_witness_started_again_still_knows(tmp_path, log):
    keys = [VerifierKey.parse(log.vkey)]
    first = Witness(tmp_path / "w.sqlite", NAME, KEY, keys)
    _send(first, log, 0, 9)
    first.close()
    again = Witness(tmp_path / "w.sqlite", NAME, KEY, keys)
    assert _send(again, _rewritten(log), 9, 20).status == 422
    assert _send(again, log, 9, 20).status == 200
    again.close()


def test_a_witness_that_was_killed_after_its_answer_still_knows(tmp_path, log):
    """What is copied while the first witness has the file open is what a power cut would leave."""
    first = Witness(tmp_path / "w.sqlite", NAME, KEY, [VerifierKey.parse(log.vkey)])
    assert first._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert first._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    _send(first, log, 0, 9)
    left = tmp_path / "left"
    left.mkdir()
    for name in ("w.sqlite", "w.sqlite-wal"):
        (left / name).write_bytes((tmp_path / name).read_bytes())
    first.close()
    again = Witness(left / "w.sqlite", NAME, KEY, [VerifierKey.parse(log.vkey)])
    assert _send(again, _rewritten(log), 9, 20).status == 422
    again.close()


def test_another_key_or_name_does_not_take_over_what_a_witness_knows(tmp_path, log):
    Witness(tmp_path / "w.sqlite", NAME, KEY).close()
    assert identity(tmp_path / "w.sqlite") == str(WitnessKey(NAME, KEY.public_key()))
    for name, key in (("other.example", KEY), (NAME, Ed25519PrivateKey.from_private_bytes(b"x" * 32))):
        with pytest.raises(WitnessError, match="belongs to the witness"):
            Witness(tmp_path / "w.sqlite", name, key)
    assert identity(tmp_path / "none.sqlite") is None


def test_a_file_that_is_no_witness_is_refused(tmp_path):
    (tmp_path / "w.sqlite").write_bytes(b"not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(WitnessError):
        identity(tmp_path / "w.sqlite")
    with pytest.raises(sqlite3.DatabaseError):
        Witness(tmp_path / "w.sqlite", NAME, KEY)


def test_of_two_histories_sent_at_once_one_is_cosigned(tmp_path, log):
    """Two processes on one file, as two threads with a connection each: comparing and setting is one step."""
    keys = [VerifierKey.parse(log.vkey)]
    witnesses = [Witness(tmp_path / "w.sqlite", NAME, KEY, keys) for _ in range(2)]
    histories = (log, _rewritten(log))
    for round_, (old, size) in enumerate(((0, 9), (9, 20), (20, 65), (65, 300))):
        ready, answers = threading.Barrier(2), {}

        def send(number, old=old, size=size, ready=ready, answers=answers, histories=histories):
            body = _body(histories[number], old, size)
            ready.wait()
            answers[number] = witnesses[number].add_checkpoint(body, NOW).status

        threads = [threading.Thread(target=send, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers.values())[0] == 200, round_
        assert sorted(answers.values())[1] in (409, 422)
        winner = next(number for number, status in answers.items() if status == 200)
        if winner == 1:
            histories = (histories[1], histories[0])
    for witness in witnesses:
        witness.close()
