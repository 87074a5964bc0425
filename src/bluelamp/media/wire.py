"""The little protocol between the sandbox and its child: length-framed messages over a socket pair.

A message is one byte for the kind, four for the payload's length (big-endian), and the payload. The child asks
for byte ranges of the footage and hands back results; it never learns a path or a key.
"""

import socket
import struct
import time
from collections.abc import Callable
from enum import IntEnum

_HEADER = struct.Struct(">BI")
RANGE = struct.Struct(">QI")  # offset, length
LARGEST_RANGE = 4 * 1024 * 1024
COPY_CHUNK = 256 * 1024


class Kind(IntEnum):
    """What a message is. JOB and BYTES go to the child, the others come from it."""

    JOB = 1  # JSON {"size", "want", "viewing_copy", "limits"}
    BYTES = 2  # the range asked for
    READY = 16  # JSON list of the confinements in force
    READ = 17  # RANGE
    FACTS = 18  # JSON
    POSTER = 19  # JPEG
    STORYBOARD = 20  # JSON, a zero byte, JPEG
    WAVEFORM = 21  # one byte a bucket
    COPY = 22  # the next bytes of the viewing copy
    COPY_END = 23  # "copied" or "transcoded"
    REJECTED = 24  # a sentence
    FAILED = 25  # a sentence
    DONE = 26


# The most that the parent takes of each kind; a longer message ends the child.
LONGEST = {
    Kind.READY: 4096,
    Kind.READ: RANGE.size,
    Kind.FACTS: 4096,
    Kind.POSTER: 4 * 1024 * 1024,
    Kind.STORYBOARD: 8 * 1024 * 1024,
    Kind.WAVEFORM: 64 * 1024,
    Kind.COPY: COPY_CHUNK,
    Kind.COPY_END: 16,
    Kind.REJECTED: 4096,
    Kind.FAILED: 4096,
    Kind.DONE: 0,
}


class BrokenTalk(Exception):
    """The other side broke the protocol."""


class Closed(BrokenTalk):
    """The other side has gone."""


def send(channel: socket.socket, kind: Kind, payload: bytes | bytearray | memoryview = b"") -> None:
    """Raises OSError when the other side has gone, TimeoutError past the channel's time-out."""
    channel.sendall(_HEADER.pack(kind, len(payload)))
    if payload:
        channel.sendall(payload)


def receive(
    channel: socket.socket, longest: Callable[[Kind], int], deadline: float | None = None
) -> tuple[Kind, bytes]:
    """The next message. `longest` tells the most bytes that may be taken of a kind; it raises BrokenTalk for one
    that is not expected. deadline is on the monotonic clock. Raises TimeoutError, Closed, BrokenTalk."""
    number, length = _HEADER.unpack(_exactly(channel, _HEADER.size, deadline))
    try:
        kind = Kind(number)
    except ValueError as error:
        raise BrokenTalk(f"message of unknown kind {number}") from error
    if length > longest(kind):
        raise BrokenTalk(f"{kind.name} message of {length} bytes is too long")
    return kind, _exactly(channel, length, deadline)


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    buffer = bytearray(length)
    view = memoryview(buffer)
    got = 0
    while got < length:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer within the time allowed")
            channel.settimeout(left)
        try:
            count = channel.recv_into(view[got:])
        except ConnectionResetError as error:
            raise Closed("the other side has gone") from error
        if not count:
            raise Closed("the other side has gone")
        got += count
    return bytes(buffer)
