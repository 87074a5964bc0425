import hashlib
import io
import itertools
import stat
import uuid
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest

import bluelamp.camera as camera
from bluelamp.camera import CameraError, Device, RecordingSpec
from bluelamp.camera.overlay import Watermark
from bluelamp.camera.scene import Scene
from bluelamp.camera.sound import RATE, Soundtrack, add_beeps
from bluelamp.camera.sprites import Planes
from bluelamp.formats import iso8601
from bluelamp.formats.manifest import SignedEntry, check_chain, verify_entry
from bluelamp.media import viewing_copy
from bluelamp.media.probe import probe
from bluelamp.media.waveform import waveform
from tests.camera.conftest import START

Eventful = tuple[Device, SignedEntry]


def file_of(eventful: Eventful) -> Path:
    device, signed = eventful
    return device.path(signed)


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def boxes(data: bytes) -> list[bytes]:
    kinds = []
    place = 0
    while place < len(data):
        kinds.append(data[place + 4 : place + 8])
        place += int.from_bytes(data[place : place + 4], "big")
    return kinds


def test_a_recording_is_what_a_camera_makes_and_a_browser_plays(eventful: Eventful) -> None:
    with file_of(eventful).open("rb") as file:
        facts = probe(file)
    assert (facts.width, facts.height, facts.fps) == (1280, 720, "25/1")
    assert (facts.container, facts.video_codec, facts.audio_codec) == ("mp4", "h264", "aac")
    assert abs(facts.duration_ms - 7000) < 60
    assert not viewing_copy.needs_copy(facts)


def test_1080p_is_recorded_too(tmp_path: Path) -> None:
    signed = camera.record(tmp_path, RecordingSpec(START, seconds=1, pre_event_seconds=0, size="1080p"))
    with (tmp_path / signed.entry.filename).open("rb") as file:
        facts = probe(file)
    assert (facts.width, facts.height, facts.fps) == (1920, 1080, "25/1")
    assert signed.entry.video == {"width": 1920, "height": 1080, "fps": 25}


def test_a_clean_stop_leaves_an_ordinary_indexed_mp4(eventful: Eventful) -> None:
    kinds = boxes(file_of(eventful).read_bytes())
    assert b"moof" not in kinds
    assert kinds.count(b"moov") == 1


def test_the_entry_is_signed_and_tells_the_file(eventful: Eventful) -> None:
    device, signed = eventful
    entry = verify_entry(signed, device.public_key)
    data = device.path(signed).read_bytes()
    assert entry.sha256 == hashlib.sha256(data).hexdigest()
    assert entry.size == len(data)
    assert (entry.serial, entry.mount, entry.sequence, entry.part) == ("BL-000123", "cap", 1, 1)
    assert (entry.started_at, entry.ended_at) == ("2026-11-22T07:19:00Z", "2026-11-22T07:19:07Z")
    assert entry.told is True
    assert entry.clock_set is True
    assert uuid.UUID(entry.incident)
    assert SignedEntry.from_json(signed.to_json()) == signed


def test_what_the_wearer_did_is_in_the_entry_in_order(eventful: Eventful) -> None:
    events = [(event["at"][17:], event["kind"]) for event in eventful[1].entry.events]
    assert events == [
        ("02Z", "start"),
        ("03.500000Z", "marker"),
        ("04Z", "mute"),
        ("05Z", "stealth_on"),
        ("05Z", "unmute"),
        ("06Z", "stealth_off"),
        ("07Z", "stop"),
    ]


def test_the_track_is_a_walk_from_the_given_place(eventful: Eventful) -> None:
    track = eventful[1].entry.track
    assert [position["at"][17:] for position in track] == ["00Z", "05Z"]
    assert (track[0]["lat"], track[0]["lon"]) == ("51.507400", "-0.127800")
    assert track[1] != track[0]
    assert abs(float(track[1]["lat"]) - 51.5074) < 0.001


def test_the_pre_event_buffer_and_muting_carry_no_sound(eventful: Eventful) -> None:
    with file_of(eventful).open("rb") as file:
        levels = waveform(file, buckets=70)  # ten a second
    assert max(levels[0:19]) == 0
    assert max(levels[42:49]) == 0
    assert max(levels[20:40]) > 50
    assert max(levels[51:69]) > 20


