"""The monitor's judgement, look by look, against a log on disk that does not always tell the truth."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.proofs import verify_consistency
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.verify import memory as memories
from bluelamp.verify.follow import Covered, Follower
from bluelamp.verify.memory import UnreadableMemory
from tests.verify.static_log import Quiet, StaticLog, entry, serve

NOW = 1_795_000_000
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS_KEY = WitnessKey("witness.example/w1", WITNESS.public_key())


@pytest.fixture
def log(tmp_path):
    return StaticLog(tmp_path / "log").append(entry(number) for number in range(1000))


@pytest.fixture
def url(log):
    with serve(log.folder) as found:
        yield found


@pytest.fixture
def follower(log, url):
    return Follower(url, (VerifierKey.parse(log.vkey),), recheck=0, pause=lambda seconds: None)


def _rewritten(log, changed=7):
    """Another history under the same key, in the same place."""
    other = StaticLog(log.folder)
    return other.append(entry(number, "other" * (number == changed)) for number in range(log.size))


def _seen(follower, log, size):
    """What is remembered once a look has found `size` events good."""
    log.publish(size)
    return _good(follower.look(None, NOW))


def _kinds(look):
    return [finding.kind for finding in look.findings]


def _good(look):
    assert (look.findings, look.unknown) == ((), "")
    return look.memory


@pytest.mark.parametrize("entries", [True, False])
def test_a_log_that_grows_honestly_is_good_at_every_look(log, follower, entries):
    follower = replace(follower, entries=entries)
    memory = None
    for number, size in enumerate((1, 2, 255, 256, 257, 300, 512, 513, 1000, 1000)):
        log.publish(size)
        look = follower.look(memory, NOW + number)
        memory = _good(look)
        assert (look.checkpoint.size, look.checkpoint.root) == (size, log.root(size))
    assert memory.grown_at == NOW + 8
    assert (memory.edge.root() if entries else memory.edge) == (log.root() if entries else None)


def test_a_log_without_events_is_good_and_may_begin(log, follower, tmp_path):
    empty = StaticLog(log.folder).publish(0)
    memory = _good(follower.look(None, NOW))
    assert empty.size == 0
    log.publish(3)
    _good(follower.look(memory, NOW))


@pytest.mark.parametrize("sizes", [(300, 1000), (300, 300), (256, 1000), (256, 256), (1, 1000), (999, 1000)])
@pytest.mark.parametrize("entries", [True, False])
def test_a_fork_is_found_and_its_evidence_convinces_others(log, follower, sizes, entries):
    follower = replace(follower, entries=entries)
    first, second = sizes
    memory = _seen(follower, log, first)
    other = _rewritten(log, changed=0).publish(second)
    look = follower.look(memory, NOW)
    assert _kinds(look) == ["fork"]
    assert look.memory is memory
    evidence = look.findings[0].evidence
    keys = follower.keys
    old, new = (verify_checkpoint(evidence[name], keys) for name in ("one history", "another history"))
    assert (old.root, new.root) == (log.root(first), other.root(second))
    proof = [bytes.fromhex(line) for line in evidence.get("proof", "").split()]
    # The other tree provably begins with another root than the one that was signed.
    if proof:
        verify_consistency(first, second, proof[1:], proof[0], new.root)
        assert proof[0] != old.root
    else:
        assert (old.size, old.root != new.root) == (new.size, True)
    assert _kinds(follower.look(look.memory, NOW)) == ["fork"]


def test_a_fork_whose_tiles_are_the_old_ones_is_still_an_alarm(log, follower):
    memory = _seen(follower, log, 300)
    other = _rewritten(log)
    log.publish(1000)
    other.write("checkpoint", other.note(1000).encode())
    assert _kinds(follower.look(memory, NOW)) == ["entries"]
    assert _kinds(replace(follower, entries=False).look(replace(memory, edge=None), NOW)) == ["tile"]


def test_a_rollback_is_found_and_what_was_seen_is_not_forgotten(log, follower):
    memory = _seen(follower, log, 300)
    log.publish(299)
    look = follower.look(memory, NOW)
    assert _kinds(look) == ["rollback"]
    assert look.findings[0].evidence == {"seen before": log.note(300), "served now": log.note(299)}
    assert look.memory is memory


def test_a_cache_that_is_a_moment_behind_is_no_rollback(log, follower):
    memory = _seen(follower, log, 300)
    log.publish(299)
    paused = []

    def pause(seconds):
        paused.append(seconds)
        log.publish(301)

    _good(replace(follower, recheck=5.0, pause=pause).look(memory, NOW))
    assert paused == [5.0]


def test_a_stall_is_found_after_the_time_that_was_set(log, follower):
    follower = replace(follower, stall_seconds=3600)
    memory = _seen(follower, log, 300)
    memory = _good(follower.look(memory, NOW + 3600))
    look = follower.look(memory, NOW + 3661)
    assert _kinds(look) == ["stall"]
    assert "61 minutes" in look.findings[0].words
    log.publish(301)
    _good(follower.look(look.memory, NOW + 3700))


@pytest.mark.parametrize(
    "name",
    ["tile/0/000", "tile/0/001", "tile/0/003.p/232", "tile/1/000.p/3"],
)
@pytest.mark.parametrize("position", [0, 40, -1])
def test_one_changed_byte_in_any_tile_is_found_and_the_tile_named(log, follower, name, position):
    log.publish()
    path = log.folder / name
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    look = follower.look(None, NOW)
    assert _kinds(look) == ["tile"]
    assert name in look.findings[0].words
    assert look.memory is None


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/entries/003.p/232"])
@pytest.mark.parametrize("position", [5, -1])
def test_one_changed_byte_in_an_entry_is_found_and_the_bundle_named(log, follower, name, position):
    log.publish()
    path = log.folder / name
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    look = follower.look(None, NOW)
    assert set(_kinds(look)) == {"entries", "tile"}
    assert any(name in finding.words for finding in look.findings)


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: b"", lambda content: content + b"\0"])
@pytest.mark.parametrize("name", ["tile/entries/001", "tile/0/001", "tile/1/000.p/3"])
def test_a_tile_or_bundle_of_the_wrong_length_is_found(log, follower, name, change):
    log.publish()
    path = log.folder / name
    path.write_bytes(change(path.read_bytes()))
    look = follower.look(None, NOW)
    assert look.findings
    assert name in look.findings[0].words


def test_a_tile_and_bundle_changed_together_do_not_give_the_root(log, follower):
    log.publish()
    other = _rewritten(log, changed=300)
    for name in ("tile/entries/001", "tile/0/001"):
        path = log.folder / name
        kept = path.read_bytes()
        other.publish()
        changed = path.read_bytes()
        log.publish()
        assert kept != changed
        path.write_bytes(changed)
    (log.folder / "tile/entries/001").write_bytes(_bundle(other, 1))
    look = follower.look(None, NOW)
    assert _kinds(look) == ["entries", "tile"]
    assert "tile/1/000.p/3" in look.findings[1].words


def _bundle(log, index):
    return b"".join(len(each).to_bytes(2, "big") + each for each in log.entries[index * 256 : (index + 1) * 256])


def test_entries_that_changed_since_they_were_read_are_found(log, follower):
    memory = _seen(follower, log, 300)
    log.publish(400)
    other = _rewritten(log, changed=260)
    (log.folder / "tile/entries/001.p/144").write_bytes(_bundle(other, 1)[: 144 * 34])
    look = follower.look(memory, NOW)
    assert "has changed since it was read before" in look.findings[0].words
    assert "tile/entries/001.p/144" in look.findings[0].words


@pytest.mark.parametrize("name", ["tile/0/001", "tile/0/003.p/232", "tile/1/000.p/3", "tile/entries/002"])
def test_a_tile_that_is_withheld_is_found(log, follower, name):
    log.publish()
    (log.folder / name).unlink()
    look = follower.look(None, NOW)
    assert _kinds(look) == ["missing"]
    assert name in look.findings[0].words


def test_a_full_tile_takes_the_place_of_a_partial_one(log, follower):
    """A log may drop partial tiles as soon as the full one is there."""
    log.publish(700)
    log.publish(800)
    log.write("checkpoint", log.note(700).encode())
    for name in ("tile/0/002.p/188", "tile/entries/002.p/188"):
        (log.folder / name).unlink()
    _good(follower.look(None, NOW))


def test_a_checkpoint_that_another_key_signed_is_an_alarm(log, follower, tmp_path):
    memory = _seen(follower, log, 300)
    forger = StaticLog(tmp_path / "forger", seed=b"f").append(log.entries)
    log.write("checkpoint", forger.note(301).encode())
    assert _kinds(follower.look(memory, NOW)) == ["signature"]
    log.write("checkpoint", log.note(301).replace("\n301\n", "\n302\n").encode())
    assert _kinds(follower.look(memory, NOW)) == ["signature"]


@pytest.mark.parametrize("content", [b"<html>Sign in to the network</html>", b"", b"\xff\xfe", b"a" * 300_000])
def test_what_is_no_checkpoint_at_all_tells_nothing(log, follower, content):
    memory = _seen(follower, log, 300)
    log.write("checkpoint", content)
    look = follower.look(memory, NOW + 10**6)
    assert (look.findings, look.memory) == ((), memory)
    assert look.unknown


def test_nobody_there_tells_nothing(follower):
    look = replace(follower, url="http://127.0.0.1:9").look(None, NOW)
    assert look.findings == ()
    assert "cannot be reached" in look.unknown


def _cosigned(log, size, key=WITNESS, name=WITNESS_KEY.name):
    text = log.note(size).partition("\n\n")[0] + "\n"
    return cosign(text, name, key, NOW)


def test_cosignatures_on_the_checkpoint_are_counted(log, follower):
    follower = replace(follower, witnesses=(WITNESS_KEY,))
    log.publish(300, lines=_cosigned(log, 300))
    memory = _good(follower.look(None, NOW))
    assert memory.witnesses == {str(WITNESS_KEY): Covered(300, None, 0)}


def test_a_cosigned_checkpoint_that_is_served_apart_is_counted_and_held_against_the_latest(log, follower):
    follower = replace(follower, witnesses=(WITNESS_KEY,))
    log.publish(300)
    answers = {"checkpoint": log.note(300), "checkpoint/cosigned": log.note(256) + _cosigned(log, 256)}
    with _answering(log, answers) as url:
        memory = _good(replace(follower, url=url).look(None, NOW))
        assert memory.witnesses[str(WITNESS_KEY)] == Covered(256, 300, NOW)
        other = _rewritten(log)
        answers["checkpoint/cosigned"] = other.note(256) + _cosigned(other, 256)
        assert _kinds(replace(follower, url=url).look(memory, NOW)) == ["fork"]


def _answering(log, answers):
    """A server of the log's folder, except for what `answers` says: a file cannot be a folder, too."""

    class Handler(Quiet):
        def do_GET(self):
            found = answers.get(self.path.lstrip("/"))
            if found is None:
                return super().do_GET()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(found.encode())
            return None

    return serve(log.folder, partial(Handler, directory=str(log.folder)))


