"""HTTP for the verifier against servers that do not behave."""

from __future__ import annotations

import gzip
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from bluelamp.verify.fetching import Unreachable, fetch
from tests.verify.static_log import serve


class _Server(BaseHTTPRequestHandler):
    """Answers by the path: status, headers and body as the test has put them there."""

    answers = {}
    asked = []

    def do_GET(self):
        self._answer(None)

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body):
        self.asked.append((self.path, body))
        status, headers, content = self.answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    _Server.answers, _Server.asked = {}, []
    with serve(tmp_path, _Server) as url:
        yield url


def _fetch(url, most=1000, seconds=10.0, body=None):
    return fetch(url, most=most, seconds=seconds, body=body)


def test_status_type_and_body_are_returned_whatever_the_status(server):
    for status in (200, 404, 409, 422, 500):
        _Server.answers["/a"] = (status, {"Content-Type": "text/x.tlog.size"}, b"7\n")
        found = _fetch(f"{server}/a")
        assert (found.status, found.content_type, found.body) == (status, "text/x.tlog.size", b"7\n")


def test_a_body_is_posted(server):
    _Server.answers["/a"] = (200, {}, b"")
    _fetch(f"{server}/a", body="old 0\n\n— note\n".encode())
    assert _Server.asked == [("/a", "old 0\n\n— note\n".encode())]


def test_what_is_packed_is_unpacked(server):
    _Server.answers["/a"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"a" * 1000))
    assert _fetch(f"{server}/a").body == b"a" * 1000


@pytest.mark.parametrize(
    ("headers", "content", "said"),
    [
        ({}, b"a" * 1001, "larger than 1000 bytes"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"a" * 1001, mtime=0), "larger than 1000 bytes"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"a" * 10, mtime=0)[:-1], "ends too early"),
        ({"Content-Encoding": "gzip"}, b"not packed at all", "cannot be reached"),
        ({"Content-Encoding": "br"}, b"a", "not asked for"),
        ({"Content-Length": "11"}, b"a" * 10, "ends too early"),
    ],
)
def test_an_answer_that_is_too_large_or_broken_is_none(server, headers, content, said):
    _Server.answers["/a"] = (200, headers, content)
    with pytest.raises(Unreachable, match=said):
        _fetch(f"{server}/a")


def test_a_redirect_is_not_followed(server):
    _Server.answers["/a"] = (302, {"Location": f"{server}/b"}, b"")
    _Server.answers["/b"] = (200, {}, b"elsewhere")
    with pytest.raises(Unreachable, match="points to another address"):
        _fetch(f"{server}/a")
    assert [path for path, _ in _Server.asked] == ["/a"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,a", "/etc/passwd", "http:///a", ""])
def test_nothing_but_http_is_fetched(url):
    with pytest.raises(Unreachable, match="begins with http"):
        _fetch(url)


def test_nobody_there_is_said_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="cannot be reached"):
            _fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/")


@contextmanager
def _dripping(head):
    """A server that sends `head` and then a byte now and then, for as long as it is let."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip():
        connected, _ = listener.accept()
        with connected:
            try:
                connected.sendall(head)
                while not over.wait(0.01):
                    connected.sendall(b"a")
            except OSError:
                pass

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        listener.close()
        thread.join()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_is_left_after_the_time_that_was_given(head):
    with _dripping(head) as url, pytest.raises(Unreachable, match="did not answer within"):
        _fetch(url, most=10**9, seconds=0.2)