def test_the_red_ring_shows_that_it_records_but_not_before_the_start_nor_in_stealth(eventful: Eventful) -> None:
    frames = pictures(file_of(eventful))

    def red(number: int) -> int:
        corner = frames[number][0:90, -110:].astype(int)
        return int(((corner[..., 0] > 150) & (corner[..., 1] < 70) & (corner[..., 2] < 70)).sum())

    assert len(frames) == 175
    assert red(30) == 0  # second 1.2: pre-event buffer
    assert red(2 * 25 + 5) > 300
    assert red(2 * 25 + 20) == 0  # it flashes
    assert red(5 * 25 + 5) == 0  # stealth
    assert red(6 * 25 + 5) > 300


def test_the_picture_moves_and_has_the_watermark(eventful: Eventful) -> None:
    frames = pictures(file_of(eventful))
    moved = np.abs(frames[60].astype(int) - frames[85].astype(int)).mean()
    assert moved > 2
    text = frames[10][12:44, 12:400].astype(int).min(axis=2)
    assert (text > 200).sum() > 300


def test_the_watermark_changes_with_the_second_and_says_when_the_clock_is_not_set() -> None:
    def image(clock_set: bool, seconds: float) -> bytes:
        return Watermark("VB1", "BL-1", clock_set, 720).picture(START + timedelta(seconds=seconds)).tobytes()

    assert image(True, 0) == image(True, 0.9)
    assert image(True, 0) != image(True, 1)
    assert len(image(False, 0)) > len(image(True, 0))


def test_a_camera_without_a_clock_says_so_in_its_entry(tmp_path: Path) -> None:
    spec = RecordingSpec(START.replace(year=2000), seconds=1, pre_event_seconds=0, clock_set=False)
    entry = camera.record(tmp_path, spec).entry
    assert entry.clock_set is False
    assert entry.started_at.startswith("2000-")
    assert entry.told is None


def _view(seed: int, seconds: float = 0.0) -> np.ndarray:
    planes: Planes = (
        np.zeros((360, 640), np.uint8),
        np.zeros((180, 320), np.uint8),
        np.zeros((180, 320), np.uint8),
    )
    Scene(seed, 640, 360).draw(planes, seconds)
    return planes[0].astype(int)


def test_each_seed_gives_another_scene_and_the_same_seed_the_same() -> None:
    views = [_view(seed) for seed in range(6)]
    assert np.array_equal(views[0], _view(0))
    for number, one in enumerate(views):
        for other in views[number + 1 :]:
            assert np.abs(one - other).mean() > 10
    assert {Scene(seed, 320, 180).light.name for seed in range(12)} == {"bright day", "overcast", "dusk", "night"}


def test_a_scene_goes_on_for_hours_without_an_edge() -> None:
    scene = Scene(3, 640, 360)
    planes: Planes = (
        np.zeros((360, 640), np.uint8),
        np.zeros((180, 320), np.uint8),
        np.zeros((180, 320), np.uint8),
    )
    for seconds in (0, 59.96, 1234.5, 4 * 3600 - 0.04):
        scene.draw(planes, seconds)
        assert planes[0].std() > 10


