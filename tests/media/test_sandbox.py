import io
import os
import random
import signal
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bluelamp.media import sandbox, wire
from bluelamp.media.errors import MediaFailed, MediaRejected
from bluelamp.media.poster import poster
from bluelamp.media.probe import probe
from bluelamp.media.sandbox import Limits, Processed, _Conversation
from bluelamp.media.storyboard import storyboard
from bluelamp.media.waveform import waveform
from bluelamp.media.wire import Kind
from tests.media import samples


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: data[offset : offset + length]


def run(data: bytes, **options: object) -> Processed:
    return sandbox.process(reader(data), len(data), **options)


def my_children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "bluelamp.media.child" in one.cmdline()]


def test_the_sandbox_finds_what_the_pipelines_find(plain_mp4: bytes) -> None:
    done = run(plain_mp4)
    assert done.facts == probe(io.BytesIO(plain_mp4))
    assert done.poster == poster(io.BytesIO(plain_mp4))
    assert done.storyboard == storyboard(io.BytesIO(plain_mp4))
    assert done.waveform == waveform(io.BytesIO(plain_mp4))
    assert done.viewing_copy is None
    assert my_children() == []


def test_only_what_is_wanted_is_made(plain_mp4: bytes) -> None:
    done = run(plain_mp4, want=("facts", "waveform"))
    assert done.poster is None
    assert done.storyboard is None
    assert done.waveform
    with pytest.raises(ValueError, match="clip"):
        run(plain_mp4, want=("clip",))


def test_a_viewing_copy_streams_to_the_sink_where_one_is_needed() -> None:
    pieces: list[bytes] = []
    done = run(samples.video(3, container="matroska"), on_viewing_copy=pieces.append)
    assert done.viewing_copy == "copied"
    assert probe(io.BytesIO(b"".join(pieces))).container == "mp4"


def test_no_viewing_copy_is_made_of_what_browsers_play(plain_mp4: bytes) -> None:
    pieces: list[bytes] = []
    assert run(plain_mp4, on_viewing_copy=pieces.append).viewing_copy is None
    assert pieces == []


def test_the_child_is_confined_while_it_works(plain_mp4: bytes) -> None:
    seen: list[dict[str, object]] = []

    def look(offset: int, length: int) -> bytes:
        child = my_children()[0]
        place = f"/proc/{child.pid}"
        seen.append(
            {
                "environment": set(child.environ()) if os.geteuid() == 0 else set(),
                "status": Path(place, "status").read_text(),
                "session": os.getsid(child.pid),
                "pid": child.pid,
                "command": " ".join(child.cmdline()),
            }
        )
        return plain_mp4[offset : offset + length]

    done = sandbox.process(look, len(plain_mp4))
    assert {"no-new-privileges", "system-call-filter", "resource-limits"} <= set(done.confinement)
    if os.geteuid() == 0:
        assert {"unprivileged-user", "no-network"} <= set(done.confinement)
        assert "\nUid:\t0" not in str(seen[0]["status"])
    assert "NoNewPrivs:\t1" in str(seen[0]["status"])
    assert "Seccomp:\t2" in str(seen[0]["status"])
    assert seen[0]["session"] == seen[0]["pid"]
    environment = seen[0]["environment"]
    assert isinstance(environment, set)
    # LC_CTYPE is set by the interpreter itself, which finds no locale.
    assert environment <= {"OPENBLAS_NUM_THREADS", "LD_LIBRARY_PATH", "LC_CTYPE"}
    assert "mp4" not in str(seen[0]["command"])


def test_an_inherited_lower_limit_does_not_stop_the_work(plain_mp4: bytes) -> None:
    # More descriptors or memory than the service may have are asked for; it then works with what there is.
    assert run(plain_mp4, limits=Limits(memory_bytes=2**62)).poster


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("video.mp4", b"x" * 10_000)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Not a video, but named like one.\n" * 500, id="text"),
        pytest.param(random.Random(1).randbytes(300_000), id="random bytes"),
        pytest.param(_zip(), id="zip"),
        pytest.param(b"\0" * 100_000, id="zeros"),
        pytest.param(b"", id="empty"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
    ],
)
def test_what_is_no_video_is_rejected(data: bytes) -> None:
    with pytest.raises(MediaRejected, match="not a video"):
        run(data)


