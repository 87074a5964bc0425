"""A real installation, a real witness that comes late, and a real monitor."""

from __future__ import annotations

import time

import pytest

from bluelamp.cli.witness import open_witness
from bluelamp.formats.cosignature import WitnessKey, cosignatures
from bluelamp.verify.fetching import fetch
from tests import live, ports
from tests.journeys import seed
from tests.verify import parties

pytestmark = pytest.mark.server


def _get(url):
    """What is served there, as text; "" while there is nothing."""
    answer = fetch(url, most=100_000, seconds=10)
    assert answer.status in (200, 404)
    return answer.body.decode() if answer.status == 200 else ""


def _wait_for(url, witness, least):
    """The checkpoint at `url` once it is cosigned and has `least` events."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        note = _get(url)
        if note and int(note.splitlines()[1]) >= least and cosignatures(note, [WitnessKey.parse(witness)]):
            return note
        time.sleep(0.1)
    raise AssertionError(f"no cosigned checkpoint over {least} events came within two minutes; the last was {note!r}")


def test_a_witness_cosigns_a_real_ledger_and_a_monitor_finds_it_good(tmp_path):
    data, state = tmp_path / "witness", tmp_path / "state.json"
    made = open_witness(data, parties.NAME, [])
    made.close()
    # Nobody listens there yet.
    port = ports.free_port()
    with live.running(BLUELAMP_WITNESSES=f"http://127.0.0.1:{port}={made.vkey}") as server:
        log = f"{server.base_url}/log"
        [vkey] = _get(f"{log}/keys").split()
        with parties.witness(data, [vkey], port=port) as witness:
            assert witness.vkey == made.vkey
            server.call(seed.force)
            code, found = parties.monitor(log, vkey, "--state", state)
            assert (code, found["alarms"], found["unknown"]) == (0, [], "")
            before = found["size"]
            assert before > 0
            _wait_for(f"{log}/checkpoint/cosigned", witness.vkey, before)
            server.bluelamp("docks", "add", "Northgate charging room 2")
            _wait_for(f"{log}/checkpoint/cosigned", witness.vkey, before + 1)
            options = ("--state", state, "--witness", f"{witness.url}={witness.vkey}")
            code, found = parties.monitor(log, vkey, *options)
            assert (code, found["alarms"], found["unknown"]) == (0, [], "")
            assert found["size"] >= found["cosigned"][witness.vkey] > before
        code, found = parties.monitor(log, vkey, *options)
        assert (code, found["alarms"]) == (0, [])
        assert any("could not be asked" in remark for remark in found["remarks"])
        assert server.errors() == []
