"""A force that lies about its ledger, against a real witness and a real monitor.

The force holds the log's key, so every checkpoint here is genuinely signed: what gives it away is that two of them
cannot both be true, or that they are not what the tiles say.

| the force | the witness | the monitor |
|---|---|---|
| shows the witness one history, others another | refuses the other, keeps both notes | names the fork, with both |
| rolls the log back | keeps to the larger tree | remembers it, or asks the witness |
| withholds what is new | says how far it has come | says "behind"; without a witness "stall", in time |
| serves a wrong tile or entry | does not look at tiles | names the tile |
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from bluelamp.custody.witnessing import Refused, ask
from bluelamp.formats.add_checkpoint import WitnessAddress
from bluelamp.formats.log_proof import LogProof, verify_checkpoint
from bluelamp.formats.proofs import prove_inclusion
from bluelamp.formats.signed_note import VerifierKey
from tests.verify import parties
from tests.verify.static_log import StaticLog, entry, serve

TURNED = 150
"""The event that the force would rather not have written: entry 150 of 300."""


@pytest.fixture
def true(tmp_path):
    return StaticLog(tmp_path / "true").append(entry(number) for number in range(300))


@pytest.fixture
def false(tmp_path):
    return StaticLog(tmp_path / "false").append(entry(n, "false" * (n == TURNED)) for n in range(400))


@pytest.fixture
def witness(tmp_path, true):
    with parties.witness(tmp_path / "witness", [true.vkey]) as found:
        yield found


def _cosign(witness, log, size, old=0):
    """The force asks the witness, as Bluelamp does. Returns the cosignature's line. Raises Refused."""
    return ask(WitnessAddress.parse(f"{witness.url}={witness.vkey}"), log.note(size), size, old, log.consistency)


def _evidence(tmp_path):
    shown = parties.bluelamp("witness", "--data", tmp_path / "witness", "--show", "--json")
    return shown.returncode, json.loads(shown.stdout)["refused"]


def _kinds(found):
    return [alarm["kind"] for alarm in found["alarms"]]


def test_an_honest_log_raises_no_alarm(tmp_path, true, witness):
    options = ("--state", tmp_path / "state.json", "--witness", f"{witness.url}={witness.vkey}")
    true.publish(200, lines=_cosign(witness, true, 200))
    with serve(true.folder) as url:
        for size in (256, 300):
            code, found = parties.monitor(url, true.vkey, *options)
            assert (code, found["alarms"], found["unknown"]) == (0, [], "")
            true.publish(size, lines=_cosign(witness, true, size, 200))
        code, found = parties.monitor(url, true.vkey, *options)
    assert (code, found["size"], found["cosigned"]) == (0, 300, {witness.vkey: 300})
    assert _evidence(tmp_path) == (0, [])


def test_the_witness_refuses_the_other_history_and_keeps_both_checkpoints(tmp_path, true, false, witness):
    _cosign(witness, true, 200)
    with pytest.raises(Refused, match="422"):
        _cosign(witness, false, 300, 200)
    code, [item] = _evidence(tmp_path)
    assert (code, item["kind"]) == (1, "fork")
    key = VerifierKey.parse(true.vkey)
    assert verify_checkpoint(item["known"], key).root == true.root(200)
    assert verify_checkpoint(item["note"], key).root == false.root(300)
    assert _cosign(witness, true, 300, 200)


def test_the_witness_refuses_another_tree_of_the_same_size(tmp_path, true, false, witness):
    _cosign(witness, true, 300)
    with pytest.raises(Refused, match="422"):
        _cosign(witness, false, 300, 300)
    assert _evidence(tmp_path)[0] == 1


def test_a_monitor_that_is_shown_another_history_than_the_witness_names_the_fork(true, false, witness):
    true.publish(200, lines=_cosign(witness, true, 200))
    false.publish(400)
    with serve(false.folder) as url:
        code, found = parties.monitor(url, true.vkey, "--witness", f"{witness.url}={witness.vkey}")
    assert (code, _kinds(found)) == (1, ["fork"])
    notes = found["alarms"][0]["evidence"]
    key = VerifierKey.parse(true.vkey)
    assert verify_checkpoint(notes["one history"], key).root == true.root(200)
    assert verify_checkpoint(notes["another history"], key).root == false.root(400)


def test_what_a_holder_was_handed_from_the_other_history_convicts_the_force_at_the_witness(
    tmp_path, true, false, witness
):
    """The proof in a package verifies by itself; it has no cosignature, and anybody can take it to the witness."""
    _cosign(witness, true, 300)
    proof = LogProof(TURNED, tuple(prove_inclusion(TURNED, 300, false.nodes)), false.note(300))
    handed = LogProof.parse(proof.text())
    handed.verify(false.entries[TURNED], VerifierKey.parse(true.vkey))
    address = WitnessAddress.parse(f"{witness.url}={witness.vkey}")
    assert handed.cosigned([address.key]) == []
    with pytest.raises(Refused):
        ask(address, handed.note, 300, 300, lambda old, size: [])
    assert _evidence(tmp_path)[0] == 1


