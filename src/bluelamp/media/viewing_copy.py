"""A copy that every browser plays, for originals that it does not."""

from typing import Any, BinaryIO, Protocol

import av
import av.container
import av.error
import av.filter
import av.video.stream

from bluelamp.media.errors import MediaRejected
from bluelamp.media.facts import MediaFacts
from bluelamp.media.opening import audio_stream, open_media, raise_if_out_of_memory, video_stream
from bluelamp.media.probe import facts_of

_MP4_VIDEO = {"h264", "vp9", "av1"}
_MP4_AUDIO = {None, "aac", "mp3"}
_WEBM_VIDEO = {"vp8", "vp9", "av1"}
_WEBM_AUDIO = {None, "opus", "vorbis"}
_PLAIN_PIXELS = {"yuv420p", "yuvj420p"}

LONGEST_SIDE = 1280
DAMAGED_PACKETS_TOLERATED = 1000
MOST_REORDERED = 16  # H.264 and HEVC hold back at most 16 pictures

# Fragments, because the copy goes straight into a sealed object and nothing can be rewritten there. Chromium
# was seen to find the length of, and to seek in, an hour of such a file.
FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "min_frag_duration": "4000000",
}


class Sink(Protocol):
    """Where the copy goes: written once, in order."""

    def write(self, data: bytes, /) -> Any: ...


def needs_copy(facts: MediaFacts) -> bool:
    """Whether a current browser cannot play the original as it is."""
    if facts.pixel_format not in _PLAIN_PIXELS:
        return True
    if facts.container == "mp4":
        return facts.video_codec not in _MP4_VIDEO or facts.audio_codec not in _MP4_AUDIO
    if facts.container == "webm":
        return facts.video_codec not in _WEBM_VIDEO or facts.audio_codec not in _WEBM_AUDIO
    return True


def write(f: BinaryIO, out: Sink) -> str:
    """Write an MP4 viewing copy of f to out. Returns "copied" when the coded pictures were taken over as they
    are, "transcoded" when they were coded anew (H.264, longest side at most 1280). Raises MediaRejected.
    """
    size = f.seek(0, 2)
    with open_media(f) as source:
        facts = facts_of(source, size)
        video = video_stream(source)
        # AVI keeps no presentation times: its packets cannot be taken over in order.
        keep_video = (
            facts.video_codec in _MP4_VIDEO
            and facts.pixel_format in _PLAIN_PIXELS
            and facts.container not in ("avi", "asf")
        )
        # AAC in a transport stream carries headers that MP4 does not allow.
        keep_audio = facts.audio_codec in _MP4_AUDIO and facts.container != "mpegts"
        with av.open(_WriteOnly(out), mode="w", format="mp4", options=FRAGMENTED) as target:
            _Copy(source, target, video, facts, keep_video, keep_audio).run()
    return "copied" if keep_video else "transcoded"


class _WriteOnly:
    """Hides seek and tell, so that the muxer never tries to go back."""

    def __init__(self, out: Sink) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        self._out.write(bytes(data))
        return len(data)


