"""A real server on a free port in a thread of its own, and browsers that send by hand."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Serve `app`; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def send(port: int, raw: bytes) -> socket.socket:
    """Open a connection and send `raw`, which need not be a whole request."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(raw)
    return connection


def answer(connection: socket.socket) -> str:
    """Everything that comes back until the server closes the connection."""
    with connection:
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def post(path: str, *, length: int | None = None, body: bytes = b"") -> bytes:
    """The head of a POST that announces `length` bytes (or chunks, where None), and the part of the body given."""
    announced = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{announced}\r\n\r\n".encode() + body
