"""Whoever comes to the docks' entrance without a right to, or with something else than the protocol."""

from __future__ import annotations

import socket
import time
import uuid
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.test import Client

from bluelamp.custody import queries as ledger
from bluelamp.ingest import staging
from bluelamp.ingest.services import refusals
from bluelamp.ingest.services.refusals import Limiter
from bluelamp.ingest.tus import reception
from bluelamp.ingest.wire import connection as wire
from tests.ingest.docks import BYTES, TUS, Docking, metadata

CONTENT = b"evidence" * 200_000


@pytest.fixture
def url(docking: Docking) -> str:
    """An upload of CONTENT, at offset 0."""
    docking.camera.record(CONTENT)
    return docking.open()[1]["upload_url"]


def _requests(docking: Docking, url: str) -> list[tuple[str, str]]:
    session = docking.answer["session"]
    return [
        ("POST", "/api/v1/docking"),
        ("GET", f"/api/v1/docking/{session}/receipts/1"),
        ("POST", f"/api/v1/docking/{session}/unavailable/1"),
        ("POST", "/dock/tus/"),
        ("HEAD", url),
        ("PATCH", url),
        ("DELETE", url),
    ]


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        "Basic d3Jvbmc6d3Jvbmc=",
        "Bearer " + "x" * 10_000,
        "Bearer ' OR 1=1",
    ],
)
def test_without_a_valid_token_every_request_is_refused(docking: Docking, url: str, credentials: str | None) -> None:
    headers = {**TUS, **BYTES, "Upload-Offset": "0", "Upload-Length": "5"}
    if credentials is not None:
        headers["Authorization"] = credentials
    for method, path in _requests(docking, url):
        answer = httpx.request(
            method, docking.base + path.removeprefix(docking.base), headers=headers, content=b"hello"
        )
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        if method != "HEAD":
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["next_step"]
    assert docking.head(url).headers["Upload-Offset"] == "0"


def test_bad_tokens_are_on_record_but_cannot_flood_the_ledger(docking: Docking, url: str, monkeypatch) -> None:
    monkeypatch.setattr(refusals, "_docks", Limiter())
    before = len(_refused_docks())
    for _ in range(30):
        httpx.get(docking.base + "/dock/tus/", headers={"Authorization": "Bearer wrong"})
    (refused,) = _refused_docks()[before:]
    assert refused.details["peer"] == "127.0.0.1"


def _refused_docks() -> list[ledger.HistoryItem]:
    return [item for item in ledger.history("system:docks") if item.tag == "dock.refused"]


def test_a_revoked_dock_is_refused(docking: Docking, url: str) -> None:
    from bluelamp.fleet import services as fleet
    from bluelamp.fleet.models import Dock

    assert docking.patch(url, 0, CONTENT[:1000]).status_code == 204
    fleet.revoke_dock(Dock.objects.get(name=f"Dock {docking.camera.serial}"), actor="person:1")
    assert docking.patch(url, 1000, CONTENT[1000:]).status_code == 401


def test_another_dock_s_upload_is_not_found(docking: Docking, url: str) -> None:
    from bluelamp.fleet import services as fleet

    _, token = fleet.add_dock(f"Westgate {docking.camera.serial}", None, "person:1")
    with Docking(docking.base, token, docking.camera) as other:
        assert other.head(url).status_code == 404
        assert other.patch(url, 0, CONTENT).status_code == 404
        assert other.client.delete(url, headers=TUS).status_code == 404
        other.answer = docking.answer
        assert other.create(1).status_code == 404
    assert docking.head(url).headers["Upload-Offset"] == "0"


