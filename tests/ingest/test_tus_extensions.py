"""Lengths told late, checksums that follow the body, and uploads made of parts."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from procrastinate.jobs import Job
from procrastinate.utils import utcnow

from bluelamp.ingest import services, staging, tasks
from bluelamp.ingest.admission import Admission
from bluelamp.ingest.models import Upload
from bluelamp.kernel import clock
from bluelamp.kernel.errors import StorageFull
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from tests import factories
from tests.ingest.docks import BYTES, TUS, Docking, metadata

CONTENT = random.Random(7).randbytes(2_500_000)


@pytest.fixture(scope="module", params=["wire", "asgi"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(docking: Docking) -> str:
    docking.camera.record(CONTENT)
    return str(docking.open()[1]["upload_url"])


@pytest.fixture
def stranger(docking: Docking) -> Iterator[httpx.Client]:
    """Another dock of the force."""
    from bluelamp.fleet import services as fleet

    _, token = fleet.add_dock(f"Beside {docking.camera.serial}", factories.unit("Elsewhere"), "person:1")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=docking.base, headers=headers, timeout=30) as client:
        yield client


def stored(docking: Docking) -> bytes:
    recording = docking.recordings.get()
    return SealedReader(recording.original, recording.key_id).read(0, recording.size + 1)


def part(docking: Docking, content: bytes, **headers: str) -> httpx.Response:
    return docking.client.post(
        "/dock/tus/", headers={**TUS, "Upload-Concat": "partial", "Upload-Length": str(len(content)), **headers}
    )


def whole(docking: Docking, urls: list[str]) -> httpx.Response:
    pairs = {"session": docking.answer["session"], "sequence": "1"}
    return docking.client.post(
        "/dock/tus/",
        headers={**TUS, "Upload-Concat": f"final;{' '.join(urls)}", "Upload-Metadata": metadata(pairs)},
    )


def sent_parts(docking: Docking, *pieces: bytes) -> list[str]:
    urls = []
    for piece in pieces:
        created = part(docking, piece)
        assert created.status_code == 201, created.text
        urls.append(created.headers["Location"])
        assert docking.patch(urls[-1], 0, piece).status_code == 204
    return urls


# A length told late


def deferred(docking: Docking) -> httpx.Response:
    pairs = {"session": docking.answer["session"], "sequence": "1"}
    return docking.client.post(
        "/dock/tus/", headers={**TUS, "Upload-Defer-Length": "1", "Upload-Metadata": metadata(pairs)}
    )


def test_a_dock_may_tell_the_length_last(docking: Docking, url: str) -> None:
    created = deferred(docking)
    assert created.status_code == 201
    address = created.headers["Location"]
    assert docking.head(address).headers["Upload-Length"] == str(len(CONTENT))  # the camera signed it
    assert docking.patch(address, 0, CONTENT[:1000]).status_code == 204
    assert docking.patch(address, 1000, CONTENT[1000:], **{"Upload-Length": str(len(CONTENT))}).status_code == 204
    assert stored(docking) == CONTENT
    last = docking.patch(address, len(CONTENT), b"", **{"Upload-Length": str(len(CONTENT))})
    assert last.status_code == 204  # said once more, with no bytes, it is no error


def test_another_length_than_the_signed_one_is_refused_also_when_it_is_told_late(docking: Docking, url: str) -> None:
    address = deferred(docking).headers["Location"]
    answer = docking.patch(address, 0, CONTENT[:1000], **{"Upload-Length": "1000"})
    assert answer.status_code == 422
    assert "signed" in answer.json()["detail"]
    assert docking.head(address).headers["Upload-Offset"] == "0"


def test_a_part_without_a_length_is_not_complete_until_it_is_told(docking: Docking, url: str) -> None:
    created = docking.client.post("/dock/tus/", headers={**TUS, "Upload-Concat": "partial", "Upload-Defer-Length": "1"})
    address = created.headers["Location"]
    docking.patch(address, 0, CONTENT)
    stand = docking.head(address)
    assert stand.headers["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in stand.headers
    assert whole(docking, [address]).status_code == 400
    assert docking.patch(address, len(CONTENT), b"", **{"Upload-Length": str(len(CONTENT))}).status_code == 204
    assert docking.patch(address, len(CONTENT), b"", **{"Upload-Length": "5"}).status_code == 400  # it stays
    assert whole(docking, [address]).status_code == 201


# A checksum that follows the body


def with_trailer(docking: Docking, url: str, content: bytes, checksum: str | None, announce: bool = True) -> bytes:
    """A chunked PATCH by hand: the first line of the answer. httpx cannot send trailers."""
    parts = urlsplit(url)
    lines = [
        f"PATCH {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {docking.token}",
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 0",
        "Content-Type: application/offset+octet-stream",
        "Transfer-Encoding: chunked",
        *(["Trailer: Upload-Checksum"] if announce else []),
    ]
    body = b""
    for at in range(0, len(content), 300_000):
        piece = content[at : at + 300_000]
        body += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    trailer = f"Upload-Checksum: {checksum}\r\n" if checksum else ""
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body + f"0\r\n{trailer}\r\n".encode())
        return connection.recv(65536).split(b"\r\n")[0]


def sha1(content: bytes) -> str:
    return "sha1 " + base64.b64encode(hashlib.sha1(content).digest()).decode()


def test_a_chunk_whose_checksum_follows_is_taken_if_it_fits(docking: Docking, url: str, way: str) -> None:
    answer = with_trailer(docking, url, CONTENT, sha1(CONTENT))
    if way == "asgi":  # a server that cannot read trailers does not advertise them, and takes nothing on trust
        assert b" 400 " in answer
        return
    assert b" 204 " in answer
    assert stored(docking) == CONTENT


@pytest.mark.parametrize(("checksum", "status"), [(sha1(b"another"), 460), ("md5 AAAA", 400), (None, 400)])
def test_a_chunk_whose_checksum_does_not_follow_or_fit_is_dropped(
    docking: Docking, url: str, way: str, checksum: str | None, status: int
) -> None:
    answer = with_trailer(docking, url, CONTENT[:500_000], checksum)
    assert f" {status if way == 'wire' else 400} ".encode() in answer
    assert docking.head(url).headers["Upload-Offset"] == "0"


# Made of parts


def test_parts_become_one_recording_and_leave_nothing(docking: Docking, url: str) -> None:
    urls = sent_parts(docking, CONTENT[:700_000], CONTENT[700_000:1_900_001], CONTENT[1_900_001:])
    assert docking.head(urls[0]).headers["Upload-Concat"] == "partial"
    created = whole(docking, urls)
    assert created.status_code == 201, created.text
    address = created.headers["Location"]
    stand = docking.head(address)
    assert "Upload-Offset" not in stand.headers
    assert stand.headers["Upload-Length"] == str(len(CONTENT))
    assert stand.headers["Upload-Concat"].startswith("final;")
    services.join(docking.uploads.get().pk)
    assert stored(docking) == CONTENT
    assert docking.head(address).headers["Upload-Offset"] == str(len(CONTENT))
    assert docking.receipt(1).status_code == 200
    parts = Upload.objects.filter(pk__in=[one.rpartition("/")[2] for one in urls])
    assert {one.state for one in parts} == {"joined"}
    assert not any(get_keyring().has(one.key_id) for one in parts)
    assert not any(staging.folder_of(one.pk).exists() for one in parts)
    assert docking.head(urls[0]).status_code == 410


def test_no_bytes_can_be_sent_to_an_upload_that_is_made_of_parts(docking: Docking, url: str) -> None:
    address = whole(docking, sent_parts(docking, CONTENT)).headers["Location"]
    assert docking.patch(address, 0, b"other").status_code == 403


def test_joining_goes_on_after_a_crash_in_its_midst(docking: Docking, url: str) -> None:
    urls = sent_parts(docking, CONTENT[:1_200_000], CONTENT[1_200_000:])
    whole(docking, urls)
    upload = docking.uploads.get()
    lease = staging.Lease.acquire(staging.folder_of(upload.pk))
    assert lease is not None
    with lease:  # a worker that died after it had taken the first part in
        writer = services.open_writer(upload, lease)
        writer.write(CONTENT[:1_200_000])
        writer.acknowledge()
        writer.close()
    services.recover()
    assert stored(docking) == CONTENT
    assert docking.recordings.count() == 1


def test_joining_that_finds_no_room_is_tried_again_when_there_may_be_some() -> None:
    waits = []
    for attempts in range(10):
        job = Job(id=1, queue="intake", lock=None, queueing_lock=None, task_name=tasks.join.name, attempts=attempts)
        retry = tasks.join.get_retry_exception(StorageFull("There is no room."), job)
        waits.append(retry.retry_decision.retry_at - utcnow() if retry else None)
    assert waits[-1] is None, "not for ever"
    assert sum((wait for wait in waits if wait), timedelta()) > timedelta(minutes=2), "not at once five times"


def test_parts_in_another_order_are_rejected_since_the_camera_signed_the_whole(docking: Docking, url: str) -> None:
    urls = sent_parts(docking, CONTENT[:1_200_000], CONTENT[1_200_000:])
    assert whole(docking, urls[::-1]).status_code == 201
    upload = docking.uploads.get()
    services.join(upload.pk)
    upload.refresh_from_db()
    assert upload.state == Upload.State.REJECTED
    assert not docking.recordings.exists()
    assert not staging.folder_of(upload.pk).exists()
    assert docking.receipt(1).status_code == 422


def test_parts_that_are_not_complete_do_not_add_up_or_come_twice_are_refused(docking: Docking, url: str) -> None:
    first, second = sent_parts(docking, CONTENT[:1_200_000], CONTENT[1_200_000:])
    unfinished = part(docking, CONTENT).headers["Location"]
    for urls in ([first], [first, first], [first, unfinished], [first, "/dock/tus/nonsense"], [first] * 65):
        assert whole(docking, urls).status_code == 400, urls
    assert whole(docking, [first, second]).status_code == 201


def test_what_was_acknowledged_in_one_piece_outlives_parts_that_do_not_fit(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:1000])
    assert whole(docking, sent_parts(docking, CONTENT[:1_200_000])).status_code == 400
    assert docking.head(url).headers["Upload-Offset"] == "1000"
    assert docking.patch(url, 1000, CONTENT[1000:]).status_code == 204
    assert stored(docking) == CONTENT


def test_parts_take_the_place_of_what_was_begun_in_one_piece(docking: Docking, url: str) -> None:
    docking.patch(url, 0, CONTENT[:1000])
    begun = row_of(url)
    address = whole(docking, sent_parts(docking, CONTENT)).headers["Location"]
    services.join(row_of(address).pk)
    assert stored(docking) == CONTENT
    begun.refresh_from_db()
    assert (begun.state, begun.cleared, get_keyring().has(begun.key_id)) == (Upload.State.ABANDONED, True, False)
    assert not staging.folder_of(begun.pk).exists()


def test_another_dock_cannot_use_see_or_end_a_part(docking: Docking, url: str, stranger: httpx.Client) -> None:
    (address,) = sent_parts(docking, CONTENT)
    assert stranger.head(address, headers=TUS).status_code == 404
    assert stranger.delete(address, headers=TUS).status_code == 404
    patched = stranger.patch(address, headers={**TUS, **BYTES, "Upload-Offset": "0"}, content=b"x")
    assert patched.status_code == 404
    own = stranger.post("/dock/tus/", headers={**TUS, "Upload-Concat": "partial", "Upload-Length": "1"})
    assert own.status_code == 201
    assert whole(docking, [own.headers["Location"]]).status_code == 404
    assert docking.head(address).status_code == 200


def test_parts_that_nobody_joins_expire_within_a_day_with_their_keys(docking: Docking, url: str) -> None:
    (address,) = sent_parts(docking, CONTENT)
    row = Upload.objects.filter(pk=address.rpartition("/")[2])
    assert row.get().expires_at - clock.now() <= timedelta(hours=24)
    row.update(expires_at=clock.now() - timedelta(seconds=1))
    services.expire()
    assert row.get().state == Upload.State.ABANDONED
    assert not get_keyring().has(row.get().key_id)
    assert docking.head(address).status_code == 410


def row_of(address: str) -> Upload:
    return Upload.objects.get(pk=address.rpartition("/")[2])


def test_a_part_that_was_looked_at_while_it_was_joined_goes_all_the_same(docking: Docking, url: str) -> None:
    (address,) = sent_parts(docking, CONTENT)
    whole(docking, [address])
    part_row = row_of(address)
    lease = None

    def look(*_: object) -> bool:
        nonlocal lease
        lease = lease or staging.Lease.acquire(
            staging.folder_of(part_row.pk)
        )  # as a HEAD does, just when it is to be cleared
        return False

    from bluelamp.ingest.services import joining

    upload = docking.uploads.get()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(joining, "release", look)
        services.join(upload.pk)
    assert lease is not None
    lease.release()
    assert get_keyring().has(part_row.key_id)
    services.recover()
    assert not get_keyring().has(part_row.key_id)
    assert not staging.folder_of(part_row.pk).exists()
    assert stored(docking) == CONTENT


def test_parts_of_a_planned_whole_cannot_be_ended_expire_or_be_joined_again(docking: Docking, url: str) -> None:
    urls = sent_parts(docking, CONTENT[:1_000_000], CONTENT[1_000_000:])
    first = whole(docking, urls)
    assert first.status_code == 201
    assert docking.client.delete(urls[0], headers=TUS).status_code in {409, 410}
    Upload.objects.filter(concat="partial").update(expires_at=clock.now() - timedelta(days=1))
    services.expire()
    services.recover(docking.uploads.get().camera)
    again = whole(docking, urls)  # the same once more, as after a lost answer, is the same upload
    assert (again.status_code, again.headers["Location"]) == (201, first.headers["Location"])
    assert whole(docking, urls[::-1]).status_code in {400, 409}
    services.join(docking.uploads.exclude(state="abandoned").get().pk)
    assert stored(docking) == CONTENT


def test_a_whole_whose_part_lost_its_key_is_rejected_in_words(docking: Docking, url: str) -> None:
    (address,) = sent_parts(docking, CONTENT)
    whole(docking, [address])
    get_keyring().erase(row_of(address).key_id)
    upload = docking.uploads.get()
    services.join(upload.pk)
    upload.refresh_from_db()
    assert upload.state == Upload.State.REJECTED
    assert "part" in upload.problem["detail"]


def test_a_part_created_while_all_places_are_taken_is_made_and_waits_for_its_bytes(
    docking: Docking, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bluelamp.ingest.tus import reception

    full = Admission(0, wait_seconds=0.05)
    monkeypatch.setattr(reception, "admission", lambda: full)
    created = docking.client.post(
        "/dock/tus/",
        headers={**TUS, **BYTES, "Upload-Concat": "partial", "Upload-Length": str(len(CONTENT))},
        content=CONTENT,
    )
    assert (created.status_code, created.headers["Upload-Offset"]) == (201, "0")
    monkeypatch.undo()
    assert docking.patch(created.headers["Location"], 0, CONTENT).status_code == 204


def test_a_length_below_what_has_arrived_is_refused(docking: Docking, url: str) -> None:
    created = docking.client.post("/dock/tus/", headers={**TUS, "Upload-Concat": "partial", "Upload-Defer-Length": "1"})
    address = created.headers["Location"]
    docking.patch(address, 0, CONTENT[:5000])
    assert docking.patch(address, 5000, b"", **{"Upload-Length": "4999"}).status_code == 400
    assert docking.patch(address, 5000, b"", **{"Upload-Length": "5000"}).status_code == 204
