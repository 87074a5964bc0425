"""`bluelamp import` as the operator runs it: its words, its exit codes, its report; killed and run again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import live
from tests.imports.sources import export, fill

pytestmark = pytest.mark.server

FILES = {f"clip {number:03}.mp4": b"footage %d" % number for number in range(260)}


@pytest.fixture(scope="module")
def server() -> Iterator[live.Live]:
    with live.running() as found:
        yield found


def test_a_complete_import_ends_with_0_and_a_report_that_verifies(server: live.Live, tmp_path: Path) -> None:
    export(tmp_path / "export", dict(list(FILES.items())[:5]))
    fill(tmp_path / "export", dict(list(FILES.items())[:5]))
    done = server.bluelamp("import", tmp_path / "export")
    assert "The source may be deleted: all 5 files" in done.stdout
    (report,) = tmp_path.glob("*.json")
    checked = server.bluelamp("verify", report)
    assert "Good." in checked.stdout
    document = json.loads(report.read_text())
    report.write_text(json.dumps({**document, "source": "/elsewhere"}))
    forged = server.bluelamp("verify", report, check=False)
    assert forged.returncode == 1
    assert "signature" in forged.stdout
    report.write_text(json.dumps(document))
    listing = report.with_suffix(".csv")
    listing.write_bytes(listing.read_bytes().replace(b"imported", b"Imported", 1))
    assert server.bluelamp("verify", report, check=False).returncode == 1


def test_an_incomplete_import_ends_with_1_and_says_why(server: live.Live, tmp_path: Path) -> None:
    export(tmp_path / "export", {"here.mp4": b"here", "gone.mp4": b"gone"})
    fill(tmp_path / "export", {"here.mp4": b"here"})
    (tmp_path / "reports").mkdir()
    done = server.bluelamp("import", tmp_path / "export", "--report", tmp_path / "reports", "--json", check=False)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["files"] == {"imported": 1, "missing": 1}
    assert said["verdict"].startswith("Do not delete the source: 1 file is missing at the source")
    assert len(list((tmp_path / "reports").iterdir())) == 3
    status = server.bluelamp("import", "--status", tmp_path / "export", check=False)
    assert status.returncode == 1
    assert "Do not delete the source" in status.stdout


def test_the_status_of_a_folder_is_its_own_and_a_mended_list_counts(server: live.Live, tmp_path: Path) -> None:
    folder = tmp_path / "status"
    export(folder, {"a.mp4": b"a of it", "b.mp4": b"b of it"})
    fill(folder, {"a.mp4": b"a of it", "tuesday/c.mp4": b"c of it"})
    assert server.bluelamp("import", folder, check=False).returncode == 1
    export(folder, {"a.mp4": b"a of it", "tuesday/c.mp4": b"c of it"})
    assert server.bluelamp("import", folder).returncode == 0
    assert server.bluelamp("import", "--status", folder / "manifest.csv").returncode == 0
    assert server.bluelamp("import", "--status", folder).returncode == 0, "the list was mended"
    inner = server.bluelamp("import", "--status", folder / "tuesday", check=False)
    assert (inner.returncode, inner.stdout) == (1, f"There has been no import of {folder / 'tuesday'}.\n")
    export(tmp_path / "other", {"gone.mp4": b"gone"})
    assert server.bluelamp("import", tmp_path / "other", check=False).returncode == 1
    assert server.bluelamp("import", folder).returncode == 0
    assert server.bluelamp("import", "--status", check=False).returncode == 1, "one of them is incomplete"


def test_what_cannot_be_read_is_said_in_words(server: live.Live, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("who,when\nx,y\n")
    (tmp_path / "film.MP4").write_bytes(b"film")
    for arguments, said in (
        (("import", tmp_path / "list.csv"), "The manifest list.csv cannot be read"),
        (("import", tmp_path / "nowhere"), "correct the path"),
        (("import", tmp_path / "film.MP4"), "Give the folder that it lies in"),
        (("import", tmp_path, "--time-zone", "Mars"), "There is no time zone Mars"),
        (("import",), "Say what to import"),
    ):
        done = server.bluelamp(*arguments, check=False)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_camera_over_usb_is_imported_by_its_signed_manifest(server: live.Live, tmp_path: Path) -> None:
    serial = server.call(register_camera)
    server.bluelamp("camera", "record", "--out", tmp_path / "camera", "--serial", serial, "--seconds", "2")
    server.bluelamp("camera", "record", "--out", tmp_path / "camera", "--seconds", "2")
    done = server.bluelamp("import", tmp_path / "camera", "--json")
    assert json.loads(done.stdout)["files"] == {"imported": 2}
    recordings = server.call(recordings_of, serial=serial)
    assert [each["sequence"] for each in recordings] == [1, 2]
    assert all(each["signed"] for each in recordings)
    entry = (tmp_path / "camera" / "manifest.jsonl").read_text()
    (tmp_path / "camera" / "manifest.jsonl").write_text(entry.replace('"mount":"chest"', '"mount":"cap"', 1))
    done = server.bluelamp("import", tmp_path / "camera", "--json", check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["files"]["refused"] == 1


def test_an_import_that_is_killed_again_and_again_goes_on_each_time(server: live.Live, tmp_path: Path) -> None:
    fill(tmp_path / "export", {name: b"only here: " + data for name, data in FILES.items()})
    environment = {**os.environ, "BLUELAMP_DATA": str(server.data)}
    command = [sys.executable, "-m", "bluelamp.cli.main", "import", str(tmp_path / "export"), "--json"]
    (server.data / "store" / "recordings").mkdir(parents=True, exist_ok=True)
    for stored in (10, 70, 100):  # in the midst of storing a batch, and of accepting one
        before = len(os.listdir(server.data / "store" / "recordings"))
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(os.listdir(server.data / "store" / "recordings")) < before + stored:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = server.bluelamp("import", tmp_path / "export", "--json")
    assert json.loads(done.stdout)["files"] == {"imported": len(FILES)}
    assert server.call(twice) == []
    shutil.rmtree(tmp_path / "export")


def register_camera() -> str:
    from tests import factories

    return str(factories.camera(factories.unit(), serial="BL-USB-1").serial)


def recordings_of(serial: str) -> list[dict[str, Any]]:
    from bluelamp.footage.models import Recording

    found = Recording.objects.filter(camera__serial=serial).order_by("sequence")
    return [{"sequence": each.sequence, "signed": "signature" in each.manifest} for each in found]


def twice() -> list[str]:
    from django.db.models import Count

    from bluelamp.footage.models import Recording

    counted = Recording.objects.values("sha256").annotate(n=Count("pk")).filter(n__gt=1)
    return [row["sha256"] for row in counted]
