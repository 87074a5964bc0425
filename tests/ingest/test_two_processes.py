"""Two web processes behind one address serve one upload, now the one, now the other."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.ingest.docks import Camera, Docking
from tests.ingest.up import Up

CONTENT = random.Random(6).randbytes(12_000_000)


@pytest.mark.server
def test_whichever_process_takes_a_request_the_upload_goes_on(tmp_path: Path) -> None:
    up = Up(tmp_path / "data", BLUELAMP_WEB_PROCESSES="2")
    up.start()
    try:
        camera = Camera("BL-TWO")
        camera.record(CONTENT)
        token = up.dock_token(camera.serial)
        with Docking(up.url, token, camera) as docking:
            url = docking.open()[1]["upload_url"]
            at = 0
            while at < len(CONTENT):
                # A connection of its own each time: the kernel chooses the process.
                with Docking(up.url, token, camera) as once:
                    answer = once.patch(url, at, CONTENT[at : at + 300_001])
                assert answer.status_code == 204, answer.text
                at = int(answer.headers["Upload-Offset"])
            assert docking.receipt(1).status_code == 200
    finally:
        up.stop()
