"""An upload of 4 GiB leaves the server's memory as it is."""

from __future__ import annotations

import hashlib
import http.client
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bluelamp.vault.keyring import SqliteKeyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import LocalStore
from tests.ingest.docks import BYTES, TUS, Camera, Docking
from tests.ingest.up import Up

MIB = 1024 * 1024
SIZE = 4096 * MIB
_BLOCK = random.Random(4).randbytes(MIB)


def content() -> Iterator[bytes]:
    """4 GiB made on the fly, each MiB different."""
    for number in range(SIZE // MIB):
        yield number.to_bytes(8, "big") + _BLOCK[8:]


@pytest.mark.server
def test_a_4_gib_upload_holds_the_server_s_memory_growth_under_100_mib(tmp_path: Path, record_property) -> None:
    up = Up(tmp_path / "data")
    up.start()
    try:
        camera = Camera("BL-MEMORY")
        whole = hashlib.sha256()
        for piece in content():
            whole.update(piece)
        _warm_up(up, camera)
        signed = camera.record(b"", size=SIZE, sha256=whole.hexdigest())
        with Docking(up.url, up.dock_token("BL-UNUSED"), camera) as docking:
            url = docking.open()[signed.entry.sequence]["upload_url"]
            web = up.pid("web")
            before = up.resident_bytes(web)
            highest, stop = [before], threading.Event()

            def sample() -> None:
                while not stop.wait(0.1):
                    highest[0] = max(highest[0], up.resident_bytes(web))

            sampler = threading.Thread(target=sample)
            sampler.start()
            began = time.monotonic()
            status = _patch(docking, url)
            seconds = time.monotonic() - began
            stop.set()
            sampler.join()
            assert status == 204
            assert docking.receipt(signed.entry.sequence).status_code == 200
        growth = (highest[0] - before) / MIB
        record_property("megabytes_a_second", round(SIZE / 1e6 / seconds))
        record_property("growth_mib", round(growth, 1))
        assert growth < 100
        ((recording, name),) = up.rows("SELECT id, original FROM footage_recording WHERE size = %s", SIZE)
        keyring = SqliteKeyring(up.data / "keyring" / "keyring.sqlite")
        reader = SealedReader(name, str(recording), store=LocalStore(up.data / "store"), keyring=keyring)
        assert reader.size == SIZE
        for number in (0, 1, 2047, 4095):
            assert reader.read(number * MIB, 8) == number.to_bytes(8, "big")
    finally:
        up.stop()


def _warm_up(up: Up, camera: Camera) -> None:
    """One small recording: what is loaded once, and the database connections, do not count as growth."""
    camera.record(_BLOCK * 8)
    with Docking(up.url, up.dock_token(camera.serial), camera) as docking:
        docking.send(docking.open()[1]["upload_url"], _BLOCK * 8)
        assert docking.receipt(1).status_code == 200


def _patch(docking: Docking, url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, blocksize=MIB)
    headers = {**TUS, **BYTES, "Authorization": f"Bearer {docking.token}", "Upload-Offset": "0"}
    connection.request("PATCH", parts.path, body=content(), headers={**headers, "Content-Length": str(SIZE)})
    status = connection.getresponse().status
    connection.close()
    return status
