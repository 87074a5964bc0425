import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bluelamp.camera import Device, RecordingSpec
from bluelamp.formats.manifest import SignedEntry

START = datetime(2026, 11, 22, 7, 19, tzinfo=UTC)


@pytest.fixture(scope="session")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> tuple[Device, SignedEntry]:
    """Seven seconds with everything in them: 2 s of pre-event buffer, a marker, muting, stealth, a walk."""
    device = Device.open(tmp_path_factory.mktemp("camera"), serial="BL-000123", mount="cap")
    spec = RecordingSpec(
        START,
        seconds=7,
        pre_event_seconds=2,
        seed=1,
        markers=(3.5,),
        mutes=((4, 5),),
        stealths=((5, 6),),
        lat=51.5074,
        lon=-0.1278,
        told=True,
    )
    return device, device.record(spec)[0]


@pytest.fixture(scope="session")
def _three_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    device = Device.open(folder, serial="BL-3")
    for number in range(3):
        device.record(RecordingSpec(START.replace(hour=8 + number), seconds=1, pre_event_seconds=0, seed=number))
    return folder


@pytest.fixture
def device(_three_recordings: Path, tmp_path: Path) -> Device:
    """A camera that holds three short recordings."""
    folder = tmp_path / "camera"
    shutil.copytree(_three_recordings, folder)
    return Device.existing(folder)
