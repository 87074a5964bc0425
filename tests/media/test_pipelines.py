import io
from collections.abc import Callable

import av
import numpy as np
import pytest
from PIL import Image

from bluelamp.media import viewing_copy
from bluelamp.media.errors import MediaRejected
from bluelamp.media.facts import MediaFacts
from bluelamp.media.poster import poster
from bluelamp.media.probe import probe
from bluelamp.media.storyboard import storyboard
from bluelamp.media.waveform import waveform
from tests.media import samples

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def test_probe_tells_what_is_in_a_file(plain_mp4: bytes) -> None:
    facts = probe(io.BytesIO(plain_mp4))
    assert facts.width == 320
    assert facts.height == 180
    assert facts.fps == "25/1"
    assert abs(facts.duration_ms - 6000) < 120
    assert (facts.container, facts.video_codec, facts.audio_codec) == ("mp4", "h264", "aac")
    assert (facts.audio_rate, facts.audio_channels) == (48000, 1)
    assert facts.size == len(plain_mp4)
    assert facts.pixel_format == "yuv420p"


def test_a_file_without_sound_has_no_audio_codec_and_an_empty_waveform() -> None:
    silent = io.BytesIO(samples.video(2, audio_codec=None))
    assert probe(silent).audio_codec is None
    assert waveform(silent) == []


@pytest.mark.parametrize(
    ("container", "codec", "audio", "name"),
    [
        ("matroska", "libx264", "libopus", "matroska"),
        ("webm", "libvpx", "libopus", "webm"),
        ("mpegts", "libx264", "aac", "mpegts"),
        ("avi", "mjpeg", "pcm_s16le", "avi"),
        ("mov", "libx264", "aac", "quicktime"),
    ],
)
def test_containers_are_known_by_name(container: str, codec: str, audio: str, name: str) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    data = samples.video(2, container=container, video_codec=codec, audio_codec=audio, pixel_format=pixels)
    assert probe(io.BytesIO(data)).container == name


def test_facts_survive_the_way_through_json_and_refuse_what_is_not_facts(plain_mp4: bytes) -> None:
    facts = probe(io.BytesIO(plain_mp4))
    assert MediaFacts.from_dict(facts.to_dict()) == facts
    for name, wrong in (("width", "wide"), ("width", -1), ("width", True), ("video_codec", "x\n"), ("fps", "1" * 50)):
        with pytest.raises(ValueError):
            MediaFacts.from_dict({**facts.to_dict(), name: wrong})
    with pytest.raises(ValueError):
        MediaFacts.from_dict({**facts.to_dict(), "more": 1})


def test_a_poster_is_a_picture_of_the_video(plain_mp4: bytes) -> None:
    image = Image.open(io.BytesIO(poster(io.BytesIO(plain_mp4), width=640)))
    assert image.format == "JPEG"
    assert image.size == (640, 360)
    assert _is(image.getpixel((80, 60)), samples.RED)
    assert _is(image.getpixel((500, 60)), samples.BLUE)


def test_a_poster_of_a_turned_video_stands_upright() -> None:
    data = io.BytesIO(samples.video(2, rotation=-90))
    facts = probe(data)
    assert (facts.width, facts.height, facts.rotation) == (180, 320, 90)
    image = Image.open(io.BytesIO(poster(data, width=180)))
    assert image.size == (180, 320)
    # Turned clockwise, the red quarter moves from top left to top right.
    assert _is(image.getpixel((150, 40)), samples.RED)
    assert _is(image.getpixel((40, 40)), samples.WHITE) or _is(image.getpixel((60, 40)), samples.BLUE)


def test_a_storyboard_shows_each_moment_in_its_tile() -> None:
    board = storyboard(io.BytesIO(samples.video(16, size=(160, 90))), columns=4, tile_width=80)
    assert (board.tiles, board.columns, board.rows) == (8, 4, 2)
    assert abs(board.interval_ms - 2000) < 30
    sheet = Image.open(io.BytesIO(board.jpeg))
    assert sheet.size == (4 * board.tile_w, 2 * board.tile_h)
    for number in range(8):
        left, top = number % 4 * board.tile_w, number // 4 * board.tile_h
        tile = np.asarray(sheet.crop((left, top, left + board.tile_w, top + board.tile_h)))
        bar = (tile[-3, :, 0].astype(int) > 128).sum() / board.tile_w * 8
        second = round(number * board.interval_ms / 1000)
        assert abs(bar - (second % 8 + 1)) <= 1.3, f"tile {number} shows another moment"


def test_a_storyboard_of_a_long_video_has_at_most_a_hundred_tiles() -> None:
    board = storyboard(io.BytesIO(samples.video(220, size=(64, 36), audio_codec=None, fps=2, gop=2)))
    assert board.tiles == 100
    assert (board.columns, board.rows) == (10, 10)