def test_what_is_not_in_the_session_s_inventory_cannot_be_sent(docking: Docking, url: str) -> None:
    docking.camera.content[2] = b"more"
    assert docking.create(2).status_code == 404
    pairs = {"session": str(uuid.uuid4()), "sequence": "1"}
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(pairs)}
    assert docking.client.post("/dock/tus/", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"sequence": "1"},
        {"session": "{session}"},
        {"session": "{session}", "sequence": "one"},
        {"session": "{session}", "sequence": "-1"},
        {"session": "{session}", "sequence": "1e9"},
        {"session": "{session}", "sequence": str(2**64)},
        {"session": "../../../etc", "sequence": "1"},
        {"session": "{session}'; DROP TABLE ingest_upload; --", "sequence": "1"},
    ],
)
def test_metadata_that_names_no_recording_is_refused(docking: Docking, url: str, pairs: dict[str, str]) -> None:
    named = {key: value.replace("{session}", docking.answer["session"]) for key, value in pairs.items()}
    headers = {**TUS, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(named)}
    answer = docking.client.post("/dock/tus/", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "raw", ["session", "session %%%", ",,,", "a" * 200 + " QQ==", "session QQ==,session QQ==", "é QQ=="]
)
def test_metadata_that_cannot_be_read_is_refused(docking: Docking, url: str, raw: str) -> None:
    headers = [(b"Tus-Resumable", b"1.0.0"), (b"Upload-Length", b"5"), (b"Upload-Metadata", raw.encode("utf-8"))]
    assert docking.client.post("/dock/tus/", headers=headers).status_code == 400


@pytest.mark.parametrize(
    "name", ["../../../../etc/passwd", "/etc/passwd", "..\\..\\x", "a\x00b", "film.mp4\r\nX: 1", "." * 300]
)
def test_path_tricks_in_metadata_reach_no_path(docking: Docking, url: str, name: str) -> None:
    pairs = {"session": docking.answer["session"], "sequence": "1", "filename": name, "upload_id": name, "path": name}
    headers = {**TUS, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(pairs)}
    assert docking.client.post("/dock/tus/", headers=headers).headers["Location"] == url
    assert docking.send(url, CONTENT).status_code == 204
    recording = docking.recordings.get()
    assert recording.filename == f"{docking.camera.serial}-1.mp4"
    assert recording.original == f"recordings/{recording.pk}/original"


@pytest.mark.parametrize("length", ["-1", "1.5", "1e3", "", "0x10", "9" * 40, "NaN", "+5"])
def test_lengths_that_are_no_lengths_are_refused(docking: Docking, url: str, length: str) -> None:
    assert docking.create(1, **{"Upload-Length": length}).status_code == 400


@pytest.mark.parametrize("offset", ["-1", "1.5", "", "9" * 40, "zero"])
def test_offsets_that_are_no_offsets_are_refused(docking: Docking, url: str, offset: str) -> None:
    answer = docking.client.patch(url, headers={**TUS, **BYTES, "Upload-Offset": offset}, content=b"x")
    assert answer.status_code == 400


def test_a_length_beyond_what_the_server_takes_is_refused(docking: Docking, url: str) -> None:
    assert docking.create(1, 10**15).status_code == 413


def test_a_recording_signed_longer_than_the_server_takes_is_refused_at_docking(docking: Docking, url: str) -> None:
    docking.camera.record(b"", size=10**14)
    item = docking.open()[2]
    assert item["state"] == "refused"
    assert "at most" in item["why"]


@pytest.mark.parametrize(
    "kind", [None, "application/octet-stream", "video/mp4", "application/offset+octet-stream; x=1"]
)
def test_a_body_of_another_kind_is_refused(docking: Docking, url: str, kind: str | None) -> None:
    headers = {**TUS, "Upload-Offset": "0"} | ({"Content-Type": kind} if kind else {})
    assert docking.client.patch(url, headers=headers, content=CONTENT).status_code == 415
    assert docking.head(url).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    "path", ["none", "..%2f..%2fetc%2fpasswd", "%00", "x" * 5000, "00000000-0000-0000-0000-000000000000"]
)
def test_addresses_that_are_no_uploads_are_not_found(docking: Docking, url: str, path: str) -> None:
    for method in ("HEAD", "PATCH", "DELETE"):
        headers = {**TUS, **BYTES, "Upload-Offset": "0"}
        answer = docking.client.request(method, f"/dock/tus/{path}", headers=headers)
        assert answer.status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_methods_that_the_protocol_does_not_have_are_refused(docking: Docking, url: str, method: str) -> None:
    assert docking.client.request(method, url, headers=TUS).status_code == 405
    assert docking.client.request(method, "/dock/tus/", headers=TUS).status_code == 405


