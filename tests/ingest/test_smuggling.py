"""A request hidden behind a body whose length is not plain is never obeyed."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.campaigns.rawhttp import Answer, Sent, exchange, head
from tests.ingest.docks import Docking

CONTENT = b"evidence" * 5000
OCTETS = (b"Content-Type", b"application/offset+octet-stream")


@pytest.fixture
def urls(docking: Docking) -> tuple[str, str]:
    """Two uploads of CONTENT: one that the request is for, one that the hidden request would end."""
    docking.camera.record(CONTENT)
    docking.camera.record(CONTENT)
    asked = docking.open()
    assert docking.patch(asked[2]["upload_url"], 0, CONTENT[:1000]).status_code == 204
    return asked[1]["upload_url"], asked[2]["upload_url"]


def _head(docking: Docking, method: str, url: str, *more: tuple[bytes, bytes]) -> bytes:
    token = b"Bearer " + docking.token.encode()
    common = [(b"Host", b"x"), (b"Authorization", token), (b"Tus-Resumable", b"1.0.0"), (b"Upload-Offset", b"0")]
    return head(method, urlsplit(url).path, [*common, *more])


def _exchange(docking: Docking, raw: bytes, patience: float = 1.0) -> list[Answer]:
    parts = urlsplit(docking.base)
    return exchange((str(parts.hostname), int(parts.port or 0)), Sent((raw,), whole=False, patience=patience))


@pytest.mark.parametrize(
    "framing",
    [
        [(b"Content-Length", b"4"), (b"Transfer-Encoding", b"chunked")],
        [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"4")],
        [(b"Content-Length", b"4"), (b"Content-Length", b"0")],
        [(b"Content-Length", b"0"), (b"Content-Length", b"4")],
        [(b"Content-Length", b"0, 4")],
        [(b"Content-Length", b"+0")],
        [(b"Content-Length", b"-0")],
        [(b"Content-Length", b"0x0")],
        [(b"Content-Length ", b"0")],
        [(b"Transfer-Encoding", b"chunked, identity")],
        [(b"Transfer-Encoding", b"xchunked")],
        [(b"Transfer-Encoding", b"identity"), (b"Content-Length", b"0")],
        [(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"identity")],
        [(b"Transfer-Encoding", b"\x0bchunked")],
        [(b"X", b"y\nTransfer-Encoding: chunked")],
        [(b"X", b"y\rTransfer-Encoding: chunked")],
        [(b"Transfer-Encoding", b"chunked"), (b"X", b"y\x00z")],
    ],
)
def test_a_request_behind_an_ambiguous_body_is_not_obeyed(
    docking: Docking, urls: tuple[str, str], framing: list[tuple[bytes, bytes]]
) -> None:
    sent_to, victim = urls
    hidden = _head(docking, "DELETE", victim)
    answers = _exchange(docking, _head(docking, "PATCH", sent_to, OCTETS, *framing) + b"0\r\n\r\n" + hidden)
    assert [answer.status for answer in answers] == [400]
    assert docking.head(victim).headers["Upload-Offset"] == "1000"


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"x"])
@pytest.mark.parametrize("split", [False, True])
def test_a_body_behind_an_upgrade_is_no_request(
    docking: Docking, urls: tuple[str, str], protocol: bytes, split: bool
) -> None:
    sent_to, victim = urls
    hidden = _head(docking, "DELETE", victim)
    upgrade = [(b"Connection", b"Upgrade"), (b"Upgrade", protocol)]
    length = (b"Content-Length", str(len(hidden)).encode())
    first = _head(docking, "PATCH", sent_to, OCTETS, *upgrade, length)
    parts = urlsplit(docking.base)
    pieces = (first, hidden) if split else (first + hidden,)
    answers = exchange((str(parts.hostname), int(parts.port or 0)), Sent(pieces, whole=False, patience=1.0))
    assert [answer.status for answer in answers] == [400]
    assert docking.head(victim).headers["Upload-Offset"] == "1000"
    assert docking.head(sent_to).headers["Upload-Offset"] == "0"


def test_an_upgrade_without_a_body_is_passed_over(docking: Docking, urls: tuple[str, str]) -> None:
    asked = _head(docking, "HEAD", urls[1], (b"Connection", b"Upgrade"), (b"Upgrade", b"h2c"))
    assert [answer.status for answer in _exchange(docking, asked)] == [200]


@pytest.mark.parametrize(
    "chunks",
    [b"-1\r\n", b"0x1\r\nx\r\n", b"1\r\nxx\r\n", b"1;\x00\r\nx\r\n", b"ffffffffffffffffff\r\n", b" 1\r\nx\r\n"],
)
def test_a_request_behind_broken_chunks_is_not_obeyed(docking: Docking, urls: tuple[str, str], chunks: bytes) -> None:
    sent_to, victim = urls
    first = _head(docking, "PATCH", sent_to, OCTETS, (b"Transfer-Encoding", b"chunked"))
    answers = _exchange(docking, first + chunks + b"0\r\n\r\n" + _head(docking, "DELETE", victim))
    assert [answer.status for answer in answers] in ([400], [])
    assert docking.head(victim).headers["Upload-Offset"] == "1000"


def test_a_request_within_a_body_is_bytes_of_the_recording(docking: Docking, urls: tuple[str, str]) -> None:
    sent_to, victim = urls
    hidden = _head(docking, "DELETE", victim)
    answers = _exchange(
        docking, _head(docking, "PATCH", sent_to, OCTETS, (b"Content-Length", b"%d" % len(hidden))) + hidden
    )
    assert [answer.status for answer in answers] == [204]
    assert docking.head(sent_to).headers["Upload-Offset"] == str(len(hidden))
    assert docking.head(victim).headers["Upload-Offset"] == "1000"


@pytest.mark.parametrize("length", [b"9000", b"90000", b"9" * 16])
@pytest.mark.parametrize(
    "refused", [(b"Upload-Offset", b"7"), (b"Tus-Resumable", b"0.2"), (b"Content-Type", b"text/x")]
)
def test_a_request_within_a_body_that_is_refused_is_not_obeyed(
    docking: Docking, urls: tuple[str, str], refused: tuple[bytes, bytes], length: bytes
) -> None:
    sent_to, victim = urls
    first = [(b"Content-Length", length), (b"Authorization", b"Bearer " + docking.token.encode()), refused]
    octets = [OCTETS] if refused[0] != b"Content-Type" else []
    version = [(b"Tus-Resumable", b"1.0.0")] if refused[0] != b"Tus-Resumable" else []
    raw = head("PATCH", urlsplit(sent_to).path, [(b"Host", b"x"), *version, *octets, *first])
    answers = _exchange(docking, raw + _head(docking, "DELETE", victim), patience=5.0)
    assert [answer.status >= 400 for answer in answers] == [True]
    assert answers[0].headers["connection"] == "close"
    assert docking.head(victim).headers["Upload-Offset"] == "1000"


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "GET"])
def test_a_body_that_a_method_has_no_use_for_hides_nothing(
    docking: Docking, urls: tuple[str, str], method: str
) -> None:
    _, victim = urls
    hidden = _head(docking, "DELETE", victim)
    target = victim.replace(victim[-8:], "00000000")
    raw = _head(docking, method, target, (b"Content-Length", b"%d" % len(hidden))) + hidden
    parts = urlsplit(docking.base)
    sent = Sent((raw,), whole=False, bodiless=method == "HEAD", patience=1.0)
    assert len(exchange((str(parts.hostname), int(parts.port or 0)), sent)) == 1
    assert docking.head(victim).headers["Upload-Offset"] == "1000"


def test_a_request_that_waits_behind_an_honest_body_is_one_of_its_own(docking: Docking, urls: tuple[str, str]) -> None:
    sent_to, victim = urls
    first = _head(docking, "PATCH", sent_to, OCTETS, (b"Content-Length", b"5")) + b"hello"
    stranger = head("DELETE", urlsplit(victim).path, [(b"Host", b"x"), (b"Tus-Resumable", b"1.0.0")])
    answers = _exchange(docking, first + stranger)
    assert [answer.status for answer in answers] == [204, 401], "the token of the first is not the second's"
    assert docking.head(victim).headers["Upload-Offset"] == "1000"
