"""`bluelamp verify --follow`: what it says, what it remembers, and whom it calls."""

from __future__ import annotations

import json

import pytest

from bluelamp.cli import follow
from bluelamp.cli.follow import Limits, run
from bluelamp.kernel.errors import Invalid
from bluelamp.verify.follow import Finding, Follower, Look
from tests.verify import parties
from tests.verify.static_log import StaticLog, entry, serve

ONCE = Limits(every=0.01, once=True)
NOBODY = "http://127.0.0.1:9/log"


@pytest.fixture
def log(tmp_path):
    return StaticLog(tmp_path / "log").append(entry(number) for number in range(300)).publish(200)


@pytest.fixture
def url(log):
    with serve(log.folder) as found:
        yield found


def test_good_is_said_in_a_sentence(log, url, tmp_path, capsys):
    assert run(url, [log.vkey], [], tmp_path / "state", ONCE) == 0
    assert "Good. force.example/log has 200 events. Its entries and tiles give the root" in capsys.readouterr().out


def test_without_a_file_it_says_that_nothing_is_remembered(log, url, capsys):
    assert run(url, [log.vkey], [], None, ONCE) == 0
    assert "give --state FILE" in capsys.readouterr().err


def test_an_alarm_is_said_with_its_evidence_and_written_down_once(log, url, tmp_path, capsys):
    state = tmp_path / "state"
    run(url, [log.vkey], [], state, ONCE)
    log.publish(199)
    for _ in range(2):
        assert run(url, [log.vkey], [], state, ONCE) == 1
        said = capsys.readouterr().err
        assert "ALARM (rollback)" in said
        assert log.note(200).splitlines()[2] in said
        assert log.note(199).splitlines()[2] in said
    assert len((tmp_path / "state.alarms").read_text().splitlines()) == 1
    log.publish(300)
    assert run(url, [log.vkey], [], state, ONCE) == 0


def test_the_operators_command_is_given_the_words_and_may_fail(log, url, tmp_path, capfd):
    log.write("tile/0/000.p/200", b"")
    called = tmp_path / "called"
    assert run(url, [log.vkey], [], None, ONCE, on_alarm=f"tee '{called}'") == 1
    assert called.read_text().startswith("tile: ")
    for command in ("false", "/no/such/program", "'"):
        assert run(url, [log.vkey], [], None, ONCE, on_alarm=command) == 1
        assert "The command for alarms failed" in capfd.readouterr().err


def test_without_an_alarm_nobody_is_called(log, url, tmp_path):
    run(url, [log.vkey], [], None, ONCE, on_alarm=f"touch {tmp_path / 'called'}")
    assert not (tmp_path / "called").exists()


def test_cannot_tell_is_no_alarm_and_forgets_nothing(log, url, tmp_path, capsys):
    state = tmp_path / "state"
    run(url, [log.vkey], [], state, ONCE)
    before = json.loads(state.read_text())
    (log.folder / "checkpoint").write_text("<html>")
    assert run(url, [log.vkey], [], state, ONCE) == 2
    assert "Cannot tell: " in capsys.readouterr().err
    assert json.loads(state.read_text()) == before


@pytest.mark.parametrize(
    ("keys", "witnesses"),
    [
        ([], []),
        (["nonsense"], []),
        (["log"], ["nonsense"]),
        (["log"], ["http://witness.example=nonsense"]),
        (["log"], ["log"]),
        (["log", "other"], []),
    ],
)
def test_keys_that_cannot_be_right_are_refused_before_anything_is_fetched(log, tmp_path, keys, witnesses):
    known = {"log": log.vkey, "other": StaticLog(tmp_path, origin="other.example/log").vkey}
    with pytest.raises(Invalid, match="Nothing was checked"):
        run(NOBODY, [known.get(key, key) for key in keys], [known.get(key, key) for key in witnesses], None, ONCE)


def test_a_memory_that_is_damaged_or_anothers_is_not_replaced(log, url, tmp_path):
    state = tmp_path / "state"
    run(url, [log.vkey], [], state, ONCE)
    other = StaticLog(tmp_path / "other", seed=b"o")
    for content, key in ((state.read_bytes(), other.vkey), (b"{", log.vkey)):
        state.write_bytes(content)
        with pytest.raises(Invalid, match="What was remembered cannot be used"):
            run(url, [key], [], state, ONCE)
        assert state.read_bytes() == content


def test_a_memory_that_cannot_be_written_ends_the_watch(log, url, tmp_path):
    with pytest.raises(Invalid, match="will not be remembered"):
        run(url, [log.vkey], [], tmp_path / "none" / "state", ONCE)


def test_former_keys_may_be_given_beside_the_present_one(log, url, tmp_path):
    state = tmp_path / "state"
    run(url, [log.vkey], [], state, ONCE)
    StaticLog(log.folder, seed=b"n").append(log.entries).publish(300)
    new = StaticLog(log.folder, seed=b"n").vkey
    assert run(url, [log.vkey], [], state, ONCE) == 1
    assert run(url, [log.vkey, new], [], state, ONCE) == 0


def test_a_log_that_is_away_for_long_becomes_an_alarm_while_watching(log, monkeypatch, capsys):
    """A voice that has been told `unknown` for an hour and a second, where a stall takes an hour."""
    now = [1000.0]
    monkeypatch.setattr(follow.time, "monotonic", lambda: now[0])
    follower = Follower(NOBODY, (), stall_seconds=3600)
    voice = follow._Voice([], None, json=False, once=False, on_alarm="")
    away = Look(None, None, unknown="It cannot be reached.")
    for passed in (0, 3600):
        now[0] = 1000.0 + passed
        voice.say(away, follower)
    assert capsys.readouterr().err.count("Cannot tell") == 1
    now[0] += 1
    voice.say(away, follower)
    assert "ALARM (unreachable)" in capsys.readouterr().err
    assert voice.standing == ["unreachable"]


def test_an_alarm_that_stands_is_repeated_every_hour_only(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(follow.time, "monotonic", lambda: now[0])
    follower = Follower(NOBODY, ())
    voice = follow._Voice([], None, json=False, once=False, on_alarm="")
    wrong = Look(None, None, (Finding("fork", "Two histories."),))
    for passed in range(0, 7201, 600):
        now[0] = 1000.0 + passed
        voice.say(wrong, follower)
    assert capsys.readouterr().err.count("ALARM (fork)") == 3


def test_the_command_line_takes_it_all(log, url, tmp_path):
    code, found = parties.monitor(
        url, log.vkey, "--no-entries", "--stall-minutes", "5", "--cosign-minutes", "5", "--state", tmp_path / "state"
    )
    assert (code, found["size"], found["alarms"]) == (0, 200, [])
    assert json.loads((tmp_path / "state").read_text())["memory"]["edge"] is None