def test_a_truncated_file_is_rejected_or_shown_as_far_as_it_goes(plain_mp4: bytes) -> None:
    with pytest.raises(MediaRejected):
        run(plain_mp4[: len(plain_mp4) // 2])  # the index stands at the end


def test_damage_in_the_middle_neither_crashes_nor_hangs(plain_mp4: bytes) -> None:
    dice = random.Random(7)
    for _ in range(6):
        data = bytearray(plain_mp4)
        for _ in range(60):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            run(bytes(data), limits=Limits(wall_seconds=30))
        except (MediaRejected, MediaFailed):
            continue
    assert my_children() == []


@pytest.fixture
def listener() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.3)
    return server


def _nobody_came(listener: socket.socket) -> bool:
    with listener:
        try:
            listener.accept()
        except TimeoutError:
            return True
    return False


@pytest.mark.parametrize("kind", ["hls", "concat", "sdp", "dash"])
def test_play_lists_open_no_file_and_no_connection(
    kind: str, listener: socket.socket, plain_mp4: bytes, anyones_place: Path
) -> None:
    secret = anyones_place / "secret.mp4"
    secret.write_bytes(plain_mp4)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.mp4"
    text = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{secret}'\nfile '{url}'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><BaseURL>{url}</BaseURL></Period></MPD>',
    }[kind]
    with pytest.raises(MediaRejected):
        run(text.encode() + b"\n" * 2000)
    assert _nobody_came(listener)


def test_an_mp4_that_refers_to_another_file_or_host_reads_neither(listener: socket.socket, plain_mp4: bytes) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.mp4".encode()
    try:
        run(_with_reference(plain_mp4, url))
    except MediaRejected:
        pass
    assert _nobody_came(listener)


