"""The sandbox's child: takes one job over a socket, works on the footage that it is handed, and ends.

Started by `bluelamp.media.sandbox` as `python -m bluelamp.media.child FD`; not for use by hand.
"""

import io
import json
import socket
import sys
from collections import OrderedDict
from dataclasses import asdict

# Everything is imported here, before the process confines itself: afterwards no file can be opened.
import av
import numpy as np

from bluelamp.media import confine, viewing_copy, wire
from bluelamp.media.errors import MediaRejected
from bluelamp.media.facts import MediaFacts
from bluelamp.media.poster import poster
from bluelamp.media.probe import probe
from bluelamp.media.storyboard import storyboard
from bluelamp.media.waveform import waveform
from bluelamp.media.wire import Kind

BLOCK = 1024 * 1024
BLOCKS_KEPT = 8


class RemoteFile(io.RawIOBase):
    """The footage as a read-only file; its bytes come from the parent in blocks of 1 MiB, the last 8 kept."""

    def __init__(self, channel: socket.socket, size: int) -> None:
        super().__init__()
        self._channel = channel
        self._size = size
        self._place = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._place, 2: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, length: int = -1) -> bytes:
        """At most `length` bytes, fewer at the end of a block; empty at the end of the file."""
        if self._place >= self._size:
            return b""
        number, within = divmod(self._place, BLOCK)
        block = self._block(number)
        data = block[within:] if length < 0 else block[within : within + length]
        self._place += len(data)
        return data

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * BLOCK
        wire.send(self._channel, Kind.READ, wire.RANGE.pack(start, min(BLOCK, self._size - start)))
        _, block = wire.receive(self._channel, lambda _: wire.LARGEST_RANGE)
        self._blocks[number] = block
        if len(self._blocks) > BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        return block


class CopySink:
    """Sends the viewing copy to the parent in even pieces."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= wire.COPY_CHUNK:
            wire.send(self._channel, Kind.COPY, memoryview(self._waiting)[: wire.COPY_CHUNK].tobytes())
            del self._waiting[: wire.COPY_CHUNK]

    def finish(self) -> None:
        if self._waiting:
            wire.send(self._channel, Kind.COPY, bytes(self._waiting))
            self._waiting.clear()


def main() -> int:
    channel = socket.socket(fileno=int(sys.argv[1]))
    kind, payload = wire.receive(channel, lambda _: 64 * 1024)
    if kind is not Kind.JOB:
        return 2
    job = json.loads(payload)
    _rehearse()
    _be_the_first_to_go()
    confine.limit_resources(job["memory_bytes"], job["cpu_seconds"])
    held = confine.drop_privileges()
    wire.send(channel, Kind.READY, json.dumps([*held, "resource-limits"]).encode())
    try:
        _work(channel, job)
    except MediaRejected as error:
        wire.send(channel, Kind.REJECTED, error.what_happened.encode()[:4096])
    except MemoryError:
        wire.send(channel, Kind.FAILED, b"memory")
    except wire.BrokenTalk:
        return 3
    except Exception as error:
        wire.send(channel, Kind.FAILED, f"{type(error).__name__}: {error}".encode()[:4096])
    return 0


def _work(channel: socket.socket, job: dict[str, object]) -> None:
    footage = RemoteFile(channel, int(str(job["size"])))
    want = job["want"]
    assert isinstance(want, list)
    facts = probe(footage)
    wire.send(channel, Kind.FACTS, json.dumps(facts.to_dict()).encode())
    if "poster" in want:
        wire.send(channel, Kind.POSTER, poster(footage))
    if "storyboard" in want:
        _send_storyboard(channel, footage)
    if "waveform" in want:
        _send_waveform(channel, footage)
    if job["viewing_copy"] and viewing_copy.needs_copy(facts):
        _send_viewing_copy(channel, footage)
    wire.send(channel, Kind.DONE)


def _send_storyboard(channel: socket.socket, footage: RemoteFile) -> None:
    board = storyboard(footage)
    described = {name: value for name, value in asdict(board).items() if name != "jpeg"}
    wire.send(channel, Kind.STORYBOARD, json.dumps(described).encode() + b"\0" + board.jpeg)


def _send_waveform(channel: socket.socket, footage: RemoteFile) -> None:
    try:
        levels = waveform(footage)
    except MediaRejected:
        return  # damaged sound does not make the pictures worthless
    wire.send(channel, Kind.WAVEFORM, bytes(levels))


def _send_viewing_copy(channel: socket.socket, footage: RemoteFile) -> None:
    sink = CopySink(channel)
    how = viewing_copy.write(footage, sink)
    sink.finish()
    wire.send(channel, Kind.COPY_END, how.encode())


def _rehearse() -> None:
    """Run every pipeline over a tiny video of our own, so that whatever the libraries import or open on first use
    is there before files are out of reach."""
    av.logging.set_level(None)
    tiny = io.BytesIO()
    with av.open(tiny, mode="w", format="matroska") as target:
        pictures = target.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv422p"
        sound = target.add_stream("libopus", rate=48000)
        target.mux(pictures.encode(av.VideoFrame(64, 64, "yuv422p")))
        silence = np.zeros((1, 1920), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="stereo")
        frame.sample_rate = 48000
        target.mux(sound.encode(frame))
        for stream in (pictures, sound):
            target.mux(stream.encode(None))
    MediaFacts.from_dict(probe(tiny).to_dict())
    poster(tiny)
    storyboard(tiny)
    waveform(tiny)
    viewing_copy.write(tiny, io.BytesIO())


def _be_the_first_to_go() -> None:
    """When the machine runs out of memory, this process and not the server is to be ended."""
    try:
        with open("/proc/self/oom_score_adj", "w") as setting:
            setting.write("1000")
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main())
