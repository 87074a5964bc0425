"""The log's side of a witness: what is sent, what is believed, what is kept, and what happens when it fails."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from bluelamp.custody import keys, outside, proving, sequencer, witnessing
from bluelamp.custody.models import CustodyCheckpoint, CustodyCosignature
from bluelamp.custody.witnessing import Refused, ask, submit
from bluelamp.formats.add_checkpoint import Submission, WitnessAddress
from bluelamp.formats.cosignature import WitnessKey, cosign, cosignatures
from bluelamp.kernel import clock
from bluelamp.verify.fetching import Unreachable
from tests.custody.test_ledger import _record
from tests.verify import parties
from tests.verify.static_log import StaticLog, entry, serve

KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS = WitnessKey("witness.example/w1", KEY.public_key())
NOW = 1_795_000_000


class _Answers(BaseHTTPRequestHandler):
    """A witness that says what the test wants: for each request in turn, status and body."""

    answers = []
    asked = []

    def do_POST(self):
        self.asked.append(Submission.parse(self.rfile.read(int(self.headers["Content-Length"]))))
        assert self.path == "/add-checkpoint"
        status, body = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def log(tmp_path):
    return StaticLog(tmp_path / "log").append(entry(number) for number in range(20))


@pytest.fixture
def witness(tmp_path):
    _Answers.answers, _Answers.asked = [], []
    with serve(tmp_path, _Answers) as url:
        yield WitnessAddress(url, WITNESS)


def _line(log, size, *, name=WITNESS.name, key=KEY, time=NOW):
    return cosign(log.note(size).partition("\n\n")[0] + "\n", name, key, time)


def _ask(witness, log, old=0, size=9):
    return ask(witness, log.note(size), size, old, log.consistency)


def test_the_witness_is_sent_the_proof_from_what_it_cosigned_last(witness, log):
    _Answers.answers = [(200, _line(log, 9))]
    assert _ask(witness, log, old=5) == _line(log, 9)
    assert _Answers.asked == [Submission(5, tuple(log.consistency(5, 9)), log.note(9))]


def test_a_witness_that_knows_another_size_is_answered_with_the_proof_from_there(witness, log):
    _Answers.answers = [(409, "7\n"), (200, _line(log, 9))]
    assert _ask(witness, log) == _line(log, 9)
    assert [sent.old for sent in _Answers.asked] == [0, 7]


def test_a_witness_that_cosigned_this_very_size_is_asked_for_its_cosignature_again(witness, log):
    _Answers.answers = [(409, "9\n"), (200, _line(log, 9))]
    _ask(witness, log)
    assert _Answers.asked[1] == Submission(9, (), log.note(9))


def test_a_witness_that_has_seen_more_than_there_is_is_an_alarm(witness, log):
    _Answers.answers = [(409, "10\n")]
    with pytest.raises(Refused, match="has cosigned 10 events of this log, which has 9"):
        _ask(witness, log)


def test_a_witness_that_names_another_size_each_time_is_left(witness, log):
    _Answers.answers = [(409, f"{size}\n") for size in range(1, 9)]
    with pytest.raises(Refused, match="another size each time"):
        _ask(witness, log)
    assert len(_Answers.asked) == 3


def test_of_several_lines_the_known_keys_is_taken(witness, log):
    stranger = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    others = _line(log, 9, key=stranger) + _line(log, 9, name="other.example", key=stranger)
    _Answers.answers = [(200, others + _line(log, 9))]
    assert _ask(witness, log) == _line(log, 9)


@pytest.mark.parametrize(
    "body",
    [
        lambda log: "",
        lambda log: "thank you\n",
        lambda log: _line(log, 9, name="other.example"),
        lambda log: _line(log, 9, key=Ed25519PrivateKey.from_private_bytes(b"x" * 32)),
        lambda log: _line(log, 8),
        lambda log: _line(log, 9, time=0),
        lambda log: _line(log, 9)[:-9] + "AAAAAAA=\n",
        lambda log: f"— {WITNESS.name} not base64\n",
    ],
)
def test_what_is_no_cosignature_of_this_checkpoint_by_the_known_key_is_not_kept(witness, log, body):
    _Answers.answers = [(200, body(log))]
    with pytest.raises(Refused):
        _ask(witness, log)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, Refused) for status in (400, 403, 404, 413, 422)],
        *[(status, Unreachable) for status in (408, 429, 500, 503)],
    ],
)
def test_a_refusal_is_told_from_a_witness_that_is_not_well(witness, log, status, kind):
    _Answers.answers = [(status, "no\n")]
    with pytest.raises(kind, match=f"answers {status}: no"):
        _ask(witness, log)


def test_a_conflict_without_a_size_is_a_refusal(witness, log):
    _Answers.answers = [(409, "<html>")]
    with pytest.raises(Refused, match="did not say which size"):
        _ask(witness, log)


def test_a_dead_witness_is_unreachable(log):
    with pytest.raises(Unreachable):
        _ask(WitnessAddress("http://127.0.0.1:9", WITNESS), log)


def _configure(monkeypatch, *witnesses):
    monkeypatch.setattr(settings, "BLUELAMP", dataclasses.replace(settings.BLUELAMP, witnesses=witnesses))


def test_a_real_witness_cosigns_the_ledger_as_it_grows(db, tmp_path, monkeypatch):
    with parties.witness(tmp_path / "witness", [keys.own_vkey()]) as running:
        witness = WitnessAddress.parse(f"{running.url}={running.vkey}")
        _configure(monkeypatch, witness)
        for count in (1, 300, 7):
            for _ in range(count):
                _record()
            sequencer.drain()
            latest = proving.latest()
            assert submit(witness, clock.now()) == latest.size
            assert submit(witness, clock.now()) is None
            [found] = cosignatures(proving.published(latest), [witness.key])
            assert found.witness == witness.key.name
        [standing] = witnessing.standing()
        assert (standing.witness, standing.size) == (witness, latest.size)


def test_a_witness_is_shown_the_checkpoint_of_an_instant_that_all_share(db, tmp_path):
    _record()
    sequencer.drain()
    older, between = proving.latest(), clock.now()
    _record()
    sequencer.drain()
    with parties.witness(tmp_path / "witness", [keys.own_vkey()]) as running:
        witness = WitnessAddress.parse(f"{running.url}={running.vkey}")
        assert submit(witness, older.created_at - timedelta(microseconds=1)) is None
        assert submit(witness, between) == older.size
        assert submit(witness, clock.now()) == proving.latest().size
        assert submit(witness, between) is None


def test_an_answer_that_was_lost_is_asked_for_again(db, tmp_path, monkeypatch):
    with parties.witness(tmp_path / "witness", [keys.own_vkey()]) as running:
        witness = WitnessAddress.parse(f"{running.url}={running.vkey}")
        _record()
        sequencer.drain()
        latest = proving.latest()
        ask(witness, latest.note, latest.size, 0, proving.consistency)
        assert not CustodyCosignature.objects.exists()
        assert submit(witness, clock.now()) == latest.size


def test_an_older_copy_of_the_database_is_noticed_by_the_witness(db, tmp_path, monkeypatch):
    with parties.witness(tmp_path / "witness", [keys.own_vkey()]) as running:
        witness = WitnessAddress.parse(f"{running.url}={running.vkey}")
        for _ in range(2):
            _record()
            sequencer.drain()
        sizes = list(CustodyCheckpoint.objects.order_by("size").values_list("size", "note"))
        (older, note), (newer, _) = sizes[-2:]
        submit(witness, clock.now())
        with pytest.raises(Refused, match=f"has cosigned {newer} events of this log, which has {older}"):
            ask(witness, note, older, 0, proving.consistency)


def test_one_witness_that_is_dead_does_not_hold_up_another_and_complains_once(committed_db, tmp_path, monkeypatch):
    monkeypatch.setattr(witnessing, "_EVERY_SECONDS", 0.01)
    dead = WitnessAddress("http://127.0.0.1:9", WITNESS)
    said = []
    monkeypatch.setattr(witnessing.log, "warning", lambda event, **facts: said.append((event, facts["witness"])))
    stop = threading.Event()
    with parties.witness(tmp_path / "witness", [keys.own_vkey()], name="witness.example/living") as running:
        living = WitnessAddress.parse(f"{running.url}={running.vkey}")
        _configure(monkeypatch, dead, living)
        _record()
        sequencer.drain()
        threads = witnessing.start(stop)
        try:
            while not (said and CustodyCosignature.objects.filter(witness=str(living.key)).exists()):
                assert all(thread.is_alive() for thread in threads)
                stop.wait(0.01)
            _record()
            sequencer.drain()
            while CustodyCosignature.objects.count() < 2:
                stop.wait(0.01)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert said == [("witness.failed", WITNESS.name)]
    noted = outside.of(str(dead.key))
    assert (noted.failing_since is not None, noted.refused) == (True, False)
    assert outside.of(str(living.key)).failing_since is None


def test_a_refusal_is_noted_for_the_pages_until_the_witness_cosigns_again(db, witness, monkeypatch):
    monkeypatch.setattr(witnessing, "_EVERY_SECONDS", 0.001)
    _record()
    sequencer.drain()
    latest = proving.latest()
    _Answers.answers = [(422, "not your history")] * 2
    for _ in range(2):
        with pytest.raises(Refused):
            witnessing._submit_alone(witness)
    first = outside.of(str(WITNESS))
    assert first.refused
    assert "not your history" in first.reason
    _Answers.answers = [(200, cosign(latest.note.partition("\n\n")[0] + "\n", WITNESS.name, KEY, NOW))]
    witnessing._submit_alone(witness)
    assert outside.of(str(WITNESS)).failing_since is None
    assert not outside.of(str(WITNESS)).refused


def test_before_the_first_checkpoint_nothing_is_sent(db):
    assert not CustodyCheckpoint.objects.exists()
    assert submit(WitnessAddress("http://127.0.0.1:9", WITNESS), clock.now()) is None


def test_without_a_witness_there_is_nothing_to_do(monkeypatch):
    _configure(monkeypatch)
    assert witnessing.start(threading.Event()) == []