def test_a_transport_stream_without_index_gives_pictures_too() -> None:
    data = io.BytesIO(samples.video(4, container="mpegts", gop=250))
    assert storyboard(data).tiles in (2, 3)  # its length is a little more than four seconds
    assert poster(data).startswith(b"\xff\xd8")


def test_the_waveform_shows_where_sound_is_and_where_none_is(plain_mp4: bytes) -> None:
    levels = waveform(io.BytesIO(plain_mp4), buckets=60)
    assert len(levels) == 60
    assert all(0 <= level <= 100 for level in levels)
    assert min(levels[2:18]) > 80
    assert max(levels[23:37]) == 0
    assert min(levels[43:57]) > 80


def test_the_waveform_has_as_many_values_as_asked_for_even_in_a_very_short_video() -> None:
    assert len(waveform(io.BytesIO(samples.video(0.2)), buckets=600)) == 600


@pytest.mark.parametrize(
    ("container", "codec", "audio", "pixels", "needed", "how"),
    [
        ("mp4", "libx264", "aac", "yuv420p", False, "copied"),
        ("webm", "libvpx", "libopus", "yuv420p", False, "transcoded"),
        ("matroska", "libx264", "libopus", "yuv420p", True, "copied"),
        ("matroska", "libx264", "aac", "yuv420p", True, "copied"),
        ("mpegts", "libx264", "aac", "yuv420p", True, "copied"),
        ("mp4", "libx265", "aac", "yuv420p", True, "transcoded"),
        ("mp4", "libx264", "aac", "yuv422p", True, "transcoded"),
        ("avi", "mjpeg", "pcm_s16le", "yuvj420p", True, "transcoded"),
    ],
)
def test_what_a_browser_cannot_play_gets_a_viewing_copy_that_it_can(
    container: str, codec: str, audio: str, pixels: str, needed: bool, how: str
) -> None:
    data = io.BytesIO(samples.video(3, container=container, video_codec=codec, audio_codec=audio, pixel_format=pixels))
    original = probe(data)
    assert viewing_copy.needs_copy(original) is needed
    out = _OnlyWritable()
    assert viewing_copy.write(data, out) == how
    copy = probe(io.BytesIO(out.data))
    assert not viewing_copy.needs_copy(copy)
    assert (copy.width, copy.height) == (original.width, original.height)
    assert abs(copy.duration_ms - original.duration_ms) < 150
    with av.open(io.BytesIO(out.data)) as played:
        assert abs(sum(1 for _ in played.decode(video=0)) - 75) <= 1
    assert max(waveform(io.BytesIO(out.data))) > 80


def test_a_transcoded_copy_of_a_turned_video_stands_upright() -> None:
    data = io.BytesIO(samples.video(2, video_codec="libx265", rotation=-90))
    out = _OnlyWritable()
    assert viewing_copy.write(data, out) == "transcoded"
    copy = probe(io.BytesIO(out.data))
    assert (copy.width, copy.height, copy.rotation) == (180, 320, 0)
    with av.open(io.BytesIO(out.data)) as played:
        frame = next(played.decode(video=0)).to_ndarray(format="rgb24")
    assert _is(tuple(int(part) for part in frame[40, 150]), samples.RED)


def test_a_large_picture_is_scaled_down_in_a_transcoded_copy() -> None:
    data = io.BytesIO(samples.video(1, video_codec="mpeg4", size=(1920, 1080), audio_codec=None))
    out = _OnlyWritable()
    viewing_copy.write(data, out)
    copy = probe(io.BytesIO(out.data))
    assert (copy.width, copy.height) == (1280, 720)


@pytest.mark.parametrize("pipeline", [probe, poster, storyboard, waveform])
def test_what_is_no_video_is_rejected_in_plain_words(pipeline: Callable[[io.BytesIO], object]) -> None:
    with pytest.raises(MediaRejected) as caught:
        pipeline(io.BytesIO(b"This is a shopping list and not a video.\n" * 100))
    assert "not a video" in caught.value.what_happened
    assert "safe" in caught.value.meaning
    assert caught.value.next_step


def test_sound_alone_is_no_video() -> None:
    out = io.BytesIO()
    with av.open(out, mode="w", format="mp4") as target:
        stream = target.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.tone(0, 1).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = 48000
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    with pytest.raises(MediaRejected, match="no moving pictures"):
        probe(out)


def test_a_file_cut_off_while_it_was_written_still_shows_what_is_there() -> None:
    whole = samples.video(6, options=FRAGMENTED)
    cut = io.BytesIO(whole[: whole.rindex(b"mdat") + 1000])
    assert 4900 < probe(cut).duration_ms < 6200
    assert poster(cut).startswith(b"\xff\xd8")
    assert len(waveform(cut)) == 600


class _OnlyWritable:
    """A sink like a sealed object: no seeking, no reading."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def _is(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(int(has) - wanted) < 60 for has, wanted in zip(pixel, colour, strict=True))
