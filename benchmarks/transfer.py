"""The client: one request whose body is a file, sent by the kernel so that the client costs little."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from urllib.parse import urlsplit

_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""


def request(
    method: str, url: str, headers: dict[str, str], file: Path | None = None, context: ssl.SSLContext | None = None
) -> Answer:
    """Send one request, with the file as its body, over a connection of its own. Returns the answer."""
    parts = urlsplit(url)
    size = file.stat().st_size if file else 0
    head = {"Host": parts.netloc, "Content-Length": str(size), "Connection": "close", **headers}
    lines = [f"{method} {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    connection: socket.socket = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=600)
    if context is not None:
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
    with connection:
        connection.sendall("\r\n".join(lines).encode())
        if file:
            with open(file, "rb") as source:
                _send(connection, source, plain=context is None)
        return _answer(connection)


def _send(connection: socket.socket, source: BufferedReader, *, plain: bool) -> None:
    if plain:
        connection.sendfile(source)
        return
    # A TLS socket's own sendfile reads 8 KiB at a time, and makes a record of each: half of what a record can hold.
    buffer = memoryview(bytearray(_PIECE_BYTES))
    while count := source.readinto(buffer):
        connection.sendall(buffer[:count])


def _answer(connection: socket.socket) -> Answer:
    received = b""
    while piece := connection.recv(65536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    pairs = (field.partition(":") for field in fields)
    return Answer(int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)


def make_file(path: Path, size: int) -> None:
    """A file of random bytes, as a video is to whoever compresses or hashes it."""
    with open(path, "wb") as file:
        left = size
        while left:
            piece = os.urandom(min(left, 4 * 1024 * 1024))
            file.write(piece)
            left -= len(piece)
