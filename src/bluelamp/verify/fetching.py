"""HTTP for the verifier, with the standard library: bounded in size and time, whatever the other side does.

Redirects are not followed: what is verified is what the named address serves. Proxies are taken from the environment,
as `urllib` does.
"""

import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 1 << 16


class Unreachable(Exception):
    """No usable answer came; the message says why. Nothing follows from it about the log or the witness."""


class TooLarge(Unreachable):
    """The answer is larger than any right one."""


@dataclass(frozen=True)
class Answer:
    """Status, content type and body of whatever the server said."""

    status: int
    content_type: str
    body: bytes


def fetch(
    url: str, *, most: int, seconds: float, body: bytes | None = None, kind: str = "text/plain; charset=utf-8"
) -> Answer:
    """GET `url`, or POST `body`, of the content type `kind`, to it. Raises Unreachable, of it TooLarge.

    `most`: the largest body that is read, in bytes, unpacked. `seconds`: until the whole answer must be there.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable(f"{url} is not an address that begins with http:// or https://.")
    watch = _Watch(seconds)
    headers = {"Accept-Encoding": "gzip, identity", "Cache-Control": "no-cache", "User-Agent": "bluelamp-verify"}
    if body is not None:
        headers["Content-Type"] = kind
    request = urllib.request.Request(url, body, headers)  # noqa: S310  the scheme was looked at
    try:
        with _opener(watch).open(request, timeout=seconds) as response:
            content = _read(response, most, watch)
            packed = response.headers.get("Content-Encoding", "")
            found = Answer(response.status, response.headers.get("Content-Type", ""), _unpack(content, packed, most))
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        if watch.is_over:
            raise Unreachable(f"{url} did not answer within {seconds:.0f} seconds.") from error
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise Unreachable(f"{url} cannot be reached: {reason}") from error
    finally:
        watch.stop()
    if 300 <= found.status < 400:
        raise Unreachable(f"{url} points to another address. Name the address that answers itself.")
    return found


class _Watch:
    """Ends a connection when the time is up: a server that sends a byte now and then would keep it for ever."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._timers: list[threading.Timer] = []

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def guard(self, connected: socket.socket) -> None:
        timer = threading.Timer(max(0.0, self._until - time.monotonic()), _cut, [connected])
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()


def _cut(connected: socket.socket) -> None:
    try:
        # Of the plain socket below TLS too, whose own shutdown would wait for the other side.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        pass


def _opener(watch: _Watch) -> urllib.request.OpenerDirector:
    """Only what is needed: no files, no FTP, no redirects, no errors raised for a status."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            _guarded(self, watch)
            super().connect()

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            _guarded(self, watch)
            super().connect()
            watch.guard(self.sock)

    class Http(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(Plain, req)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(Secure, req, context=ssl.create_default_context())

    director = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), Http(), Https()):
        director.add_handler(handler)
    return director


def _guarded(connection: Any, watch: _Watch) -> None:
    """Have the connection's socket guarded from the moment it stands: a handshake can be drawn out, too."""

    def create(*arguments: Any, **named: Any) -> socket.socket:
        connected = socket.create_connection(*arguments, **named)
        watch.guard(connected)
        return connected

    connection._create_connection = create


def _read(response: Any, most: int, watch: _Watch) -> bytes:
    parts, size = [], 0
    while part := response.read1(_CHUNK):
        size += len(part)
        if size > most:
            raise TooLarge(f"The answer is larger than {most} bytes.")
        parts.append(part)
    if watch.is_over:
        raise TimeoutError
    length = response.headers.get("Content-Length")
    if length is not None and length.isdecimal() and int(length) != size:
        raise ValueError("the answer ends too early")
    return b"".join(parts)


def _unpack(content: bytes, encoding: str, most: int) -> bytes:
    if encoding in ("", "identity"):
        return content
    if encoding != "gzip":
        raise ValueError(f"the answer is packed in a way that was not asked for ({encoding})")
    unpacker = zlib.decompressobj(wbits=31)
    found = unpacker.decompress(content, most + 1)
    if len(found) > most:
        raise TooLarge(f"The answer is larger than {most} bytes.")
    if not unpacker.eof:
        raise ValueError("the answer ends too early")
    return found