def test_a_missing_cosignature_is_an_alarm_after_the_time_that_was_set(log, follower):
    follower = replace(follower, witnesses=(WITNESS_KEY,), cosign_seconds=900)
    log.publish(300, lines=_cosigned(log, 300))
    memory = _good(follower.look(None, NOW))
    log.publish(301)
    memory = _good(follower.look(memory, NOW + 60))
    log.publish(400)
    memory = _good(follower.look(memory, NOW + 960))
    look = follower.look(memory, NOW + 961)
    assert _kinds(look) == ["cosignature"]
    assert "301 events" in look.findings[0].words
    assert "reach to 300" in look.findings[0].words
    log.publish(400, lines=_cosigned(log, 400))
    _good(follower.look(look.memory, NOW + 970))


def test_a_false_cosignature_is_an_alarm(log, follower):
    follower = replace(follower, witnesses=(WITNESS_KEY,))
    log.publish(300, lines=_cosigned(log, 299))
    look = follower.look(None, NOW)
    assert _kinds(look) == ["cosignature"]
    assert "does not fit the checkpoint" in look.findings[0].words


def test_a_cosignature_by_an_unknown_key_does_not_count(log, follower):
    follower = replace(follower, witnesses=(WITNESS_KEY,))
    stranger = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    log.publish(300, lines=_cosigned(log, 300, stranger))
    assert _good(follower.look(None, NOW)).witnesses[str(WITNESS_KEY)].size == 0


def test_what_is_remembered_is_read_back_as_it_was(log, follower, tmp_path):
    follower = replace(follower, witnesses=(WITNESS_KEY,))
    log.publish(300)
    memory = _good(follower.look(None, NOW))
    path = tmp_path / "state.json"
    assert memories.load(path) == (None, [])
    memories.save(path, memory, ["stall"])
    found, alarms = memories.load(path)
    assert alarms == ["stall"]
    assert (found.note, found.grown_at, found.witnesses) == (memory.note, memory.grown_at, memory.witnesses)
    assert found.edge.root() == log.root(300)
    assert [left.name for left in tmp_path.iterdir() if left.is_file()] == ["state.json"]
    log.publish(1000)
    _good(follower.look(found, NOW))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"format": "other"}', b'{"format": "bluelamp-follow-1", "alarms": [], "memory": 7}'],
)
def test_a_damaged_memory_is_not_passed_over(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableMemory):
        memories.load(path)
