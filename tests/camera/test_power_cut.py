import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import pytest

import bluelamp.camera as camera
from bluelamp.camera import CameraError, Device, RecordingSpec
from bluelamp.camera.device import _locked
from bluelamp.camera.journal import SUFFIX, Journal, trim_torn_end
from bluelamp.formats import iso8601
from bluelamp.formats.manifest import check_chain, verify_entry
from tests.camera.conftest import START

RECORD = """
import sys
from datetime import datetime, UTC
import bluelamp.camera as camera
device = camera.Device.open(sys.argv[1], serial="BL-CUT")
spec = camera.RecordingSpec(datetime(2026, 11, 22, 7, tzinfo=UTC), seconds=3600, pre_event_seconds=2, markers=(1, 3000),
                            lat=51.5, lon=0.0)
device.record(spec, on_progress=lambda seconds: print(seconds, flush=True))
"""


def cut_after(folder: Path, seconds: float) -> float:
    """Record and pull the battery once `seconds` are done; returns how many seconds were done."""
    with subprocess.Popen([sys.executable, "-c", RECORD, str(folder)], stdout=subprocess.PIPE, text=True) as recording:
        assert recording.stdout is not None
        done = 0.0
        while done < seconds:
            done = float(recording.stdout.readline())
        recording.send_signal(signal.SIGKILL)
        rest = recording.stdout.read().split()
    return float(rest[-1]) if rest else done


def pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("seconds", [2, 3, 7])
def test_a_power_cut_leaves_a_playable_file_and_costs_two_seconds_at_most(tmp_path: Path, seconds: float) -> None:
    done = cut_after(tmp_path, seconds)
    (open_file,) = tmp_path.glob("*.mp4")
    before = pictures(open_file)
    assert before >= (done - 2) * 25

    (signed,) = camera.recover(tmp_path)

    entry = verify_entry(signed)
    device = Device.existing(tmp_path)
    assert pictures(device.path(signed)) >= (done - 2) * 25
    assert entry.size == open_file.stat().st_size
    assert entry.events[-1]["kind"] == "power_loss"
    assert entry.events[-1]["at"] == entry.ended_at
    ended = iso8601.parse(entry.ended_at)
    assert all(iso8601.parse(what["at"]) < ended for what in [*entry.events[:-1], *entry.track])
    if seconds == 7:
        assert [event["kind"] for event in entry.events] == ["marker", "start", "power_loss"]
    assert not list(tmp_path.glob("*" + SUFFIX))
    assert camera.recover(tmp_path) == []


def test_after_a_power_cut_the_next_recording_follows_in_the_chain(tmp_path: Path) -> None:
    cut_after(tmp_path, 3)
    device = Device.existing(tmp_path)
    device.record(RecordingSpec(START, seconds=1, pre_event_seconds=0))  # switching on closes what was open
    assert [signed.entry.sequence for signed in device.entries()] == [1, 2]
    assert device.entries()[0].entry.events[-1]["kind"] == "power_loss"
    assert check_chain(device.entries()) == []


def test_a_cut_before_the_first_picture_reached_the_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    device = Device.open(tmp_path)
    device.record(RecordingSpec(START, seconds=1, pre_event_seconds=0))
    draft = {**device.entries()[0].entry.to_dict(), "sequence": 2, "filename": "early.mp4"}
    Journal.beside(tmp_path / "early.mp4", draft).write()
    (tmp_path / "early.mp4").write_bytes(b"\0\0\0\x1cftypisom")
    assert device.recover() == []
    assert not (tmp_path / "early.mp4").exists()
    assert len(device.entries()) == 1


def test_a_cut_between_file_and_manifest_loses_nothing(tmp_path: Path) -> None:
    device = Device.open(tmp_path)
    (signed,) = device.record(RecordingSpec(START, seconds=1, pre_event_seconds=0))
    draft = signed.entry.to_dict()
    for name in ("ended_at", "size", "sha256", "previous"):
        del draft[name]
    Journal.beside(device.path(signed), draft).write()
    (tmp_path / "manifest.jsonl").unlink()
    (recovered,) = device.recover()
    assert recovered.entry.sha256 == signed.entry.sha256
    assert recovered.entry.events[-1]["kind"] == "power_loss"


def test_a_cut_between_manifest_and_note_adds_no_second_entry(device: Device) -> None:
    last = device.entries()[-1]
    Journal.beside(device.path(last), last.entry.to_dict()).write()
    assert device.recover() == []
    assert len(device.entries()) == 3
    assert not list(device.folder.glob("*" + SUFFIX))


def test_a_torn_line_at_the_manifests_end_is_written_again(device: Device) -> None:
    manifest = device.folder / "manifest.jsonl"
    last = manifest.read_text().splitlines()[-1]
    with manifest.open("a") as file:
        file.write(last[:200])
    assert len(device.entries()) == 3
    device.record(RecordingSpec(START, seconds=1, pre_event_seconds=0))
    assert [signed.entry.sequence for signed in device.entries()] == [1, 2, 3, 4]
    assert check_chain(device.entries()) == []


@pytest.mark.parametrize("torn", [1, 7, 8, 9, 100])
def test_a_torn_fragment_is_cut_off(tmp_path: Path, torn: int) -> None:
    whole = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moof" + b"\0\0\0\x18mdat" + b"x" * 16
    path = tmp_path / "torn.mp4"
    path.write_bytes(whole + b"\0\0\0\x08moof" + (b"\0\0\1\0mdat" + b"x" * 200)[:torn])
    trim_torn_end(path)
    assert path.read_bytes() == whole


def test_two_processes_cannot_record_with_one_camera(device: Device) -> None:
    with _locked(device.folder), pytest.raises(CameraError, match="busy"):
        device.record(RecordingSpec(START, seconds=1))
    assert len(device.entries()) == 3


def test_an_unreadable_note_stops_the_camera_and_touches_nothing(device: Device) -> None:
    (device.folder / f"x.mp4{SUFFIX}").write_text("{")
    with pytest.raises(CameraError, match="cannot be read"):
        device.recover()
    assert (device.folder / f"x.mp4{SUFFIX}").exists()


def test_a_damaged_manifest_is_reported_with_its_line(device: Device) -> None:
    manifest = device.folder / "manifest.jsonl"
    lines = manifest.read_text().splitlines()
    broken = json.loads(lines[1])
    broken["entry"]["size"] = "large"
    manifest.write_text("\n".join([lines[0], json.dumps(broken), lines[2], ""]))
    with pytest.raises(CameraError, match="Line 2"):
        device.entries()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CameraError, match="cannot be used"):
        Device.open(tmp_path / "camera")
