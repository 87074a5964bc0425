"""Small real videos for the tests, made with the same FFmpeg that reads them."""

import io
from fractions import Fraction

import av
import numpy as np

RATE = 48_000
FPS = 25
WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def picture(second: int, width: int, height: int) -> np.ndarray:
    """RGB: red top left quarter on blue, and a white bar that moves by one step a second."""
    rgb = np.zeros((height, width, 3), dtype=np.uint8)
    rgb[:] = BLUE
    rgb[: height // 2, : width // 2] = RED
    rgb[-height // 8 :, : width * (second % 8 + 1) // 8] = WHITE
    return rgb


def tone(start: float, seconds: float, loudness: float = 0.5) -> np.ndarray:
    t = start + np.arange(int(seconds * RATE)) / RATE
    return (loudness * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def video(
    seconds: float = 6,
    *,
    container: str = "mp4",
    video_codec: str = "libx264",
    audio_codec: str | None = "aac",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (320, 180),
    rotation: int = 0,
    quiet: tuple[float, float] = (0, 0),
    options: dict[str, str] | None = None,
    gop: int = FPS,
    fps: int = FPS,
) -> bytes:
    """A finished file. rotation is what PyAV calls it: -90 makes players turn the picture clockwise."""
    out = io.BytesIO()
    with av.open(out, mode="w", format=container, options=options or {}) as target:
        pictures = target.add_stream(video_codec, rate=fps)
        pictures.width, pictures.height = size
        pictures.pix_fmt = pixel_format
        pictures.codec_context.gop_size = gop
        if video_codec == "libx265":
            pictures.options = {"x265-params": "log-level=none"}
        if video_codec == "libvpx":
            pictures.options = {"deadline": "realtime", "cpu-used": "8"}
        if rotation:
            pictures.set_display_rotation(rotation)
        sound = None
        if audio_codec:
            sound = target.add_stream(audio_codec, rate=RATE)
            sound.layout = "mono"
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(picture(number // fps, *size), format="rgb24")
            frame = frame.reformat(format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            target.mux(pictures.encode(frame))
            if sound is not None:
                second = number / fps
                samples = tone(second, 1 / fps, 0 if quiet[0] <= second < quiet[1] else 0.5)
                audio = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
                audio.sample_rate = RATE
                audio.pts, audio.time_base = number * RATE // fps, Fraction(1, RATE)
                target.mux(sound.encode(audio))
        target.mux(pictures.encode(None))
        if sound is not None:
            target.mux(sound.encode(None))
    return out.getvalue()