def _with_reference(data: bytes, url: bytes) -> bytes:
    """The MP4 with its first data reference (ISO/IEC 14496-12, 8.7.2) pointing to `url`."""
    old = data.index(b"url \0\0\0\1") - 4
    entry = struct.pack(">I4sI", 12 + len(url) + 1, b"url ", 0) + url + b"\0"
    grown = len(entry) - 12
    out = bytearray(data[:old] + entry + data[old + 12 :])
    place, end = data.rindex(b"moov") - 4, old
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = data.index(name, place, end) - 4
        out[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", data, place)[0] + grown)
    return bytes(out)


def test_a_picture_that_no_camera_makes_is_rejected() -> None:
    data = samples.video(0.04, container="matroska", video_codec="mpeg4", audio_codec=None, size=(6400, 6400))
    assert len(data) < 1024**2  # and yet 200 MB when decoded
    with pytest.raises(MediaRejected, match="6400 by 6400"):
        run(data)


def test_a_picture_larger_than_its_header_says_is_not_decoded() -> None:
    data = bytearray(samples.video(1, container="avi", video_codec="mjpeg", audio_codec=None, pixel_format="yuvj420p"))
    for where in _all(data, b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 180, 320)):
        data[where + 5 : where + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises((MediaRejected, MediaFailed)):
        run(bytes(data))


def _all(data: bytes | bytearray, what: bytes) -> list[int]:
    places = []
    place = data.find(what)
    while place >= 0:
        places.append(place)
        place = data.find(what, place + 1)
    assert places
    return places


def test_a_child_that_needs_too_much_memory_gets_none_and_says_so() -> None:
    data = samples.video(0.2, video_codec="mpeg4", size=(4096, 4096), audio_codec=None)
    # What ran short decides whether it reads like damage or like want of memory; both leave the footage alone.
    with pytest.raises((MediaFailed, MediaRejected)):
        run(data, limits=Limits(memory_bytes=_address_space_of_an_idle_child() + 10 * 1024**2))
    assert run(data).poster


def _address_space_of_an_idle_child() -> int:
    seen = []
    tiny = samples.video(0.2, size=(64, 64), audio_codec=None)

    def look(offset: int, length: int) -> bytes:
        seen.append(my_children()[0].memory_info().vms)
        return tiny[offset : offset + length]

    sandbox.process(look, len(tiny), want=("facts",))
    return int(seen[0])


def test_a_child_that_takes_too_long_is_ended(plain_mp4: bytes) -> None:
    def slow(offset: int, length: int) -> bytes:
        time.sleep(2)
        return plain_mp4[offset : offset + length]

    with pytest.raises(MediaFailed, match="longer than the 1 seconds"):
        sandbox.process(slow, len(plain_mp4), limits=Limits(wall_seconds=1))
    assert my_children() == []


def test_a_child_that_is_killed_is_reported_and_the_footage_called_safe(plain_mp4: bytes) -> None:
    def kill(offset: int, length: int) -> bytes:
        os.kill(my_children()[0].pid, signal.SIGKILL)
        return plain_mp4[offset : offset + length]

    with pytest.raises(MediaFailed) as caught:
        sandbox.process(kill, len(plain_mp4))
    assert "stopped from outside" in str(caught.value)
    assert "original is safe" in str(caught.value)


def test_footage_that_cannot_be_read_raises_the_readers_own_error(plain_mp4: bytes) -> None:
    def erased(offset: int, length: int) -> bytes:
        raise LookupError("the key is gone")

    with pytest.raises(LookupError, match="the key is gone"):
        sandbox.process(erased, len(plain_mp4))
    with pytest.raises(KeyError):
        sandbox.process(lambda offset, length: {}["key"], len(plain_mp4))
    with pytest.raises(MediaFailed, match="read whole"):
        sandbox.process(lambda offset, length: b"short", len(plain_mp4))
    assert my_children() == []


def test_the_parents_memory_does_not_grow_with_the_footage() -> None:
    data = _thirty_megabytes()
    reads = 0

    def copy_out(piece: bytes) -> None:
        nonlocal reads
        reads += len(piece)

    before = psutil.Process().memory_info().rss
    highest = before

    def watch(offset: int, length: int) -> bytes:
        nonlocal highest
        highest = max(highest, psutil.Process().memory_info().rss)
        return data[offset : offset + length]

    done = sandbox.process(watch, len(data), on_viewing_copy=copy_out)
    assert done.viewing_copy == "copied"
    assert reads > 20 * 1024**2
    assert highest - before < 12 * 1024**2


def _thirty_megabytes() -> bytes:
    """H.264 in Matroska, padded by sound that does not compress."""
    out = io.BytesIO()
    import av
    import numpy as np

    noise = np.random.default_rng(1)
    with av.open(out, mode="w", format="matroska") as target:
        video = target.add_stream("libx264", rate=25, options={"preset": "ultrafast", "qp": "1"})
        video.width, video.height, video.pix_fmt = 640, 480, "yuv420p"
        for _ in range(60):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (720, 640), np.uint8), format="yuv420p")
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
    return out.getvalue()


class Rogue:
    """A child that has been taken over: speaks the protocol as it likes."""

    def __init__(self, *messages: tuple[int, bytes]) -> None:
        self.ours, self.theirs = socket.socketpair()
        self._messages = messages
        threading.Thread(target=self._talk, daemon=True).start()

    def _talk(self) -> None:
        try:
            wire.receive(self.theirs, lambda _: 10_000)
            for kind, payload in self._messages:
                self.theirs.sendall(struct.pack(">BI", kind, len(payload)) + payload)
            while self.theirs.recv(65536):
                pass
        except OSError:
            pass

    def meets(self, **options: object) -> None:
        limits = Limits()
        talk = _Conversation(
            self.ours,
            reader(b"x" * 1000),
            1000,
            sandbox.WANTABLE,
            options.get("sink"),
            limits,
            time.monotonic() + 5,
        )
        talk.run()