def test_speech_has_syllables_and_pauses() -> None:
    samples = Soundtrack(5).take(20 * RATE)
    levels = np.sqrt(np.square(samples.reshape(-1, RATE // 50)).mean(axis=1))
    loud = levels > 0.03
    assert 0.3 < loud.mean() < 0.9
    # Speech swells and fades some two to eight times a second.
    beginnings = (loud[1:] & ~loud[:-1]).sum() / 20
    assert 1 < beginnings < 8


def test_two_tones_sound_at_the_start_and_every_two_minutes_but_not_in_stealth() -> None:
    samples = np.zeros(250 * RATE, dtype=np.float32)
    add_beeps(samples, 0, 2.0, lambda second: False)
    beeps = [second for second in range(250) if np.abs(samples[second * RATE : (second + 1) * RATE]).max() > 0.1]
    assert beeps == [2, 122, 242]
    spectrum = np.abs(np.fft.rfft(samples[2 * RATE : 3 * RATE]))
    assert {1318, 1760} <= set(np.argsort(spectrum)[-60:])
    hidden = np.zeros(130 * RATE, dtype=np.float32)
    add_beeps(hidden, 0, 2.0, lambda second: second > 100)
    assert np.abs(hidden[100 * RATE :]).max() == 0


def test_a_beep_across_the_border_of_two_pieces_is_whole() -> None:
    whole = np.zeros(4 * RATE, dtype=np.float32)
    add_beeps(whole, 0, 1.8, lambda second: False)
    first, second = np.zeros(2 * RATE, dtype=np.float32), np.zeros(2 * RATE, dtype=np.float32)
    add_beeps(first, 0, 1.8, lambda second: False)
    add_beeps(second, 2 * RATE, 1.8, lambda second: False)
    assert np.array_equal(np.concatenate([first, second]), whole)


def test_a_long_recording_is_split_without_a_gap(tmp_path: Path) -> None:
    device = Device.open(tmp_path)
    spec = RecordingSpec(START, seconds=5, pre_event_seconds=1, split_seconds=2, mutes=((1.5, 3),), lat=51.0, lon=0.0)
    parts = [signed.entry for signed in device.record(spec)]
    assert [part.part for part in parts] == [1, 2, 3]
    assert len({part.incident for part in parts}) == 1
    assert [part.sequence for part in parts] == [1, 2, 3]
    for before, after in itertools.pairwise(parts):
        assert before.ended_at == after.started_at
        assert before.events[-1]["kind"] == after.events[0]["kind"] == "split"
    assert sum(len(pictures(tmp_path / part.filename)) for part in parts) == 125
    assert [event["kind"] for event in parts[1].events] == ["split", "unmute", "split"]
    assert [part.pre_event_seconds for part in parts] == [1, 0, 0]
    assert check_chain(parts) == []


def test_recordings_are_chained_and_the_folder_tells_the_camera(device: Device) -> None:
    entries = device.entries()
    assert [signed.entry.sequence for signed in entries] == [1, 2, 3]
    assert check_chain(entries) == []
    for signed in entries:
        verify_entry(signed, device.public_key)
    assert stat.S_IMODE((device.folder / "device.key").stat().st_mode) == 0o600
    again = Device.existing(device.folder)
    assert (again.serial, again.public_key, again.mount) == ("BL-3", device.public_key, "chest")
    assert again.battery_percent == 100
    assert again.storage()["free"] < again.storage()["capacity"]
    lines = (device.folder / "manifest.jsonl").read_text().splitlines()
    assert [SignedEntry.from_json(line) for line in lines] == entries


def test_erasing_takes_the_file_and_leaves_the_entry(device: Device) -> None:
    first, *others = device.entries()
    device.remove(first)
    assert not device.path(first).exists()
    assert device.inventory() == others
    assert device.entries() == [first, *others]
    device.remove(first)
    following = device.record(RecordingSpec(START.replace(hour=12), seconds=1, pre_event_seconds=0))
    assert following[0].entry.sequence == 4
    assert check_chain(device.entries()) == []


def test_a_folder_belongs_to_one_camera(device: Device, tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="belongs to a camera of serial BL-3"):
        Device.open(device.folder, serial="BL-4")
    with pytest.raises(CameraError, match="no camera in"):
        Device.existing(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"started_at": START.replace(tzinfo=None)}, "time zone"),
        ({"seconds": 0}, "one second"),
        ({"pre_event_seconds": 121}, "0 to 120"),
        ({"size": "8k"}, "720p or 1080p"),
        ({"markers": (61,)}, "outside the recording"),
        ({"mutes": ((6, 3),)}, "does not fit"),
        ({"stealths": ((3, 99),)}, "does not fit"),
        ({"lat": 51.0}, "both latitude and longitude"),
        ({"lat": 91.0, "lon": 0.0}, "within 85"),
        ({"split_seconds": 0}, "one second or more"),
    ],
)
def test_what_no_camera_could_do_is_refused_in_words(options: dict[str, object], why: str) -> None:
    with pytest.raises(CameraError, match=why):
        RecordingSpec(**{"started_at": START, **options})


def test_a_pre_event_buffer_never_fills_the_whole_recording() -> None:
    assert RecordingSpec(START, seconds=8).pre_event_seconds == 4
    assert RecordingSpec(START, seconds=8, pre_event_seconds=5).pre_event_seconds == 5
    assert RecordingSpec(START, seconds=60).pre_event_seconds == 30


def test_the_devices_time_is_written_to_the_millisecond() -> None:
    spec = RecordingSpec(START, seconds=60)
    assert iso8601.to_text(spec.at(1.5)) == "2026-11-22T07:19:01.500000Z"
    assert RecordingSpec(START.astimezone(), seconds=60).at(0) == START


def test_the_face_is_a_file_of_the_package() -> None:
    from importlib import resources

    data = (resources.files("bluelamp.camera") / "assets" / "face.jpg").read_bytes()
    from PIL import Image

    assert Image.open(io.BytesIO(data)).size == (256, 256)