def test_an_override_to_no_method_is_refused(docking: Docking, url: str) -> None:
    assert docking.client.post(url, headers={**TUS, "X-HTTP-Method-Override": "TRACE"}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload-Defer-Length": "1"},  # beside a length
        {"Upload-Defer-Length": "2"},
        {"Upload-Concat": "whole"},
        {"Upload-Concat": "partial;/dock/tus/1"},
        {"Upload-Concat": "final;"},
        {"Upload-Concat": "final;/dock/tus/1 /dock/tus/2"},  # beside a length
    ],
)
def test_a_creation_that_contradicts_itself_is_refused(docking: Docking, url: str, headers: dict[str, str]) -> None:
    assert docking.create(1, **headers).status_code == 400


def test_a_huge_header_does_no_harm(docking: Docking, url: str) -> None:
    try:
        answer = docking.create(1, **{"Upload-Metadata": "session " + "QUFB" * 500_000})
        assert answer.status_code in {400, 431}
    except httpx.TransportError:
        pass  # cut off before an answer
    assert docking.head(url).status_code == 200


def test_a_large_body_that_nobody_wants_still_gets_its_answer(docking: Docking, url: str) -> None:
    answer = docking.patch(url, 77, bytes(20_000_000))
    assert answer.status_code in {409, 413}
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "raw",
    [
        b"PATCH {path} HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"PATCH {path} HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"PATCH {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
    ],
)
def test_broken_http_is_refused_and_the_server_goes_on(docking: Docking, url: str, raw: bytes) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        head = raw.replace(b"{path}", parts.path.encode()).replace(
            b"HTTP/1.1\r\n",
            b"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nTus-Resumable: 1.0.0\r\n"
            b"Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n" % docking.token.encode(),
        )
        connection.sendall(head)
        assert b" 4" in connection.recv(200)[:14]
    assert docking.head(url).headers["Upload-Offset"] == "0"


