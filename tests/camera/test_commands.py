import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from bluelamp.camera import Device
from bluelamp.cli.camera import app
from bluelamp.cli.dock import NOT_ALL_UPLOADED, dock
from bluelamp.formats import iso8601
from bluelamp.formats.manifest import SignedEntry, check_chain, verify_entry
from bluelamp.kernel.errors import BluelampError
from tests.camera.server import TOKEN, DockingServer

docking = typer.Typer()
docking.command()(dock)


@pytest.fixture
def server() -> Iterator[DockingServer]:
    one = DockingServer()
    yield one
    one.close()


def run(application: typer.Typer, *arguments: object) -> Result:
    return CliRunner().invoke(application, [str(argument) for argument in arguments])


def test_record_makes_signed_recordings_and_prints_their_entries_as_json(tmp_path: Path) -> None:
    result = run(
        app, "record", "--out", tmp_path, "--seconds", 2, "--pre-event", 1, "--serial", "BL-7", "--mount", "cap",
        "--marker", 0.5, "--marker", 1.5, "--mute", "1:1.5", "--stealth", "1.5:2", "--at", "2026-11-22T07:19:00Z",
        "--lat", 51.5, "--lon", -0.12, "--count", 2, "--told", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    entries = [SignedEntry.from_json(document) for document in json.loads(result.stdout)]
    assert [verify_entry(signed).sequence for signed in entries] == [1, 2]
    assert check_chain(entries) == []
    first, second = (signed.entry for signed in entries)
    assert (first.serial, first.mount, first.told) == ("BL-7", "cap", True)
    assert first.started_at == "2026-11-22T07:19:00Z"
    assert second.started_at == "2026-11-22T07:20:02Z"
    assert [event["kind"] for event in first.events].count("marker") == 2
    assert first.sha256 != second.sha256


def test_record_shows_a_table_and_starts_now_by_default(tmp_path: Path) -> None:
    result = run(app, "record", "--out", tmp_path, "--seconds", 1)
    assert result.exit_code == 0
    assert "bluelamp dock" in result.output
    (signed,) = Device.existing(tmp_path).entries()
    assert signed.entry.started_at in result.output
    assert datetime.now(UTC) - iso8601.parse(signed.entry.started_at) < timedelta(minutes=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mute", "5"], "no span"),
        (["--at", "yesterday"], "no time"),
        (["--size", "4k"], "720p or 1080p"),
        (["--seconds", "10", "--marker", "11"], "outside the recording"),
        (["--mount", "bicycle"], "chest, cap"),
        (["--serial", "no spaces please"], "serial"),
    ],
)
def test_what_cannot_be_recorded_is_said_in_words(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = run(app, "record", "--out", tmp_path, *arguments)
    assert isinstance(result.exception, BluelampError)
    assert words in str(result.exception)
    assert not list(tmp_path.glob("*.mp4"))


def test_recover_says_when_nothing_was_open(device: Device, tmp_path: Path) -> None:
    assert "nothing was lost" in run(app, "recover", device.folder).output
    (tmp_path / "empty").mkdir()
    result = run(app, "recover", tmp_path / "empty")
    assert "no camera" in str(result.exception)
    assert not list((tmp_path / "empty").iterdir())


def test_dock_exits_with_0_when_everything_is_safe(device: Device, server: DockingServer) -> None:
    result = run(docking, device.folder, "--server", server.url, "--token", TOKEN)
    assert result.exit_code == 0, result.output
    assert "Everything is safe on the server" in result.output
    assert "erased" in result.output
    assert not list(device.folder.glob("*.mp4"))


def test_dock_exits_with_3_when_something_was_not_taken(device: Device, server: DockingServer) -> None:
    server.faults.states[2] = {"state": "refused", "why": "This camera is not known."}
    result = run(docking, device.folder, "--server", server.url, "--token", TOKEN)
    assert result.exit_code == NOT_ALL_UPLOADED == 3
    assert "This camera is not known." in result.output
    assert "Nothing of that was erased: dock again." in " ".join(result.output.split())
    assert len(list(device.folder.glob("*.mp4"))) == 1


def test_dock_does_not_ask_to_dock_again_for_a_file_that_has_gone(device: Device, server: DockingServer) -> None:
    device.path(device.entries()[1]).unlink()
    for _ in range(2):  # the second time there is nothing else on the camera
        result = run(docking, device.folder, "--server", server.url, "--token", TOKEN)
        output = " ".join(result.output.split())
        assert result.exit_code == NOT_ALL_UPLOADED
        assert "Keep the camera out of use and have it examined" in output
        assert "docking again does not change that" in output
        assert "dock again" not in output.lower()
        assert "holds nothing that the server needs" not in output
        assert "gone" in output


def test_dock_asks_to_dock_again_for_the_rest_alone(device: Device, server: DockingServer) -> None:
    device.path(device.entries()[1]).unlink()
    server.faults.states[3] = {"state": "refused", "why": "Another one is being accepted just now."}
    result = run(docking, device.folder, "--server", server.url, "--token", TOKEN)
    output = " ".join(result.output.split())
    assert "Dock again for the rest; for recording 2 do what is said above first." in output


def test_dock_prints_its_result_as_json(device: Device, server: DockingServer) -> None:
    result = run(docking, device.folder, "--server", server.url, "--token", TOKEN, "--keep", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["uploaded"] == document["receipts_verified"] == [1, 2, 3]
    assert document["erased"] == []
    assert document["all_safe"] is True


def test_dock_says_in_words_what_is_wrong(device: Device, server: DockingServer, tmp_path: Path) -> None:
    result = run(docking, device.folder, "--server", server.url, "--token", "wrong")
    assert "does not know this dock's token" in str(result.exception)
    (tmp_path / "empty").mkdir()
    result = run(docking, tmp_path / "empty", "--server", server.url, "--token", TOKEN)
    assert "no camera" in str(result.exception)
