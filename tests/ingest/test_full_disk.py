"""A server whose disk is full says so, keeps what it has, and goes on when there is room again."""

from __future__ import annotations

import dataclasses
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluelamp.ingest.staging.room import RESERVE_BYTES
from tests.ingest.docks import Docking

MIB = 1024 * 1024
CONTENT = random.Random(5).randbytes(40 * MIB)


@pytest.fixture
def small_disk(tmp_path: Path, settings) -> Iterator[Path]:
    """The installation's data folder on a disk with room for 12 MiB beside the reserve."""
    size = (RESERVE_BYTES + 12 * MIB) // 1024
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}k,mode=700", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted only by root")
    working = settings.BLUELAMP
    settings.BLUELAMP = dataclasses.replace(working, data=tmp_path)
    yield tmp_path
    settings.BLUELAMP = working
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_full_disk_is_said_and_what_arrived_is_kept(docking: Docking, small_disk: Path) -> None:
    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    refused = docking.create(1)
    assert refused.status_code == 507
    assert "disk is full" in refused.json()["detail"]

    full = docking.patch(url, 0, CONTENT)
    assert full.status_code == 507
    assert full.headers["Content-Type"] == "application/problem+json"
    assert "kept" in full.json()["meaning"]
    offset = int(docking.head(url).headers["Upload-Offset"])
    assert 8 * MIB < offset < 13 * MIB
    assert docking.patch(url, offset, CONTENT[offset:]).status_code == 507

    subprocess.run(["mount", "-o", "remount,size=400m", small_disk], check=True)
    offset = int(docking.head(url).headers["Upload-Offset"])
    assert docking.patch(url, offset, CONTENT[offset:]).status_code == 204
    assert docking.receipt(1).status_code == 200
