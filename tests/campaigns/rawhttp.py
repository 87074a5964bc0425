"""A client that sends exactly the bytes it is told, and reads whatever is answered."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

ANSWER_WITHIN_SECONDS = 20.0
"""Longer than any wait for an upload's lease or an admission."""


class Hang(AssertionError):
    """A whole request got no answer in time."""


@dataclass(frozen=True)
class Answer:
    """One answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Sent:
    """Bytes as they go over the wire. `pause` seconds lie between two pieces.

    `whole`: by the rules of HTTP this is one whole request, which must be answered. Else whatever comes within
    `patience` seconds is read, and the connection cut. `bodiless`: its answer has no body (HEAD).
    """

    pieces: tuple[bytes, ...]
    whole: bool = True
    bodiless: bool = False
    pause: float = 0.0
    patience: float = 0.1

    def __str__(self) -> str:
        shown = " | ".join(repr(piece[:1200]).replace("\\x00" * 20, "") for piece in self.pieces[:6])
        return f"{'whole' if self.whole else 'torn'} request: {shown}"


def exchange(address: tuple[str, int], sent: Sent) -> list[Answer]:
    """The final answers to what was sent over one connection. Raises Hang where an answer was due and did not come."""
    until = time.monotonic() + (ANSWER_WITHIN_SECONDS if sent.whole else sent.patience)
    with socket.create_connection(address, timeout=ANSWER_WITHIN_SECONDS) as connection:
        try:
            for number, piece in enumerate(sent.pieces):
                if number and sent.pause:
                    time.sleep(sent.pause)
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was answered, and closed, before all was sent
        answers: list[Answer] = []
        with connection.makefile("rb") as stream:
            try:
                while not (sent.whole and answers):
                    connection.settimeout(max(0.001, until - time.monotonic()))
                    answer = _read(stream, bodiless=sent.bodiless and not answers)
                    if answer is None:
                        break
                    if answer.status >= 200:
                        answers.append(answer)
            except TimeoutError:
                if sent.whole:
                    raise Hang(str(sent)) from None
            except ConnectionResetError:
                pass
            except (ValueError, IndexError):
                if sent.whole:
                    raise
        return answers


def _read(stream: BinaryIO, *, bodiless: bool) -> Answer | None:
    line = stream.readline(65_536)
    if not line:
        return None
    status = int(line.split(b" ")[1])
    headers: dict[str, str] = {}
    while (field := stream.readline(1_000_000).strip()) != b"":
        name, _, value = field.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if bodiless or status < 200 or status in {204, 304}:
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        body = bytearray()
        while size := int(stream.readline() or b"0", 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
        return Answer(status, headers, bytes(body))
    length = headers.get("content-length")
    return Answer(status, headers, stream.read() if length is None else stream.read(int(length)))


def head(method: str, target: str | bytes, headers: Sequence[tuple[bytes, bytes]], version: str = "1.1") -> bytes:
    """A request's head."""
    raw = target if isinstance(target, bytes) else target.encode("latin-1", "replace")
    lines = [method.encode("latin-1", "replace") + b" " + raw + b" HTTP/" + version.encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", b""])


def chunked(body: bytes, size: int, trailers: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """`body` in chunks of `size` bytes, and its trailers."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in trailers) + b"\r\n"