def test_a_token_is_never_written_down(docking: Docking, url: str) -> None:
    docking.send(url, CONTENT)
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("fleet_dock", "ingest_docking_session", "ingest_upload", "custody_detail"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{docking.token}%"])
            assert cursor.fetchone() == (0,)


def test_nothing_is_left_in_staging_by_refused_requests(docking: Docking, url: str) -> None:
    docking.patch(url, 5, CONTENT)
    docking.head(url)
    assert not staging.folder_of(docking.uploads.get().pk).exists()


def test_a_limiter_reports_a_source_once_a_window_and_counts_the_rest() -> None:
    limiter = Limiter(window_seconds=60, most=100)
    assert limiter.admit("a", 0.0) == 0
    assert [limiter.admit("a", float(at)) for at in range(1, 50)] == [None] * 49
    assert limiter.admit("b", 50.0) == 0
    assert limiter.admit("a", 61.0) == 49


def test_a_limiter_bounds_all_sources_together() -> None:
    limiter = Limiter(window_seconds=60, most=3)
    reported = [limiter.admit(str(source), 0.0) for source in range(10)]
    assert reported == [0, 0, 0] + [None] * 7
    assert limiter.admit("new", 61.0) == 7


def test_an_address_with_a_nul_in_it_is_refused_and_recorded_like_any_other(docking: Docking, monkeypatch) -> None:
    """The ledger's JSON takes no NUL: the stranger was told that the database does not answer, and went unrecorded."""
    monkeypatch.setattr(refusals, "_docks", Limiter())
    before = len(_refused_docks())
    answer = httpx.get(docking.base + "/dock/tus/%00x", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
    (refused,) = _refused_docks()[before:]
    assert refused.details["path"] == "/dock/tus/\\x00x"


def test_a_session_cookie_with_a_nul_in_it_is_nobody_s(docking: Docking, url: str) -> None:
    """Cookies come quoted with octal escapes; the session was looked up with the NUL, which no database takes."""
    answer = httpx.head(url, headers={**TUS, "Cookie": f'{settings.SESSION_COOKIE_NAME}="\\000abcdefgh"'})
    assert answer.status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/", "/account/login/", "/api/v1/docs"])
def test_nor_does_such_a_cookie_break_a_page(client: Client, page: str) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "\x00abcdefgh"
    assert client.get(page, follow=True).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/api/v1/docking", "/api/v1/docking/x/receipts/1", "/api/v1/docking/x/unavailable/1", "/dock/tus/", "/dock/tus/x"],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "TRACE", "PROPFIND"])
def test_every_refusal_is_a_problem_document_whatever_the_method(docking: Docking, path: str, method: str) -> None:
    answer = docking.client.request(method, path, headers=TUS)
    assert answer.status_code >= 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("entry", [None, 1, "x", [[[[[]]]]], "{}", True, 1.5, []])
def test_an_entry_that_is_no_object_refuses_only_itself(docking: Docking, url: str, entry: object) -> None:
    good = [signed.to_dict() for signed in docking.camera.entries]
    answer = docking.client.post("/api/v1/docking", json=docking.request(inventory=[entry, *good]))
    assert [item["state"] for item in answer.json()["recordings"]] == ["refused", "needed"]


@pytest.mark.parametrize(
    "endless",
    [
        b"X-Endless: " + b"x" * 4_000_000,
        b"X: y\r\n" * 600_000,
        b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 4_000_000,
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 4_000_000,
    ],
)
def test_what_never_becomes_a_whole_header_is_cut_off(docking: Docking, url: str, endless: bytes) -> None:
    """The parser kept all of it, at the pace of the sender and without end."""
    parts = urlsplit(url)
    head = (
        f"PATCH {parts.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {docking.token}\r\nTus-Resumable: 1.0.0\r\n"
    )
    head += "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        try:
            connection.sendall(head.encode() + endless)
            assert connection.recv(100).startswith(b"HTTP/1.1 431 ")
            while connection.recv(65_536):
                pass
        except ConnectionError:
            pass  # closed while there was still something to send
    assert docking.head(url).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"HEAD /dock/tus/x HTT", b"HEAD /dock/tus/x HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_that_never_says_what_it_wants_is_closed(docking: Docking, monkeypatch, begun: bytes) -> None:
    """uvicorn waits without end for a head that was begun, and for a connection's first."""
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.2)
    parts = urlsplit(docking.base)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(begun)
        assert connection.recv(100) == b""


def test_a_request_begun_behind_one_that_takes_long_is_not_late(docking: Docking, url: str, monkeypatch) -> None:
    """Its connection is not read meanwhile: it is not the sender who is slow."""
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(reception.lease_of, "__defaults__", (1.0,))
    parts = urlsplit(url)
    folder = staging.folder_of(docking.uploads.get().pk)
    head = f"HEAD {parts.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {docking.token}\r\nTus-Resumable: 1.0.0\r\n"
    lease = staging.Lease.acquire(folder)
    assert lease is not None
    with lease, socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(f"{head}\r\n{head}".encode())
        assert connection.recv(2000).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        assert connection.recv(2000).startswith(b"HTTP/1.1 200 ")


def test_what_is_no_http_behind_two_requests_leaves_no_error_behind(
    docking: Docking, url: str, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the newest request heard of it; the answer to the first went to a socket that was closed."""
    monkeypatch.setattr(reception.lease_of, "__defaults__", (0.5,))
    parts = urlsplit(url)
    head = f"HEAD {parts.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {docking.token}\r\nTus-Resumable: 1.0.0\r\n"
    lease = staging.Lease.acquire(staging.folder_of(docking.uploads.get().pk))
    assert lease is not None
    with lease:
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(f"{head}\r\n{head}\r\n\0\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
        time.sleep(0.8)
    assert not [record for record in caplog.records if "Exception in ASGI" in record.getMessage()]