class _Copy:
    """One pass over the packets of the source into the target."""

    def __init__(
        self,
        source: av.container.InputContainer,
        target: av.container.OutputContainer,
        video: av.video.stream.VideoStream,
        facts: MediaFacts,
        keep_video: bool,
        keep_audio: bool,
    ) -> None:
        self.source, self.target = source, target
        self.video, self.audio = video, audio_stream(source)
        self.keep_video, self.keep_audio = keep_video, keep_audio
        self.damaged = 0
        self.written = 0
        self.waiting: dict[int, list[av.Packet]] = {}
        self.picture_length = round(1 / (video.guessed_rate or 25) / video.time_base)
        if keep_video:
            self.video_out = target.add_stream_from_template(video)
        else:
            self.graph = _Pictures(video, facts)
            self.video_out = target.add_stream("libx264", rate=video.guessed_rate or 25)
            self.video_out.width, self.video_out.height = self.graph.size
            self.video_out.pix_fmt = "yuv420p"
            self.video_out.options = {"preset": "veryfast", "crf": "25", "bf": "0"}
            self.video_out.codec_context.time_base = video.time_base
            self.video_out.codec_context.gop_size = 50
            self.video_out.codec_context.thread_count = 2
        if self.audio is not None and keep_audio:
            self.audio_out: Any = target.add_stream_from_template(self.audio)
        elif self.audio is not None:
            self.audio_out = target.add_stream("aac", rate=48000)
            self.audio_out.bit_rate = 96_000
            self.audio_out.layout = "mono" if facts.audio_channels == 1 else "stereo"

    def run(self) -> None:
        wanted = [stream for stream in (self.video, self.audio) if stream is not None]
        for packet in self.source.demux(*wanted):
            is_video = packet.stream is self.video
            if self.keep_video if is_video else self.keep_audio:
                self._pass_on(packet, self.video_out if is_video else self.audio_out)
            else:
                self._code_anew(packet, is_video)
        self._mux(self.waiting.pop(self.video_out.index, []), self.video_out)
        if not self.keep_video:
            self._encode(self.graph.finish(), self.video_out, last=True)
        if self.audio is not None and not self.keep_audio:
            self._encode([], self.audio_out, last=True)
        if not self.written:
            raise MediaRejected("The video is damaged: no picture in it can be decoded.")

    def _pass_on(self, packet: av.Packet, stream: Any) -> None:
        """Matroska gives no decoding times to the first packets where pictures are reordered: they wait for the
        first packet that has one, and are counted back from it, a picture's length each."""
        if packet.size == 0 or (packet.dts is None and packet.pts is None):
            return
        waiting = self.waiting.setdefault(stream.index, [])
        if packet.dts is None and len(waiting) < MOST_REORDERED:
            waiting.append(packet)
            return
        first = packet.dts if packet.dts is not None else packet.pts
        for back, earlier in enumerate(reversed(waiting), start=1):
            earlier.dts = first - back * self.picture_length
        self.waiting[stream.index] = []
        self._mux([*waiting, packet], stream)

    def _mux(self, packets: list[av.Packet], stream: Any) -> None:
        for packet in packets:
            if packet.dts is None:
                packet.dts = packet.pts
            packet.stream = stream
            self.target.mux(packet)
            self.written += 1

    def _code_anew(self, packet: av.Packet, is_video: bool) -> None:
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            raise_if_out_of_memory(error)
            self.damaged += 1
            if self.damaged > DAMAGED_PACKETS_TOLERATED:
                raise
            return
        if is_video:
            frames = [picture for frame in frames for picture in self.graph.take(frame)]
        self._encode(frames, self.video_out if is_video else self.audio_out)

    def _encode(self, frames: list[Any], stream: Any, *, last: bool = False) -> None:
        for frame in [*frames, None] if last else frames:
            for packet in stream.encode(frame):
                self.target.mux(packet)
                self.written += 1


class _Pictures:
    """Turns and scales decoded pictures to what the copy shows."""

    def __init__(self, video: av.video.stream.VideoStream, facts: MediaFacts) -> None:
        scale = min(1.0, LONGEST_SIDE / max(facts.width, facts.height))
        self.size = tuple(max(2, round(side * scale / 2) * 2) for side in (facts.width, facts.height))
        self.last_pts = -1
        graph = av.filter.Graph()
        chain = [graph.add_buffer(template=video)]
        if facts.rotation == 180:
            chain += [graph.add("hflip"), graph.add("vflip")]
        elif facts.rotation in (90, 270):
            chain.append(graph.add("transpose", "clock" if facts.rotation == 90 else "cclock"))
        chain.append(graph.add("scale", f"{self.size[0]}:{self.size[1]}"))
        chain.append(graph.add("setsar", "1"))
        chain.append(graph.add("format", "yuv420p"))
        chain.append(graph.add("buffersink"))
        graph.link_nodes(*chain).configure()
        self.graph = graph

    def take(self, frame: Any) -> list[Any]:
        if frame.pts is None or frame.pts <= self.last_pts:
            return []  # a repeated or unplaced picture would break the order of the copy
        self.last_pts = frame.pts
        self.graph.push(frame)
        return self._ready()

    def finish(self) -> list[Any]:
        self.graph.push(None)
        return self._ready()

    def _ready(self) -> list[Any]:
        pictures = []
        while True:
            try:
                picture = self.graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return pictures
            picture.pict_type = 0  # the encoder chooses its own key frames
            pictures.append(picture)
