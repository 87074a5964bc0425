"""Opening an untrusted video: which containers and codecs are let in, and no way out to files or network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
import av.container
import av.error
import av.logging
import av.video.stream

from bluelamp.media.errors import MediaRejected

# Only formats whose whole content is in the one file. Play lists (HLS, DASH, concat, SDP) name other files or
# hosts and are the known way to make FFmpeg read what it should not.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf"
VIDEO_CODECS = (
    "h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "vp8", "vp9", "libvpx", "libvpx-vp9",
    "av1", "libdav1d", "libaom-av1", "h263", "wmv3", "vc1", "msmpeg4v3", "prores",
)  # fmt: skip
AUDIO_CODECS = (
    "aac", "mp3", "mp3float", "mp2", "mp2float", "ac3", "eac3", "opus", "libopus", "vorbis", "libvorbis", "flac",
    "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_u8", "pcm_mulaw", "pcm_alaw", "adpcm_ima_wav", "adpcm_g726",
    "amrnb", "amrwb", "amr_nb", "amr_wb", "wmav2",
)  # fmt: skip

# 8192 x 4352 is the largest picture of H.264 level 6.2; beyond it a header is a trick or a mistake.
MAX_PIXELS = 8192 * 4352

READ_BUFFER = 256 * 1024


@contextmanager
def open_media(f: BinaryIO) -> Iterator[av.container.InputContainer]:
    """Open the video in f, which must be seekable.

    Raises MediaRejected when it is not a video of a known kind or is damaged beyond opening, and when decoding
    inside the block meets a fault that nobody handled there.
    """
    av.logging.set_level(None)
    f.seek(0)
    options = {
        "format_whitelist": CONTAINERS,
        "codec_whitelist": ",".join(VIDEO_CODECS + AUDIO_CODECS),
        "protocol_whitelist": "none",
        "max_streams": "32",
    }
    try:
        container = av.open(f, mode="r", options=options, buffer_size=READ_BUFFER)
    except (av.error.FFmpegError, ValueError) as error:
        raise_if_out_of_memory(error)
        raise MediaRejected(
            "The file is not a video of a kind that can be shown here, or it is too damaged to open."
        ) from error
    with container:
        try:
            yield container
        except (av.error.FFmpegError, ValueError, OverflowError) as error:
            raise_if_out_of_memory(error)
            raise MediaRejected("The video is damaged: its pictures or sound cannot be decoded.") from error


def video_stream(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The first stream of moving pictures (not a cover picture). Raises MediaRejected."""
    for stream in container.streams.video:
        if stream.disposition & av.stream.Disposition.attached_pic:
            continue
        context = stream.codec_context
        if context is None or context.name not in VIDEO_CODECS:
            raise MediaRejected("The video is coded in a way that cannot be shown here.")
        if context.width <= 0 or context.height <= 0:
            raise MediaRejected("The video does not say how large its picture is.")
        if context.width * context.height > MAX_PIXELS:
            raise MediaRejected(
                f"The video claims a picture of {context.width} by {context.height} pixels, which no camera makes."
            )
        # Frame threads multiply memory and delay the first picture; every pipeline here wants few pictures.
        if not context.is_open:
            context.thread_type = "SLICE"
            context.thread_count = 1
            # The pictures inside may be larger than the file's header says.
            context.options = {"max_pixels": str(MAX_PIXELS)}
        return stream
    raise MediaRejected("The file holds no moving pictures.")


def audio_stream(container: av.container.InputContainer) -> "av.AudioStream | None":
    """The first sound track of a known codec, or None."""
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.name in AUDIO_CODECS:
            return stream
    return None


def raise_if_out_of_memory(error: BaseException) -> None:
    """FFmpeg reports a failed allocation as an error number; that is no fault of the file's format."""
    if getattr(error, "errno", None) == 12:
        raise MemoryError("no memory left for decoding") from error
