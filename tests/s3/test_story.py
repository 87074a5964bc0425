"""One recording's whole life in a bucket with Object Lock, through a real `bluelamp up`."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bluelamp.cli.supervisor.instance import open_instance
from bluelamp.vault.keyring import SqliteKeyring
from tests.ingest.docks import Camera, Docking
from tests.ingest.up import Up
from tests.s3 import looking
from tests.s3.rgw import Rgw

pytestmark = [pytest.mark.s3, pytest.mark.server]

MIB = 1024 * 1024
_PATIENCE = 60
_ROOT = Path(__file__).parents[2]


class Installation(Up):
    """A demonstration, so that its clock can be moved to the day of deletion."""

    def __init__(self, data: Path, **environment: str) -> None:
        open_instance(data, demonstration=True)
        super().__init__(data, **environment)

    def act(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "tests.s3.acts", *arguments]
        done = subprocess.run(command, env=self._environment, cwd=_ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().rpartition("\n")[2]


@pytest.fixture
def bucket(make_bucket: Callable[..., str]) -> str:
    return make_bucket(lock=True)


@pytest.fixture
def up(bucket: str, rgw: Rgw, tmp_path: Path) -> Iterator[Installation]:
    server = Installation(tmp_path / "data", BLUELAMP_STORE_URL=f"s3://{bucket}/footage", **rgw.environment())
    server.start()
    yield server
    server.stop()


def _until(holds: Callable[[], object], what: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < until, f"it never came to this: {what}"
        time.sleep(0.05)


def _send(dock: Docking, url: str, content: bytes) -> None:
    try:
        dock.send(url, content, chunk=8 * MIB)
    except httpx.HTTPError:
        pass  # the server was killed: a dock asks again


def test_a_recording_is_docked_held_released_and_gone(up: Installation, bucket: str, rgw: Rgw) -> None:
    client = rgw.client()
    camera = Camera("S3-0001")
    content = os.urandom(96 * MIB)
    camera.record(content)
    with Docking(up.url, up.dock_token(camera.serial), camera) as dock:
        dock.open()
        url = dock.create(1).headers["Location"]
        sending = threading.Thread(target=_send, args=(dock, url, content))
        sending.start()
        _until(lambda: looking.unfinished(client, bucket), "a put under way")
        rgw.freeze()  # the put stays where it is, in the middle
        up.kill("web")
        rgw.thaw()
        sending.join(_PATIENCE)
        (original,) = set(looking.unfinished(client, bucket))
        assert looking.versions(client, bucket) == []

        up.wait_ready()
        _until(lambda: dock.receipt(1).status_code == 200, "a receipt")
    ((recording,),) = up.rows("SELECT id::text FROM footage_recording")
    assert original == f"footage/recordings/{recording}/original"
    assert looking.versions(client, bucket).count(original) == 1

    assert up.act("sha256", recording, "0", str(len(content))) == hashlib.sha256(content).hexdigest()
    ranged = content[50_000_001:53_000_001]
    assert up.act("sha256", recording, "50000001", "3000000") == hashlib.sha256(ranged).hexdigest()

    up.act("flag", recording)
    _until(lambda: looking.is_held(client, bucket, original), "a legal hold")
    up.act("release", recording)
    _until(lambda: not looking.is_held(client, bucket, original), "no legal hold")

    # The parts that the kill left are still there: deletion takes them too, without waiting for any sweep.
    assert set(looking.unfinished(client, bucket)) == {original}
    up.act("advance", "32")
    _until(lambda: up.rows("SELECT 1 FROM retention_certificate WHERE recording_id::text = %s", recording), "its end")
    assert looking.everything(client, bucket) == []
    keyring = SqliteKeyring(up.data / "keyring" / "keyring.sqlite")
    assert not keyring.has(recording)
    assert keyring.erased_at(recording) is not None
