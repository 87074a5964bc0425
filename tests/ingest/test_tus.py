"""The upload protocol (tus 1.0.0), request by request, and with a foreign client."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from bluelamp.custody import queries as ledger
from bluelamp.ingest import staging
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from tests.ingest.docks import BYTES, TUS, Docking, metadata

CONTENT = random.Random(1).randbytes(3_000_000)


@pytest.fixture(scope="module", params=["wire", "asgi"])
def way(request: pytest.FixtureRequest) -> str:
    """Everything here holds whether bodies come straight from the socket or as ASGI messages."""
    return str(request.param)


@pytest.fixture
def url(docking: Docking) -> str:
    """An upload of CONTENT, at offset 0."""
    docking.camera.record(CONTENT)
    return docking.open()[1]["upload_url"]


def stored(docking: Docking) -> bytes:
    recording = docking.recordings.get()
    return SealedReader(recording.original, recording.key_id).read(0, recording.size + 1)


def test_options_tells_what_the_server_can_do(docking: Docking, way: str) -> None:
    answer = docking.client.options("/dock/tus/", headers={"Authorization": ""})
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-defer-length",
        "creation-with-upload",
        "termination",
        "expiration",
        "checksum",
        "concatenation",
        *(["checksum-trailer"] if way == "wire" else []),
    }
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(answer.headers["Tus-Max-Size"]) > 4 * 1024**3


def test_head_tells_length_offset_and_expiry_and_is_not_cached(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:1000])
    answer = docking.head(url)
    assert answer.status_code == 200
    assert answer.headers["Upload-Length"] == str(len(CONTENT))
    assert answer.headers["Upload-Offset"] == "1000"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert parsedate_to_datetime(answer.headers["Upload-Expires"]).year >= 2026


def test_creation_hands_out_the_upload_of_the_session_and_keeps_the_client_s_metadata(
    docking: Docking, url: str
) -> None:
    answer = docking.create(1)
    assert answer.status_code == 201
    assert answer.headers["Location"] == url
    assert answer.headers["Upload-Offset"] == "0"
    assert "filename eC5tcDQ=" in docking.head(url).headers["Upload-Metadata"]


def test_creation_begins_anew_when_bytes_are_there_already(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:2_000_000])
    old = docking.uploads.get()
    answer = docking.create(1)
    assert answer.status_code == 201
    assert answer.headers["Location"] != url
    assert docking.head(url).status_code == 410
    assert not staging.folder_of(old.pk).exists()
    assert not get_keyring().has(old.key_id)
    assert docking.send(answer.headers["Location"], CONTENT).status_code == 204
    assert stored(docking) == CONTENT


def test_creation_with_upload_takes_the_first_bytes_along(docking: Docking, url: str) -> None:
    pairs = {"session": docking.answer["session"], "sequence": "1"}
    headers = {**TUS, **BYTES, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(pairs)}
    answer = docking.client.post("/dock/tus/", headers=headers, content=CONTENT[:777_777])
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == "777777"
    assert docking.patch(answer.headers["Location"], 777_777, CONTENT[777_777:]).status_code == 204
    assert stored(docking) == CONTENT


def test_creation_with_all_bytes_is_a_whole_upload(docking: Docking, url: str) -> None:
    pairs = {"session": docking.answer["session"], "sequence": "1"}
    headers = {**TUS, **BYTES, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(pairs)}
    answer = docking.client.post("/dock/tus/", headers=headers, content=CONTENT)
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == str(len(CONTENT))
    assert docking.receipt(1).status_code == 200


def test_a_body_in_http_chunks_is_taken(docking: Docking, url: str) -> None:
    def pieces() -> Iterator[bytes]:
        for at in range(0, len(CONTENT), 9999):
            yield CONTENT[at : at + 9999]

    assert docking.patch(url, 0, pieces()).status_code == 204
    assert stored(docking) == CONTENT


def test_a_wrong_offset_is_refused_and_changes_nothing(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:1000])
    for wrong in (0, 999, 1001, len(CONTENT)):
        answer = docking.patch(url, wrong, CONTENT[:10])
        assert answer.status_code == 409
        assert "HEAD" in answer.json()["next_step"]
    assert docking.head(url).headers["Upload-Offset"] == "1000"


def test_more_bytes_than_announced_are_refused(docking: Docking, url: str) -> None:
    answer = docking.patch(url, 0, CONTENT + b"!")
    assert answer.status_code == 413
    assert docking.head(url).headers["Upload-Offset"] == "0"


def test_more_bytes_than_announced_in_http_chunks_are_refused_where_they_begin(docking: Docking, url: str) -> None:
    answer = docking.patch(url, 0, iter([CONTENT[:-10], b"!" * 100]))
    assert answer.status_code == 413
    assert int(docking.head(url).headers["Upload-Offset"]) < len(CONTENT)
    offset = int(docking.head(url).headers["Upload-Offset"])
    assert docking.patch(url, offset, CONTENT[offset:]).status_code == 204
    assert stored(docking) == CONTENT


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
def test_another_version_of_the_protocol_is_not_spoken(docking: Docking, url: str, version: str | None) -> None:
    headers = {"Tus-Resumable": version} if version else {}
    for answer in (
        docking.client.head(url, headers=headers),
        docking.client.patch(url, headers={**headers, **BYTES, "Upload-Offset": "0"}, content=b"x"),
        docking.client.delete(url, headers=headers),
        docking.client.post("/dock/tus/", headers=headers),
    ):
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"


def test_termination_destroys_what_arrived_and_says_so(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:2_000_000])
    upload = docking.uploads.get()
    assert get_keyring().has(upload.key_id)
    assert docking.client.delete(url, headers=TUS).status_code == 204
    assert docking.head(url).status_code == 410
    assert docking.patch(url, 0, CONTENT).status_code == 410
    assert not get_keyring().has(upload.key_id)
    assert not staging.folder_of(upload.pk).exists()
    event = ledger.history(f"camera:{docking.camera.serial}")[-1]
    assert event.tag == "upload.abandoned"
    assert event.details["offset"] == 2_000_000
    assert docking.receipt(1).status_code == 410
    assert docking.open()[1]["state"] == "needed"


def test_an_accepted_recording_cannot_be_taken_back_by_its_dock(docking: Docking, url: str) -> None:
    docking.send(url, CONTENT)
    assert docking.client.delete(url, headers=TUS).status_code == 409
    assert docking.patch(url, 0, b"x").status_code == 409
    assert docking.head(url).headers["Upload-Offset"] == str(len(CONTENT))
    assert docking.create(1).status_code == 409
    assert stored(docking) == CONTENT


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_chunk_with_a_fitting_checksum_is_taken(docking: Docking, url: str, algorithm: str) -> None:
    for at in range(0, len(CONTENT), 1_100_000):
        chunk = CONTENT[at : at + 1_100_000]
        digest = base64.b64encode(hashlib.new(algorithm, chunk).digest()).decode()
        answer = docking.patch(url, at, chunk, **{"Upload-Checksum": f"{algorithm} {digest}"})
        assert answer.status_code == 204
    assert stored(docking) == CONTENT


def test_a_chunk_that_changed_on_its_way_is_dropped(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:10])
    digest = base64.b64encode(hashlib.sha1(b"other").digest()).decode()
    answer = docking.patch(url, 10, CONTENT[10:], **{"Upload-Checksum": f"sha1 {digest}"})
    assert answer.status_code == 460
    assert docking.head(url).headers["Upload-Offset"] == "10"
    assert docking.patch(url, 10, CONTENT[10:]).status_code == 204
    assert stored(docking) == CONTENT


@pytest.mark.parametrize("checksum", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1", "sha1 !!!", "sha256 AAAA"])
def test_a_checksum_that_cannot_be_read_is_refused(docking: Docking, url: str, checksum: str) -> None:
    assert docking.patch(url, 0, b"x", **{"Upload-Checksum": checksum}).status_code == 400


def test_a_wrong_hash_is_rejected_and_nothing_is_left(docking: Docking, url: str) -> None:
    changed = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    answer = docking.send(url, changed)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "SHA-256 differs" in answer.json()["detail"]
    assert "Keep the camera's copy" in answer.json()["meaning"]
    receipt = docking.receipt(1)
    assert receipt.status_code == 422
    assert receipt.json() == answer.json()
    upload = docking.uploads.get()
    assert (upload.state, upload.cleared, upload.manifest) == ("rejected", True, {})
    assert not get_keyring().has(upload.key_id)
    assert not staging.folder_of(upload.pk).exists()
    assert not docking.recordings.exists()
    event = ledger.history(f"camera:{docking.camera.serial}")[-1]
    assert event.tag == "upload.rejected"
    assert event.details["expected_sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert event.details["received_sha256"] == hashlib.sha256(changed).hexdigest()
    assert docking.head(url).status_code == 410

    again = docking.open()[1]
    assert again["state"] == "needed"
    assert docking.send(again["upload_url"], CONTENT).status_code == 204
    assert stored(docking) == CONTENT


@pytest.mark.parametrize("length", [0, 1, len(CONTENT) - 1, len(CONTENT) + 1])
def test_a_file_of_another_length_than_signed_is_rejected(docking: Docking, url: str, length: int) -> None:
    answer = docking.create(1, length)
    assert answer.status_code == 422
    assert str(len(CONTENT)) in answer.json()["detail"]
    event = ledger.history(f"camera:{docking.camera.serial}")[-1]
    assert event.tag == "upload.rejected"
    assert event.details["received_size"] == length
    assert not docking.recordings.exists()
    assert docking.create(1).status_code == 201


def test_a_truncated_file_stays_unfinished_and_invisible(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:-1])
    assert docking.receipt(1).status_code == 202
    assert not docking.recordings.exists()


def test_a_dropped_connection_acknowledges_what_arrived(docking: Docking, url: str) -> None:
    raw = _raw_patch(docking, url, 0, len(CONTENT))
    raw.sendall(CONTENT[:2_345_678])
    _wait_until_taken(docking)
    raw.close()
    offset = _settled_offset(docking, url, 2_345_678)
    assert offset == 2_345_678
    assert docking.patch(url, offset, CONTENT[offset:]).status_code == 204
    assert stored(docking) == CONTENT


def test_a_newer_request_takes_over_from_a_connection_that_fell_silent(docking: Docking, url: str) -> None:
    silent = _raw_patch(docking, url, 0, len(CONTENT))
    silent.sendall(CONTENT[:500_000])
    _wait_until_taken(docking)
    began = time.monotonic()
    assert docking.head(url).headers["Upload-Offset"] == "500000"
    assert time.monotonic() - began < 5
    assert docking.patch(url, 500_000, CONTENT[500_000:]).status_code == 204
    assert b"423" in silent.recv(100)
    silent.close()
    assert stored(docking) == CONTENT


def test_a_second_writer_is_told_to_wait_while_the_first_is_sending(docking: Docking, url: str) -> None:
    first = _raw_patch(docking, url, 0, len(CONTENT))
    first.sendall(CONTENT[:100_000])
    _wait_until_taken(docking)
    stop = threading.Event()

    def keep_sending() -> None:
        at = 100_000
        while not stop.wait(0.2):
            first.sendall(CONTENT[at : at + 1000])
            at += 1000
        first.sendall(CONTENT[at:])

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        answer = docking.patch(url, 0, CONTENT[:1000])
    finally:
        stop.set()
        sender.join()
    assert answer.status_code == 423
    assert answer.headers["Retry-After"]
    assert b"204" in first.recv(100)
    first.close()
    assert stored(docking) == CONTENT


def test_the_method_may_be_named_in_a_header(docking: Docking, url: str) -> None:
    headers = {**TUS, **BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert docking.client.post(url, headers=headers, content=CONTENT).status_code == 204
    assert stored(docking) == CONTENT


def test_many_small_requests_make_one_recording(docking: Docking, url: str) -> None:
    at = 0
    while at < len(CONTENT):
        at = int(docking.patch(url, at, CONTENT[at : at + 61_003]).headers["Upload-Offset"])
    assert stored(docking) == CONTENT


def test_an_unfinished_upload_expires_with_its_key(docking: Docking, url: str) -> None:
    from datetime import timedelta

    from bluelamp.ingest import services
    from bluelamp.kernel import clock

    docking.patch(url, 0, CONTENT[:1_000_000])
    upload = docking.uploads.get()
    assert services.expire() == 0
    docking.uploads.update(expires_at=clock.now() - timedelta(seconds=1))
    assert services.expire() == 1
    assert docking.head(url).status_code == 410
    assert not staging.folder_of(upload.pk).exists()
    assert not get_keyring().has(upload.key_id)
    assert ledger.history(f"camera:{docking.camera.serial}")[-1].tag == "upload.abandoned"


@pytest.mark.parametrize("chunk_size", [100_000, 1_048_560, 10_000_000])
def test_tuspy_uploads_in_chunks(docking: Docking, url: str, tmp_path: Path, chunk_size: int) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(CONTENT)
    client = TusClient(f"{docking.base}/dock/tus/", headers={"Authorization": f"Bearer {docking.token}"})
    pairs = {"session": docking.answer["session"], "sequence": "1", "filename": "film.mp4"}
    client.uploader(str(path), chunk_size=chunk_size, metadata=pairs).upload()
    assert docking.receipt(1).status_code == 200
    assert stored(docking) == CONTENT


def test_tuspy_resumes_and_checks_each_chunk(docking: Docking, url: str, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(CONTENT)
    client = TusClient(f"{docking.base}/dock/tus/", headers={"Authorization": f"Bearer {docking.token}"})
    client.uploader(str(path), chunk_size=500_000, url=url).upload(stop_at=1_500_000)
    uploader = client.uploader(str(path), chunk_size=700_000, url=url, upload_checksum=True)
    assert uploader.offset == 1_500_000
    uploader.upload()
    assert stored(docking) == CONTENT


def test_tuspy_is_told_that_a_recording_was_rejected(docking: Docking, url: str, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(len(CONTENT)))
    client = TusClient(f"{docking.base}/dock/tus/", headers={"Authorization": f"Bearer {docking.token}"})
    with pytest.raises(TusCommunicationError) as caught:
        client.uploader(str(path), url=url).upload()
    assert caught.value.status_code == 422
    assert b"SHA-256 differs" in caught.value.response_content


def _raw_patch(docking: Docking, url: str, offset: int, length: int) -> socket.socket:
    """A connection that announces `length` bytes and has sent none of them."""
    parts = urlsplit(url)
    raw = socket.create_connection((parts.hostname, parts.port), timeout=10)
    raw.sendall(
        f"PATCH {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {docking.token}\r\n"
        f"Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
        f"Upload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return raw


def _wait_until_taken(docking: Docking) -> None:
    """Until the server has opened the upload's staging, and a little more, for the bytes that are under way."""
    folder = staging.folder_of(docking.uploads.get().pk)
    while not list(folder.glob("sealed-*")):
        time.sleep(0.02)
    time.sleep(0.3)


def _settled_offset(docking: Docking, url: str, wanted: int) -> int:
    for _ in range(50):
        offset = int(docking.head(url).headers["Upload-Offset"])
        if offset == wanted:
            break
        time.sleep(0.05)
    return offset
