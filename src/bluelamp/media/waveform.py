"""How loud a video is over its length: shown under the player, so that speech and muting can be seen."""

import math
from typing import BinaryIO

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler

from bluelamp.media.opening import audio_stream, open_media, raise_if_out_of_memory, video_stream
from bluelamp.media.probe import duration_seconds

# 8 kHz carries speech; levels are taken over 20 ms, about the length of one speech sound.
RATE = 8000
WINDOW = RATE // 50
FLOOR_DB = -60.0
DAMAGED_PACKETS_TOLERATED = 1000


def waveform(f: BinaryIO, buckets: int = 600) -> list[int]:
    """`buckets` loudness values of equal shares of the video, 0 (silence, -60 dBFS or less) to 100 (0 dBFS).

    Each value is the loudest 20 ms of its share, on a decibel scale. An empty list means no sound track.
    Raises MediaRejected when f is no video.
    """
    with open_media(f) as container:
        duration = duration_seconds(container, video_stream(container))
        audio = audio_stream(container)
        if audio is None:
            return []
        levels = _levels(container, audio)
    windows = max(1, math.ceil(duration * RATE / WINDOW))
    loudest = np.zeros(windows, dtype=np.float64)
    loudest[: len(levels)] = levels[:windows]
    edges = np.linspace(0, windows, buckets + 1)
    firsts = np.minimum(edges[:-1].astype(int), windows - 1)
    peaks = np.maximum.reduceat(loudest, firsts)
    with np.errstate(divide="ignore"):
        decibels = 20 * np.log10(peaks)
    return [int(value) for value in np.clip(np.round((decibels - FLOOR_DB) / -FLOOR_DB * 100), 0, 100)]


def _levels(container: av.container.InputContainer, audio: av.AudioStream) -> np.ndarray:
    """Root mean square of each 20 ms from the start of the file, 1.0 being full scale."""
    resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
    done: list[np.ndarray] = []
    pending: list[np.ndarray] = []
    waiting = 0
    damaged = 0
    started = False

    def take(frames: list[av.AudioFrame]) -> None:
        nonlocal waiting, started
        for frame in frames:
            if not started:
                started = True
                late = max(0, round((frame.time or 0.0) * RATE))
                pending.append(np.zeros(min(late, 4 * 3600 * RATE), dtype=np.float32))
                waiting += len(pending[0])
            for smaller in resampler.resample(frame):
                samples = smaller.to_ndarray().reshape(-1)
                pending.append(samples)
                waiting += len(samples)
        if waiting >= 100 * WINDOW:
            flush()

    def flush() -> None:
        nonlocal waiting
        if not pending:
            return
        samples = np.concatenate(pending)
        whole = len(samples) // WINDOW * WINDOW
        squares = np.square(samples[:whole], dtype=np.float64).reshape(-1, WINDOW)
        done.append(np.sqrt(squares.mean(axis=1)))
        pending[:] = [samples[whole:]]
        waiting = len(samples) - whole

    for packet in container.demux(audio):
        try:
            take(audio.codec_context.decode(packet if packet.size else None))
        except av.error.InvalidDataError as error:
            raise_if_out_of_memory(error)
            damaged += 1
            if damaged > DAMAGED_PACKETS_TOLERATED:
                break
    flush()
    return np.concatenate(done) if done else np.zeros(0)
