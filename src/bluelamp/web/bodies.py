"""What a browser sends is read whole, in the event loop, before a page's thread is taken for it.

A page runs on one of a few threads. Whoever sends a form byte by byte would otherwise hold one of them for as long as
they like, and a dozen such connections would stop every page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Bodies up to this size are always read; larger ones share the room below, so that waiting ones cannot fill memory.
_SMALL_BYTES = 64 * 1024
_ROOM_BYTES = 64 * 1024 * 1024
_LINGER_SECONDS = 1.0

_WORDS = {
    413: "What was sent is larger than any form here. Nothing was changed and no footage is affected. "
    "Shorten what you typed and send it again.",
    408: "What was sent did not arrive in time. Nothing was changed and no footage is affected. "
    "Check your connection, go back and send the form again.",
    503: "Too many large forms are arriving at once. Nothing was changed and no footage is affected. "
    "Wait a few seconds, go back and send the form again.",
}


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WholeBody:
    """Passes a request on to `app` once its body is here, `most` bytes at most, within `seconds` altogether.

    Answers 413 to a larger body, 408 to a slower one (RFC 9110, 15.5.14 and 15.5.9), 503 while `room` bytes of large
    bodies are waiting already; each ends the connection.
    """

    def __init__(self, app: App, *, most: int, seconds: float = 15.0, room: int = _ROOM_BYTES) -> None:
        self._app = app
        self._most = most
        self._seconds = seconds
        self._room = room
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                whole = await self._read(scope, receive, body)
        except TimeoutError:
            await _refuse(send, HTTPStatus.REQUEST_TIMEOUT, None)
        except _Refused as refused:
            await _refuse(send, refused.status, receive)
        else:
            if whole:
                await self._app(scope, _replay(bytes(body), receive), send)
        finally:
            self._waiting -= _counted(len(body))

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Fill `body`; False where the sender has gone. Raises _Refused."""
        if _announced(scope) > self._most:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return False
            before = _counted(len(body))
            body += message.get("body", b"")
            self._waiting += _counted(len(body)) - before
            if len(body) > self._most:
                raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            if self._waiting > self._room:
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE)
            if not message.get("more_body", False):
                return True


def _counted(size: int) -> int:
    return size if size > _SMALL_BYTES else 0


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()  # only whether the browser has gone
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, status: int, rest: Receive | None) -> None:
    words = _WORDS[status].encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(words)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"10"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": words, "more_body": True})
    if rest is not None:
        # A connection closed on what was still unread is reset, and the browser would never show the answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while (await rest()).get("more_body", False):
                    pass
    await send({"type": "http.response.body", "body": b""})
