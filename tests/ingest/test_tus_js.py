"""tus-js-client, which nobody here wrote, against the docks' entrance."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bluelamp.ingest import services
from bluelamp.vault.objects import SealedReader
from tests.ingest.docks import Docking
from tests.nodes import node

CONTENT = random.Random(3).randbytes(5_300_000)


@pytest.fixture
def file(docking: Docking, tmp_path: Path) -> Path:
    """A recording of the camera, offered in a session."""
    docking.camera.record(CONTENT)
    docking.open()
    path = tmp_path / "recording.mp4"
    path.write_bytes(CONTENT)
    return path


def upload(docking: Docking, file: Path, **options: Any) -> dict[str, Any]:
    """Run the client once; what it told."""
    given = {
        "headers": {"Authorization": f"Bearer {docking.token}"},
        "metadata": {"session": docking.answer["session"], "sequence": "1"},
        "chunkSize": 1_000_000,
        **options,
    }
    command = [*node(), str(Path(__file__).with_name("tus_client.mjs")), f"{docking.base}/dock/tus/", str(file)]
    done = subprocess.run([*command, json.dumps(given)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def stored(docking: Docking) -> bytes:
    recording = docking.recordings.get()
    return SealedReader(recording.original, recording.key_id).read(0, recording.size + 1)


@pytest.mark.parametrize("chunk", [300_000, 5_300_000, 9_000_000])
def test_it_uploads_in_chunks_of_any_size(docking: Docking, file: Path, chunk: int) -> None:
    assert upload(docking, file, chunkSize=chunk)["error"] is None
    assert stored(docking) == CONTENT
    assert docking.receipt(1).status_code == 200


def test_it_goes_on_where_an_aborted_upload_stopped(docking: Docking, file: Path) -> None:
    first = upload(docking, file, abortAfter=2_000_000)
    assert first["error"] == "aborted"
    stands_at = int(docking.head(first["url"]).headers["Upload-Offset"])
    assert stands_at >= 1_000_000
    assert upload(docking, file, uploadUrl=first["url"])["error"] is None
    assert stored(docking) == CONTENT


def test_it_sends_a_stream_whose_length_it_does_not_know(docking: Docking, file: Path) -> None:
    assert upload(docking, file, stream=True)["error"] is None
    assert stored(docking) == CONTENT


def test_it_sends_the_first_bytes_with_the_creation(docking: Docking, file: Path) -> None:
    assert upload(docking, file, uploadDataDuringCreation=True)["error"] is None
    assert stored(docking) == CONTENT


def test_it_sends_parts_at_once_that_become_one_recording(docking: Docking, file: Path) -> None:
    assert upload(docking, file, parallelUploads=3, chunkSize=9_000_000)["error"] is None
    services.join(docking.uploads.get().pk)
    assert stored(docking) == CONTENT
    assert docking.receipt(1).status_code == 200


def test_it_is_told_why_a_recording_is_refused(docking: Docking, file: Path) -> None:
    file.write_bytes(CONTENT[:-1])
    told = upload(docking, file)
    assert told["status"] == 422
    assert "signed" in told["error"]