READY = (Kind.READY, b"[]")
GOOD_FACTS = (
    b'{"duration_ms":1,"width":1,"height":1,"fps":"1/1","video_codec":"h264","audio_codec":null,"container":"mp4",'
    b'"size":1,"pixel_format":"yuv420p","audio_rate":null,"audio_channels":null,"rotation":0}'
)
FACTS = (Kind.FACTS, GOOD_FACTS)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([(99, b"")], id="an unknown message"),
        pytest.param([FACTS], id="facts before it is ready"),
        pytest.param([READY, (Kind.READ, struct.pack(">QI", 990, 11))], id="bytes past the end"),
        pytest.param([READY, (Kind.READ, struct.pack(">QI", 2**64 - 1, 1))], id="an offset near 2**64"),
        pytest.param([READY, (Kind.READ, struct.pack(">QI", 0, 0))], id="no bytes at all"),
        pytest.param([READY, (Kind.READ, b"short")], id="half a request"),
        pytest.param([READY, (Kind.JOB, b"{}")], id="a message of the parent's"),
        pytest.param([READY, (Kind.FACTS, b"{")], id="broken JSON"),
        pytest.param([READY, (Kind.FACTS, b"[" * 4000)], id="JSON without bottom"),
        pytest.param([READY, (Kind.FACTS, b"[]")], id="facts that are none"),
        pytest.param([READY, (Kind.FACTS, b"x" * 5000)], id="facts without end"),
        pytest.param([READY, FACTS, FACTS], id="facts twice"),
        pytest.param([READY, FACTS, (Kind.POSTER, b"<script>alert(1)</script>")], id="a poster that is no JPEG"),
        pytest.param([READY, FACTS, (Kind.WAVEFORM, b"\xff")], id="a level above 100"),
        pytest.param([READY, FACTS, (Kind.COPY, b"x")], id="a viewing copy that nobody wanted"),
        pytest.param([READY, FACTS, (Kind.DONE, b"")], id="an end without results"),
        pytest.param(
            [READY, FACTS, (Kind.STORYBOARD, b'{"columns":-1}\0\xff\xd8\xff\xff\xd9')], id="a storyboard of nonsense"
        ),
    ],
)
def test_a_child_that_breaks_the_protocol_is_not_believed(messages: list[tuple[int, bytes]]) -> None:
    with pytest.raises(wire.BrokenTalk):
        Rogue(*messages).meets()


def test_a_child_that_reads_the_footage_over_and_over_is_stopped() -> None:
    footage = b"x" * wire.LARGEST_RANGE
    request = (Kind.READ, struct.pack(">QI", 0, len(footage)))
    rogue = Rogue(READY, *[request] * 100)
    talk = _Conversation(
        rogue.ours, reader(footage), len(footage), ("facts",), None, Limits(read_times=1), time.monotonic() + 30
    )
    with pytest.raises(wire.BrokenTalk, match="over and over"):
        talk.run()


def test_a_viewing_copy_without_end_is_stopped() -> None:
    rogue = Rogue(READY, FACTS, *[(Kind.COPY, b"x" * 1000)] * 100)
    talk = _Conversation(
        rogue.ours,
        reader(b"x"),
        1000,
        ("facts",),
        lambda piece: None,
        Limits(copy_bytes=50_000),
        time.monotonic() + 5,
    )
    with pytest.raises(MediaFailed, match="larger than is allowed"):
        talk.run()


def test_words_from_the_child_are_made_harmless() -> None:
    with pytest.raises(MediaRejected) as caught:
        Rogue(READY, (Kind.REJECTED, b"\x1b[31mred\n" + b"x" * 1000)).meets()
    assert caught.value.what_happened.isprintable()
    assert len(caught.value.what_happened) <= 300


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel shares out by processes alone")
def test_preparing_takes_only_the_processor_time_that_others_leave(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open(tmp_path / "complaints", "w+b") as complaints:
        child = sandbox._start(theirs, complaints)
        try:
            assert os.getpriority(os.PRIO_PROCESS, child.pid) == 19
            assert Path(f"/proc/{child.pid}/autogroup").read_text().endswith(" nice 19\n")
        finally:
            child.kill()
            child.wait()
