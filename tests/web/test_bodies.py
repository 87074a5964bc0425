from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware

from bluelamp.web.bodies import WholeBody
from tests.web.sending import answer, post, send, serving

THREADS = 2


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """A page that gives back what was sent to it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"got:" + body]


@pytest.fixture
def seconds() -> float:
    """How long a body may take: so long that no test sees the end of it, unless it asks for less."""
    return 60.0


@pytest.fixture
def port(seconds: float) -> Iterator[int]:
    pages: Any = WSGIMiddleware(echo, workers=THREADS)
    with serving(WholeBody(pages, most=200_000, seconds=seconds, room=250_000)) as port:
        yield port


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """What a connection brought, or that it has closed, is known to the server a moment later."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_page_answers_while_more_slow_senders_wait_than_there_are_threads(port: int) -> None:
    slow = [send(port, post("/", length=1000, body=b"ab")) for _ in range(5 * THREADS)]
    time.sleep(0.1)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as page:
        assert page.read() == b"got:"
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("seconds", [1.0])
def test_a_body_that_does_not_arrive_in_time_is_answered_408_and_the_connection_ends(port: int) -> None:
    began = time.monotonic()
    told = answer(send(port, post("/", length=1000, body=b"ab")))
    assert told.startswith("HTTP/1.1 408")
    assert "Nothing was changed" in told
    assert time.monotonic() - began > 0.8


@pytest.mark.parametrize("seconds", [1.0])
def test_dripping_bytes_does_not_prolong_the_time_allowed(port: int) -> None:
    connection = send(port, post("/", length=1000))
    began = time.monotonic()
    try:
        while time.monotonic() - began < 20:
            connection.sendall(b"x")
            time.sleep(0.1)
    except OSError:
        pass
    assert time.monotonic() - began < 15


def test_a_body_announced_too_large_is_answered_413_before_it_is_sent(port: int) -> None:
    assert answer(send(port, post("/", length=200_001))).startswith("HTTP/1.1 413")


def test_a_body_that_turns_out_too_large_is_answered_413(port: int) -> None:
    chunk = b"30d41\r\n" + b"x" * 0x30D41 + b"\r\n"
    assert answer(send(port, post("/", body=chunk))).startswith("HTTP/1.1 413")


def test_waiting_large_bodies_share_one_room_and_small_ones_pass(port: int) -> None:
    first = send(port, post("/", length=190_000, body=b"x" * 180_000))
    second = post("/", length=100_000, body=b"x" * 100_000)
    until(lambda: answer(send(port, second)).startswith("HTTP/1.1 503"))
    assert "got:small" in answer(send(port, post("/", length=5, body=b"small")))
    first.close()
    until(lambda: answer(send(port, second)).startswith("HTTP/1.1 200"))


def test_what_arrives_in_pieces_reaches_the_page_whole(port: int) -> None:
    connection = send(port, post("/", length=9, body=b"one"))
    for piece in (b"two", b"six"):
        time.sleep(0.05)
        connection.sendall(piece)
    assert "got:onetwosix" in answer(connection)
