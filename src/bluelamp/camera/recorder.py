"""Writes one part of a recording: H.264 and AAC in MP4, safe against a power cut at any moment.

The file is fragmented while it grows (FFmpeg's hybrid_fragmented): whatever has reached the disk plays. A clean
stop turns it into an ordinary indexed MP4.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import numpy as np

from bluelamp.camera import sound
from bluelamp.camera.overlay import Ring, Watermark
from bluelamp.camera.scene import Scene
from bluelamp.camera.sound import RATE, Soundtrack
from bluelamp.camera.spec import FPS, SIZES, RecordingSpec

FRAGMENT_SECONDS = 1
KEYFRAME_SECONDS = 2
_MP4 = {
    "movflags": "hybrid_fragmented",
    "frag_duration": str(FRAGMENT_SECONDS * 1_000_000),
    "flush_packets": "1",
}
# No pictures are reordered (bf 0): real cameras do not, and a cut loses less.
_X264 = {"preset": "superfast", "crf": "27", "bf": "0"}
_SAMPLES_A_FRAME = RATE // FPS

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Identity:
    """What is burnt into the picture."""

    model: str
    serial: str


@dataclass(frozen=True)
class WrittenFile:
    """A finished file: bytes and SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Recorder:
    """Records the parts of one recording, one after the other: scene, sound and beeps run on between them."""

    def __init__(self, spec: RecordingSpec, identity: Identity) -> None:
        self._spec = spec
        width, height = SIZES[spec.size]
        self._scene = Scene(spec.seed, width, height)
        self._soundtrack = Soundtrack(spec.seed)
        self._watermark = Watermark(identity.model, identity.serial, spec.clock_set, height)
        self._ring = Ring(width, height)

    def write(self, path: Path, start: float, end: float, on_progress: Progress | None = None) -> WrittenFile:
        """Write the part from `start` to `end` (seconds of the recording). on_progress is called with the
        seconds done about once a second, after they were handed to the disk."""
        with path.open("xb", buffering=0) as out:
            with av.open(out, mode="w", format="mp4", options=_MP4) as container:
                video, audio = self._streams(container)
                first, last = round(start * FPS), round(end * FPS)
                for begin in range(first, last, FPS):
                    count = min(FPS, last - begin)
                    for number in range(begin, begin + count):
                        container.mux(video.encode(self._picture(number, number - first)))
                    for frame in self._sound(begin, count, begin - first):
                        container.mux(audio.encode(frame))
                    os.fdatasync(out.fileno())
                    if on_progress is not None:
                        on_progress((begin + count) / FPS)
                container.mux(video.encode(None))
                container.mux(audio.encode(None))
            os.fsync(out.fileno())
        sync_folder(path.parent)
        return measure(path)

    def _streams(self, container: av.container.OutputContainer) -> tuple[Any, Any]:
        video = container.add_stream("libx264", rate=FPS, options=dict(_X264))
        video.width, video.height = self._scene.width, self._scene.height
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.gop_size = KEYFRAME_SECONDS * FPS
        context.thread_count = 2
        # Rec. 709 primaries, transfer and matrix (ISO/IEC 23091-2, value 1); limited range.
        context.color_primaries = context.color_trc = context.colorspace = 1
        context.color_range = 1
        audio = container.add_stream("aac", rate=RATE, options={"aac_coder": "fast"})
        audio.bit_rate = 64_000
        audio.layout = "mono"
        return video, audio

    def _picture(self, number: int, place: int) -> av.VideoFrame:
        """Picture `number` of the recording as the one at `place` in its file."""
        frame = av.VideoFrame(self._scene.width, self._scene.height, "yuv420p")
        luma, blue, red = (
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
            for plane in frame.planes
        )
        planes = (luma, blue, red)
        seconds = number / FPS
        self._scene.draw(planes, seconds)
        self._watermark.draw(planes, self._spec.at(seconds))
        if seconds >= self._spec.pre_event_seconds and not self._spec.is_hidden(seconds):
            self._ring.draw(planes, seconds)
        frame.pts = place
        frame.time_base = Fraction(1, FPS)
        return frame

    def _sound(self, begin: int, count: int, place: int) -> list[av.AudioFrame]:
        """The sound of `count` pictures from picture `begin` on, silent where the camera records none."""
        samples = self._soundtrack.take(count * _SAMPLES_A_FRAME)
        sound.add_beeps(samples, begin * _SAMPLES_A_FRAME, self._spec.pre_event_seconds, self._spec.is_hidden)
        blocks = samples.reshape(count, _SAMPLES_A_FRAME)
        for number in range(count):
            if not self._spec.has_sound((begin + number) / FPS):
                blocks[number] = 0
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1).reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = RATE
        frame.pts = place * _SAMPLES_A_FRAME
        frame.time_base = Fraction(1, RATE)
        return [frame]


def measure(path: Path) -> WrittenFile:
    """Size and SHA-256 of a file, read a megabyte at a time."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb", buffering=0) as source:
        while block := source.read(1024 * 1024):
            digest.update(block)
            size += len(block)
    return WrittenFile(size, digest.hexdigest())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
