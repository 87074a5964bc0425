"""The same entrance behind TLS, with bodies taken from the encrypted connection straight into an upload's buffers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from benchmarks import certificate
from starlette.applications import Starlette

from bluelamp.vault.objects import SealedReader
from tests.ingest.docks import TUS, Docking
from tests.ingest.up import Up, demonstration

CONTENT = random.Random(11).randbytes(9_000_001)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> certificate.Certificate:
    return certificate.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def entrance(shared_db: None, secured: certificate.Certificate) -> Iterator[str]:
    from bluelamp.ingest.asgi import routes
    from bluelamp.ingest.wire.connection import Connection

    config = uvicorn.Config(
        Starlette(routes=routes),
        port=0,
        loop="uvloop",
        http=Connection,
        log_config=None,
        ssl_certfile=secured.certificate,
        ssl_keyfile=secured.key,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def url(docking: Docking, secured: certificate.Certificate) -> str:
    docking.client.close()
    docking.client = httpx.Client(
        base_url=docking.base,
        headers={"Authorization": f"Bearer {docking.token}"},
        verify=secured.context(),
        timeout=30,
    )
    docking.camera.record(CONTENT)
    return str(docking.open()[1]["upload_url"])


@pytest.mark.parametrize("chunk", [333_333, 20_000_000])
def test_a_recording_arrives_whole_in_any_chunks_over_one_connection(docking: Docking, url: str, chunk: int) -> None:
    assert url.startswith("https://")
    assert docking.send(url, CONTENT, chunk).status_code == 204
    recording = docking.recordings.get()
    assert SealedReader(recording.original, recording.key_id).read(0, recording.size + 1) == CONTENT


def test_a_connection_that_ends_in_mid_body_keeps_what_arrived(docking: Docking, url: str) -> None:
    def torn() -> Iterator[bytes]:
        yield CONTENT[:5_000_000]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        docking.client.patch(
            url,
            headers={
                **TUS,
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": "0",
                "Content-Length": str(len(CONTENT)),
            },
            content=torn(),
        )
    stands_at = int(docking.head(url).headers["Upload-Offset"])
    assert 0 < stands_at <= 5_000_000
    assert docking.patch(url, stands_at, CONTENT[stands_at:]).status_code == 204


def test_bluelamp_up_serves_tls_and_its_cookies_never_leave_it(
    secured: certificate.Certificate, tmp_path: Path
) -> None:
    up = Up(demonstration(tmp_path / "data"), secured)
    up.start()
    try:
        with httpx.Client(base_url=up.url, verify=secured.context(), follow_redirects=True) as browser:
            page = browser.get("/footage/")
            cookies = [value for each in (*page.history, page) for value in each.headers.get_list("set-cookie")]
            assert page.status_code == 200
            assert cookies
            assert all("Secure" in cookie for cookie in cookies)
    finally:
        up.stop()
