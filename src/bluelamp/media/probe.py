"""Facts about a video, read from its headers."""

from typing import BinaryIO

import av
import av.container
import av.video.stream

from bluelamp.media.errors import MediaRejected
from bluelamp.media.facts import MediaFacts
from bluelamp.media.opening import audio_stream, open_media, video_stream


def probe(f: BinaryIO) -> MediaFacts:
    """Facts about the video in f. Raises MediaRejected when it is none."""
    size = f.seek(0, 2)
    with open_media(f) as container:
        return facts_of(container, size)


def facts_of(container: av.container.InputContainer, size: int) -> MediaFacts:
    video = video_stream(container)
    audio = audio_stream(container)
    duration = duration_seconds(container, video)
    if duration <= 0:
        raise MediaRejected("The video is empty: it has no length.")
    rotation = rotation_of(container, video)
    width, height = shown_size(video)
    if rotation in (90, 270):
        width, height = height, width
    rate = video.guessed_rate or video.average_rate
    container.seek(0)
    return MediaFacts(
        duration_ms=round(duration * 1000),
        width=width,
        height=height,
        fps=f"{rate.numerator}/{rate.denominator}" if rate else "0/1",
        video_codec=video.codec_context.codec.canonical_name,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        container=container_name(container),
        size=size,
        pixel_format=video.codec_context.pix_fmt or "",
        audio_rate=audio.codec_context.sample_rate if audio else None,
        audio_channels=audio.codec_context.channels if audio else None,
        rotation=rotation,
    )


def duration_seconds(container: av.container.InputContainer, video: av.video.stream.VideoStream) -> float:
    if container.duration:
        return container.duration / av.time_base
    if video.duration and video.time_base:
        return float(video.duration * video.time_base)
    return 0.0


def shown_size(video: av.video.stream.VideoStream) -> tuple[int, int]:
    """Width and height in square pixels, before rotation."""
    context = video.codec_context
    aspect = video.sample_aspect_ratio
    if aspect and aspect != 1 and 0.1 < aspect < 10:
        return max(2, round(context.width * aspect)), context.height
    return context.width, context.height


def rotation_of(container: av.container.InputContainer, video: av.video.stream.VideoStream) -> int:
    """Clockwise degrees that a player turns the picture. The first picture must decode: a header alone is
    no video. Raises MediaRejected."""
    for frame in container.decode(video):
        return (-frame.rotation) % 360
    raise MediaRejected("The video is damaged: no picture in it can be decoded.")


def container_name(container: av.container.InputContainer) -> str:
    """One of "mp4", "quicktime", "webm", "matroska", "avi", "mpegts", "mpeg", "asf"."""
    name = container.format.name
    if name.startswith("mov"):
        return "quicktime" if container.metadata.get("major_brand", "").strip() == "qt" else "mp4"
    if name.startswith("matroska"):
        codecs = {stream.codec_context.codec.canonical_name for stream in container.streams if stream.codec_context}
        # WebM is Matroska restricted to these codecs (webmproject.org container guidelines).
        return "webm" if codecs <= {"vp8", "vp9", "av1", "opus", "vorbis"} else "matroska"
    return name
