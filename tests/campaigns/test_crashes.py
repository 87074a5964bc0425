"""Whatever dies under load: every acknowledged byte is there, nothing twice, nothing half made, nothing left over.

The seed decides the faults, their order and the pauses between them. The thirty of every run have a seed of their own;
the long campaign prints a new one each time, and CAMPAIGN_SEED replays it.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from bluelamp.vault.keyring import SqliteKeyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import LocalStore
from tests.campaigns.faults import Faults, can_mount, small_disks
from tests.campaigns.load import Client
from tests.ingest.up import Up, demonstration

CLIENTS = 4
SETTLED_WITHIN_SECONDS = 180


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    data = demonstration(tmp_path / "data")
    with small_disks(data) if can_mount() else nullcontext():
        up = Up(data)
        up.start()
        yield up
        up.stop()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says something to whoever runs the tests, also when they pass."""

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return say


@pytest.mark.soak
def test_thirty_faults_under_load_lose_nothing(up: Up, tell: Callable[[str], None]) -> None:
    campaign(up, 30, tell, seed=30)


@pytest.mark.soak
def test_five_hundred_faults_under_load_lose_nothing(up: Up, tell: Callable[[str], None]) -> None:
    campaign(up, 500, tell, seed=random.SystemRandom().randrange(10**9))


def campaign(up: Up, faults: int, tell: Callable[[str], None], *, seed: int) -> None:
    seed = int(os.environ.get("CAMPAIGN_SEED") or seed)
    tell(f"CAMPAIGN_SEED={seed}")
    chance = random.Random(seed)
    befall = Faults(up, chance, disks=can_mount())
    serials = [f"CAMPAIGN{number}" for number in range(CLIENTS)]
    token = up.dock_token(*serials)
    clients = [Client(up.url, token, serial, chance.randrange(10**9)) for serial in serials]
    for client in clients:
        client.start()
    for number in range(faults):
        befall.next()
        assert not problems(clients), f"after fault {number + 1}: {problems(clients)}"
    for client in clients:
        client.enough()
    until = time.monotonic() + SETTLED_WITHIN_SECONDS
    for client in clients:
        client.join(max(0.0, until - time.monotonic()))
        client.give_up()
    recorded = sum(len(client.camera.entries) for client in clients)
    tell(f"{befall.counts}; {sum(client.cuts for client in clients)} connections cut; {recorded} recordings")
    assert not problems(clients), problems(clients)
    assert sum(len(client.receipts) for client in clients) == recorded
    everything_is_there_once(up, clients)
    nothing_is_left_over(up)


def problems(clients: list[Client]) -> list[str]:
    return [f"{client.camera.serial}: {client.problem!r}" for client in clients if client.problem is not None]


def everything_is_there_once(up: Up, clients: list[Client]) -> None:
    store, keyring = LocalStore(up.data / "store"), SqliteKeyring(up.data / "keyring" / "keyring.sqlite")
    for client in clients:
        rows = up.rows(
            "SELECT r.sequence, r.id::text, r.sha256, r.original FROM footage_recording r JOIN fleet_camera c"
            " ON c.id = r.camera_id WHERE c.serial = %s",
            client.camera.serial,
        )
        assert sorted(row[0] for row in rows) == sorted(client.camera.content)
        for sequence, recording, sha256, original in rows:
            content = client.camera.content[sequence]
            assert client.receipts[sequence]["recording_id"] == recording
            stored = SealedReader(original, recording, store=store, keyring=keyring)
            assert hashlib.sha256(stored.read(0, stored.size + 1)).hexdigest() == sha256
            assert sha256 == hashlib.sha256(content).hexdigest()


def nothing_is_left_over(up: Up) -> None:
    """Staging, keys and objects are those of recordings, once the worker has had time to tidy."""
    store, keyring = LocalStore(up.data / "store"), SqliteKeyring(up.data / "keyring" / "keyring.sqlite")
    # Dying workers may leave what the next docking, the periodic recovery or a worker's start clears.
    up.kill("worker")
    until = time.monotonic() + 120
    while True:
        time.sleep(2)
        uploads = up.rows("SELECT count(*) FROM ingest_upload WHERE state IN ('receiving', 'received') OR NOT cleared")
        folders = [path for path in (up.data / "staging").iterdir() if path.is_dir()]
        known = {row[0] for row in up.rows("SELECT original FROM footage_recording")}
        known |= {row[0] for row in up.rows("SELECT object_name FROM footage_derivative")}
        stored = set(store.list())
        recordings = up.rows("SELECT count(*) FROM footage_recording")[0][0]
        left = (uploads[0][0], len(folders), stored - known, known - stored, keyring.count() - recordings)
        if left == (0, 0, set(), set(), 0):
            return
        assert time.monotonic() < until, f"uploads, folders, strange objects, missing objects, keys too many: {left}"
