"""Media bytes, beside Django: one look at the policy, then decrypted segments as fast as the browser takes them.

Held at a time: one sealed segment and its plaintext, 2 MiB. What left is recorded when the answer ends, however it
ends, and in a long one now and then, so that a crash loses little of the account.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from django.conf import settings
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from bluelamp.footage import delivery, ranges
from bluelamp.footage.delivery import Delivery
from bluelamp.footage.services.viewing import record_range
from bluelamp.kernel.errors import BluelampError, NotAllowed
from bluelamp.kernel.threads import Pool

log = structlog.get_logger(__name__)

# For the database, the keyring and the store; the number bounds how many answers are read from the store at once.
threads = Pool("media", 8)

_PIECE = 256 * 1024  # bytes handed to the connection at a time: what can be counted too much when it breaks
_LOOK_AGAIN = 5.0  # seconds until a revocation or a lock stops an answer that is on its way
_RECORD_EVERY = 64 * 1024 * 1024  # bytes

_HEADERS = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    # A file that pretends to be a page, opened by its address, must be able to do nothing.
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
}


class Media:
    """/media/<viewing>/<variant> and /media/poster/<recording>."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _say(send, 405, b"Only GET and HEAD are answered here.\n", {"allow": "GET, HEAD"})
            return
        names: dict[str, Any] = scope["path_params"]
        session_key = HTTPConnection(scope).cookies.get(settings.SESSION_COOKIE_NAME)
        try:
            if "recording" in names:
                found = await threads.run(delivery.poster, names["recording"], session_key)
            else:
                found = await threads.run(delivery.deliver, names["viewing"], names["variant"], session_key)
        except BluelampError as error:
            await refuse(send, error, scope["method"])
            return
        await Answer(_outgoing(found, session_key), scope, receive, send).give()


class Bytes(Protocol):
    """What is sent: `size` bytes, any stretch of which can be read in pieces."""

    size: int

    def iter(self, start: int, length: int) -> Iterator[memoryview]:
        """The bytes from `start`, `length` of them."""


@dataclass(frozen=True)
class Outgoing:
    """What an answer sends. `name` is for the log; `filename` is set for a download.

    `look_again()` raises NotAllowed where it may not go on; `record(first, last)` puts what left into the ledger, now
    and then (`record_every` bytes) and at the end.
    """

    name: str
    reader: Bytes
    content_type: str
    etag: str
    filename: str
    look_again: Callable[[], object]
    record: Callable[[int, int], object]
    record_every: int


class Answer:
    """One answer on its way: which bytes, how many have left, and until where they are in the ledger."""

    def __init__(self, found: Outgoing, scope: Scope, receive: Receive, send: Send) -> None:
        self._found = found
        self._head = scope["method"] == "HEAD"
        self._headers = Headers(scope=scope)
        self._receive, self._send = receive, send
        self._size = found.reader.size
        self._recorded = self._sent = 0

    async def give(self) -> None:
        headers = {
            **_HEADERS,
            "content-type": self._found.content_type,
            "accept-ranges": "bytes",
            "etag": self._found.etag,
        }
        if self._found.filename:
            headers["content-disposition"] = f'attachment; filename="{self._found.filename}"'
        try:
            part = self._part()
        except ranges.Unsatisfiable:
            await _say(self._send, 416, b"", {**_HEADERS, "content-range": f"bytes */{self._size}"})
            return
        whole = ranges.Stretch(0, self._size - 1)
        stretch = part or whole
        if part is not None:
            headers["content-range"] = f"bytes {part.first}-{part.last}/{self._size}"
        headers["content-length"] = str(stretch.length)
        if self._head or not stretch.length:
            await _say(self._send, 206 if part else 200, b"", headers)
            return
        await self._stream(stretch, _start(206 if part else 200, headers))

    def _part(self) -> ranges.Stretch | None:
        # Ranges are for GET alone (RFC 9110, 14.2).
        if self._head or not ranges.still_the_same(self._headers.get("if-range"), self._found.etag):
            return None
        return ranges.asked(self._headers.get("range"), self._size)

    async def _stream(self, stretch: ranges.Stretch, start: Message) -> None:
        self._recorded = self._sent = stretch.first
        gone = asyncio.create_task(self._gone())
        looked = time.monotonic()
        # Opened segment by segment in a thread; the first before the answer begins, so that damage is told in words.
        pieces = self._found.reader.iter(stretch.first, stretch.length)
        try:
            piece = await threads.run(_next, pieces)
            await self._send(start)
            while piece is not None:
                for at in range(0, len(piece), _PIECE):
                    if gone.done():
                        return
                    out = bytes(piece[at : at + _PIECE])
                    self._sent += len(out)
                    await self._body(out, more=self._sent <= stretch.last)
                if self._sent - self._recorded >= self._found.record_every:
                    await self._record()
                if time.monotonic() - looked > _LOOK_AGAIN:
                    await threads.run(self._found.look_again)
                    looked = time.monotonic()
                piece = await threads.run(_next, pieces)
        except NotAllowed as error:
            # The answer cannot be completed any more; breaking it off is what tells the browser.
            log.info("media.stopped", viewing=self._found.name, why=error.what_happened)
        except BluelampError as error:
            log.error("media.failed", viewing=self._found.name, why=str(error))
            if self._sent == stretch.first:
                await refuse(self._send, error, "GET")
        finally:
            gone.cancel()
            # Shielded: what left must reach the ledger also where the server is stopping.
            await asyncio.shield(self._record())

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _body(self, body: bytes, *, more: bool) -> None:
        with suppress(OSError):  # some servers raise it where the browser has gone; `gone` knows then, too
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _record(self) -> None:
        first, last = self._recorded, self._sent - 1
        self._recorded = self._sent
        if last >= first:
            await threads.run(self._found.record, first, last)


def _outgoing(found: Delivery, session_key: str | None) -> Outgoing:
    viewing, size = found.viewing, found.reader.size

    def look_again() -> None:
        if viewing is not None:
            delivery.check(viewing.pk, session_key)

    def record(first: int, last: int) -> None:
        if found.counted and viewing is not None:
            record_range(viewing, found.variant, first, last, size)

    name = str(viewing.pk) if viewing is not None else "None"
    about = (name, found.reader, found.content_type, found.etag, found.filename)
    return Outgoing(*about, look_again, record, _RECORD_EVERY)


def _next(pieces: Iterator[memoryview]) -> memoryview | None:
    return next(pieces, None)


def _start(status: int, headers: dict[str, str]) -> Message:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}


async def _say(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    if "content-length" not in headers:
        headers = {**headers, "content-length": str(len(body))}
    await send(_start(status, headers))
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: BluelampError, method: str) -> None:
    """Answer with the error as a problem document (RFC 9457)."""
    body = json.dumps(error.problem()).encode()
    headers = {**_HEADERS, "content-type": "application/problem+json", "content-length": str(len(body))}
    await _say(send, error.status, b"" if method == "HEAD" else body, headers)


_media = Media()
routes: list[BaseRoute] = [
    Route("/media/poster/{recording:uuid}", _media),
    Route("/media/{viewing:uuid}/{variant:str}", _media),
]