def test_a_monitor_remembers_the_history_that_it_saw(tmp_path, true, false):
    state = tmp_path / "state.json"
    true.publish(200)
    with serve(true.folder) as url:
        assert parties.monitor(url, true.vkey, "--state", state)[0] == 0
    false.publish(400)
    with serve(false.folder) as url:
        for _ in range(2):
            code, found = parties.monitor(url, true.vkey, "--state", state)
            assert (code, _kinds(found)) == (1, ["fork"])
    written = [json.loads(line) for line in (tmp_path / "state.json.alarms").read_text().splitlines()]
    assert [_kinds(line) for line in written] == [["fork"]]


def test_a_log_that_is_rolled_back_is_caught_by_what_was_seen_before(tmp_path, true, witness):
    state = tmp_path / "state.json"
    true.publish(300, lines=_cosign(witness, true, 300))
    with serve(true.folder) as url:
        assert parties.monitor(url, true.vkey, "--state", state)[0] == 0
        true.publish(200)
        code, found = parties.monitor(url, true.vkey, "--state", state)
        assert (code, _kinds(found)) == (1, ["rollback"])
        # One that has never looked before asks the witness.
        code, found = parties.monitor(url, true.vkey, "--witness", f"{witness.url}={witness.vkey}")
        assert (code, _kinds(found)) == (1, ["behind"])
    with pytest.raises(Refused, match="has cosigned 300 events"):
        _cosign(witness, true, 200, 0)


def test_a_log_that_stands_still_is_caught_in_time(tmp_path, true):
    state = tmp_path / "state.json"
    true.publish(300)
    with serve(true.folder) as url:
        assert parties.monitor(url, true.vkey, "--state", state, "--stall-minutes", "60")[0] == 0
        _let_pass(state, 50)
        assert parties.monitor(url, true.vkey, "--state", state, "--stall-minutes", "60")[0] == 0
        _let_pass(state, 20)
        code, found = parties.monitor(url, true.vkey, "--state", state, "--stall-minutes", "60")
    assert (code, _kinds(found)) == (1, ["stall"])


def test_a_log_that_withholds_its_new_events_from_the_monitor_is_caught_at_once_by_asking_the_witness(true, witness):
    true.publish(200)
    _cosign(witness, true, 300)
    with serve(true.folder) as url:
        code, found = parties.monitor(url, true.vkey, "--witness", f"{witness.url}={witness.vkey}")
    assert (code, _kinds(found)) == (1, ["behind"])


def test_a_history_that_no_witness_cosigned_is_caught_in_time(tmp_path, true, false, witness):
    """A monitor that knows the witness's key alone, and cannot reach it."""
    state = tmp_path / "state.json"
    _cosign(witness, true, 200)
    false.publish(400)
    with serve(false.folder) as url:
        assert parties.monitor(url, true.vkey, "--state", state, "--witness", witness.vkey)[0] == 0
        _let_pass(state, 20)
        code, found = parties.monitor(url, true.vkey, "--state", state, "--witness", witness.vkey)
    assert (code, _kinds(found)) == (1, ["cosignature"])


def test_a_wrong_tile_is_caught_by_the_monitor_and_named(tmp_path, true, false):
    true.publish()
    false.publish(300)
    with serve(true.folder) as url:
        for name in ("tile/0/000", "tile/entries/000", "tile/1/000.p/1"):
            right = (true.folder / name).read_bytes()
            true.write(name, (false.folder / name).read_bytes())
            code, found = parties.monitor(url, true.vkey)
            assert code == 1
            assert any(name in alarm["words"] for alarm in found["alarms"]), name
            true.write(name, right)
        assert parties.monitor(url, true.vkey)[0] == 0


def test_without_a_network_the_monitor_cannot_tell(true):
    code, found = parties.monitor("http://127.0.0.1:9/log", true.vkey)
    assert (code, found["alarms"]) == (2, [])
    assert "cannot be reached" in found["unknown"]


def test_a_monitor_that_keeps_watching_calls_for_help_by_itself(tmp_path, true, false):
    true.publish(200)
    called = tmp_path / "called"
    with serve(true.folder) as url:
        watch = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "bluelamp.cli.main", "verify", "--follow", url, "--key", true.vkey),
                *("--state", tmp_path / "state.json", "--every", "1", "--on-alarm", f"tee {called}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert "Good. force.example/log has 200 events." in watch.stdout.readline()
            for name in ("checkpoint", "tile/0/000", "tile/entries/000"):
                (true.folder / name).unlink(missing_ok=True)
            false.folder = true.folder
            false.publish(400)
            while not (called.exists() and called.read_text()):
                assert watch.poll() is None
                time.sleep(0.05)
        finally:
            watch.send_signal(signal.SIGTERM)
            _, said = watch.communicate(timeout=30)
    assert watch.returncode == 0
    assert "FORK: the log signed two histories" in called.read_text()
    assert said.count("ALARM (fork)") == 1


def _let_pass(state, minutes):
    """As if the monitor had looked `minutes` earlier."""
    document = json.loads(state.read_text())
    document["memory"]["grown_at"] -= minutes * 60
    for covered in document["memory"]["witnesses"].values():
        covered[2] -= minutes * 60
    state.write_text(json.dumps(document))
