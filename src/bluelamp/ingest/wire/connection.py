"""uvicorn's HTTP connection, whose request bodies can go from the socket straight into an upload's buffers.

Through ASGI each piece of a body passes the HTTP parser, two copies and several wake-ups of the event loop; received
into large buffers it costs one copy, which was measured at about twice the throughput (docs/decisions/009). The
application decides: it authenticates and answers as ever, and asks for the socket only once it knows where the bytes
go. Bodies without a length (chunked) always come through ASGI.

Relies on httptools_impl of the uvicorn that requirements/run.txt names: its `cycle`, `parser` and
`_start_asgi_task`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bluelamp.ingest.errors import BadRequest
from bluelamp.kernel.errors import BluelampError

EXTENSION = "bluelamp.wire"

MOST_HEAD_BYTES = 128 * 1024
"""Of one request: its line and header, what stands between two chunks of its body, or its trailers."""

HEAD_SECONDS = 30.0
"""How long a request's head may take, and a connection be open without any."""

_SCRAP_BYTES = 64 * 1024


class HeadTooLarge(BluelampError):
    """A header without end."""

    title = "That header is too large"
    status = 431

    def __init__(self) -> None:
        super().__init__(
            f"The request's header has more than {MOST_HEAD_BYTES} bytes.",
            "Nothing was taken.",
            "This is a fault of the sender.",
        )


class Receiver(Protocol):
    """Whoever takes a body from the socket."""

    def get_buffer(self, most: int) -> memoryview:
        """Where the next bytes go: at least one of them and at most `most`."""

    def received(self, count: int) -> bool:
        """`count` bytes stand in that buffer. False: no room for more until `Wire.resume`."""

    def ended(self, *, complete: bool) -> None:
        """The body has ended, or its sender has gone."""


class Wire:
    """The present request's way to its socket, in `scope["extensions"]["bluelamp.wire"]`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._taking: _Taking | None = None
        self.trailers: list[tuple[bytes, bytes]] = []
        """Header fields that came after a chunked body, once it has ended."""

    def take(self, receiver: Receiver, length: int) -> bytes | None:
        """Let `receiver` have what is still to come of a body of `length` bytes (its Content-Length).

        Returns what has arrived already, or None where the socket cannot be had: then the body comes through ASGI.
        """
        connection = self._connection
        cycle = connection.cycle
        begun = connection.scope.get("extensions", {}).get(EXTENSION) is self
        if not begun or cycle.disconnected or not cycle.more_body or connection.transport.is_closing():
            return None
        arrived, cycle.body = bytes(cycle.body), bytearray()
        if cycle.waiting_for_100_continue:
            cycle.waiting_for_100_continue = False
            connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._taking = _Taking(connection, receiver, length - len(arrived))
        connection.flow.resume_reading()
        connection.transport.set_protocol(self._taking)
        return arrived

    def resume(self) -> None:
        """The receiver has room again."""
        if self._taking is not None:
            self._taking.resume()

    def let_go(self) -> None:
        """The receiver wants no more: what still comes of the body is read and dropped."""
        if self._taking is not None:
            self._taking.discard()


class Connection(HttpToolsProtocol):
    """One connection of a client. Each request's scope carries its Wire.

    The parser keeps a header until it is whole, and uvicorn waits for it without end; both have limits here.
    """

    _headers_before_body = 0
    _refused = False
    _unread = 0
    """Bytes that came since the parser last had something whole: a head, a piece of a body, a request's end."""
    _between = True
    """Whether no request is being received: its head is not whole yet, or there is none."""
    _late: asyncio.TimerHandle | None = None
    _running: Any = None
    """The cycle of the request that is being answered; `cycle` is that of the newest."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        # uvicorn cancels its own only where the client closed in order,
        self._unset_keepalive_if_required()
        # and tells only the newest request, which may stand behind the one that is being answered.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HeadTooLarge())
        elif self._between and self._unread and self._late is None:
            self._expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: Wire(self)}

    def on_headers_complete(self) -> None:
        self._headers_before_body = len(self.headers)
        self._unread, self._between = 0, False
        self._head_came()
        if self.parser.should_upgrade() and self._has_body():
            # The parser takes such a request to end here, and its body for the next one.
            self._refused = True
            self._refuse(BadRequest("A request that asks for another protocol brings no body here."))
            return
        super().on_headers_complete()

    def _has_body(self) -> bool:
        names = {name for name, value in self.headers if name != b"content-length" or value.strip() != b"0"}
        return bool(names & {b"content-length", b"transfer-encoding"}) or self.parser.get_method() == b"CONNECT"

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread, self._between = 0, True
        if self._refused:
            return
        wire: Any = self.scope["extensions"][EXTENSION]
        wire.trailers = self.headers[self._headers_before_body :]
        super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to what is no HTTP."""
        self._refuse(BadRequest("This is not HTTP, or its parts contradict each other."))

    def _refuse(self, error: BluelampError) -> None:
        """Answer with a problem in the application's stead, and close."""
        said = json.dumps(error.problem()).encode()
        head = f"HTTP/1.1 {error.status} \r\ncontent-type: application/problem+json\r\ncontent-length: {len(said)}"
        self.transport.write(head.encode() + b"\r\nconnection: close\r\n\r\n" + said)
        self.transport.close()

    def _expect_head(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _head_is_late(self) -> None:
        self._late = None
        if self.cycle is not None and not self.cycle.response_complete:
            # It stands behind a request that is still being answered, and may not even have been read.
            self._expect_head()
        elif not self.transport.is_closing():
            self.transport.close()

    def body_ended(self) -> None:
        """The body of the present request went past the parser: stand where its end would have left the connection."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._unread, self._between = 0, True
        self.cycle.more_body = False
        self.cycle.message_event.set()


class _Taking(asyncio.BufferedProtocol):
    """Stands in the connection's place until the body has ended; never reads a byte past its end."""

    def __init__(self, connection: Connection, receiver: Receiver, left: int) -> None:
        self._connection = connection
        self._receiver: Receiver | None = receiver
        self._left = left
        self._paused = False

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._receiver is not None:
            return self._receiver.get_buffer(self._left)
        return memoryview(bytearray(min(self._left, _SCRAP_BYTES)))

    def buffer_updated(self, count: int) -> None:
        self._left -= count
        room = self._receiver is None or self._receiver.received(count)
        if self._left == 0:
            self._connection.transport.set_protocol(self._connection)
            self._connection.body_ended()
            self._end(complete=True)
        elif not room:
            self._paused = True
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self._connection.transport.is_closing():
            self._paused = False
            self._connection.transport.resume_reading()

    def discard(self) -> None:
        """Read what is left and drop it."""
        self._receiver = None
        self.resume()

    def eof_received(self) -> None:
        self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)
        self._end(complete=False)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def _end(self, *, complete: bool) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.ended(complete=complete)
