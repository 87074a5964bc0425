"""kill -9 while a recording arrives, is sealed, accepted and processed: the dock finishes, and nothing is half made.

Each point watches a real `bluelamp up` from outside, kills the web process, the worker, or everything at once (database
included) when it sees the wanted state, and lets the real dock client go on by itself. The code under test knows
nothing of it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bluelamp.camera import Device, RecordingSpec
from bluelamp.camera.dock import DockClient, DockResult
from bluelamp.formats import sealed
from bluelamp.formats.manifest import FIRST_PREVIOUS, ManifestEntry, SignedEntry, sign_entry
from bluelamp.ingest import staging
from bluelamp.vault.keyring import SqliteKeyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import LocalStore
from tests.ingest.docks import BYTES, TUS, Camera, Docking
from tests.ingest.up import Up

pytestmark = pytest.mark.server

MIB = 1024 * 1024
SIZE = 40 * MIB


_COLLECTED = """
SELECT count(*) FROM custody_event e JOIN custody_detail d ON d.event_id = e.id
WHERE e.tag = 'recording.collected' AND d.subject = %s
"""
_UNCLEARED = "SELECT 1 FROM ingest_upload WHERE NOT cleared"
_QUEUED = "SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'footage.prepare'"


@dataclass(frozen=True)
class Point:
    """When to kill: `phase` and how far into it; `who`: web, worker, or None for everything."""

    phase: str
    at: float  # receive: share of the bytes sealed in staging; else milliseconds after the phase was seen
    who: str | None

    def __str__(self) -> str:
        return f"{self.phase}-{self.at:g}-{self.who or 'all'}"


POINTS = [
    *(Point("receive", at, "web") for at in (0.02, 0.35, 0.65, 0.96)),
    *(Point("receive", at, None) for at in (0.2, 0.5, 0.8)),
    Point("whole", 0, "web"),
    Point("whole", 0, None),
    *(Point("seal", at, who) for at, who in ((0, "web"), (2, None), (5, "web"), (10, None), (20, "web"))),
    *(Point("accept", at, who) for at, who in ((0, "web"), (0, None), (3, "web"), (8, None))),
    *(Point("process", at, who) for at, who in ((0, "worker"), (150, None), (400, "worker"), (800, None))),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real video of two seconds."""
    device = Device.open(tmp_path_factory.mktemp("sample"), serial="BL-SAMPLE")
    (signed,) = device.record(RecordingSpec(started_at=datetime.now(UTC), seconds=2, pre_event_seconds=1))
    return device.path(signed).read_bytes()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    server = Up(tmp_path_factory.mktemp("crash") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def token(up: Up) -> str:
    return up.dock_token("STOPPED", *(_serial(point) for point in POINTS))


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_crash_loses_nothing_and_leaves_nothing_half_made(
    point: Point, up: Up, token: str, sample: bytes, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    device, signed = _camera_with_a_recording(tmp_path / "camera", _serial(point), sample)
    eye = Eye(up, signed)
    dock = Dock(up, token, device)
    dock.start()

    eye.wait_for(point)
    up.kill(point.who)
    record_property("killed_in", eye.files())
    if point.who is None:
        up.start()
    up.wait_ready()
    result = dock.finish()

    assert result.all_safe, (result.problems, result.refused)
    assert result.receipts_verified == [1]
    assert not device.path(signed).exists()
    recording = eye.the_one_recording()
    assert eye.stored_sha256(recording) == signed.entry.sha256
    assert up.rows(_COLLECTED, f"recording:{recording}") == [(1,)]
    eye.wait_until_prepared(recording)
    eye.assert_nothing_is_left_over()


class Dock(threading.Thread):
    """The real dock client, at work beside the killing."""

    def __init__(self, up: Up, token: str, device: Device) -> None:
        super().__init__(daemon=True)
        self._client = DockClient(up.url, token, lambda: datetime.now(UTC), patience_seconds=180)
        self._folder = device.folder
        self._result: DockResult | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result = self._client.dock(self._folder)
        except BaseException as error:
            self._error = error

    def finish(self) -> DockResult:
        self.join(240)
        if self._error is not None:
            raise self._error
        assert self._result is not None, "the dock did not finish"
        return self._result


class Eye:
    """Looks at staging, store, keyring and database from outside."""

    def __init__(self, up: Up, signed: SignedEntry) -> None:
        self._up = up
        self._entry = signed.entry
        self._staging = up.data / "staging"
        self._store = up.data / "store"
        self._objects_before = self._objects()

    def wait_for(self, point: Point) -> None:
        """Until the moment of the kill."""
        seen = {
            "receive": lambda: self._sealed_bytes() >= point.at * self._entry.size,
            "whole": lambda: self._sealed_bytes() >= sealed.sealed_size(self._entry.size),
            "seal": lambda: any(staging.acknowledged_offset(folder) == self._entry.size for folder in self._folders()),
            "accept": lambda: bool(self._objects() - self._objects_before),
            "process": self._is_being_prepared,
        }[point.phase]
        until = time.monotonic() + 90
        while not seen():
            assert time.monotonic() < until, f"{point} was not seen"
            time.sleep(0.001)
        if point.phase != "receive":
            time.sleep(point.at / 1000)

    def files(self) -> str:
        """What a kill left on the disk, for the report."""
        moved = len(self._objects() - self._objects_before)
        left = sorted(path.name.partition("-")[0] for folder in self._folders() for path in folder.iterdir())
        return json.dumps({"sealed_bytes": self._sealed_bytes(), "staging": left, "in_store": moved})

    def the_one_recording(self) -> uuid.UUID:
        rows = self._up.rows("SELECT id FROM footage_recording WHERE sha256 = %s", self._entry.sha256)
        assert len(rows) == 1
        return rows[0][0]

    def stored_sha256(self, recording: uuid.UUID) -> str:
        reader = SealedReader(
            f"recordings/{recording}/original", str(recording), store=LocalStore(self._store), keyring=self._keyring()
        )
        whole = hashlib.sha256()
        for piece in reader.iter(0, reader.size):
            whole.update(piece)
        return whole.hexdigest()

    def wait_until_prepared(self, recording: uuid.UUID) -> None:
        """Until the poster and the rest are made; what a killed worker left half done is tried again at once."""
        sql = "SELECT processing FROM footage_recording WHERE id = %s"
        until = time.monotonic() + 60
        while self._up.rows(sql, recording) != [("ready",)]:
            assert time.monotonic() < until, self._up.rows(sql, recording)
            if not self._up.rows(_QUEUED):
                self._up.prepare(recording)
            time.sleep(0.2)

    def assert_nothing_is_left_over(self) -> None:
        """Every object in the store is in the database, every key belongs to a recording, staging is empty."""
        until = time.monotonic() + 10
        while (self._folders() or self._up.rows(_UNCLEARED)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not self._folders()
        named = {f"{name}" for (name,) in self._up.rows("SELECT original FROM footage_recording")}
        named |= {name for (name,) in self._up.rows("SELECT object_name FROM footage_derivative")}
        assert set(LocalStore(self._store).list()) == named
        assert self._keyring().count() == len(self._up.rows("SELECT 1 FROM footage_recording"))
        assert not self._up.rows(_UNCLEARED)

    def _is_being_prepared(self) -> bool:
        return bool(
            self._up.rows(
                "SELECT 1 FROM procrastinate_jobs j JOIN footage_recording r ON j.args->>'recording_id' = r.id::text "
                "WHERE r.sha256 = %s AND j.status = 'doing'",
                self._entry.sha256,
            )
        )

    def _folders(self) -> list[Path]:
        return list(self._staging.iterdir())

    def _sealed_bytes(self) -> int:
        total = 0
        for folder in self._folders():
            try:
                total += sum(path.stat().st_size for path in folder.glob("sealed-*"))
            except FileNotFoundError:
                continue
        return total

    def _objects(self) -> set[Path]:
        return set(self._store.glob("recordings/*/original"))

    def _keyring(self) -> SqliteKeyring:
        return SqliteKeyring(self._up.data / "keyring" / "keyring.sqlite")


def _serial(point: Point) -> str:
    return f"CRASH-{point}".replace(".", "_")


def _camera_with_a_recording(folder: Path, serial: str, sample: bytes) -> tuple[Device, SignedEntry]:
    """A camera whose recording is a real video, made long by what players skip: an MP4 box of the type "free"."""
    device = Device.open(folder, serial=serial)
    filler = random.Random(serial).randbytes(SIZE - len(sample) - 8)
    content = sample + (len(filler) + 8).to_bytes(4, "big") + b"free" + filler
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    entry = ManifestEntry(
        serial=serial,
        model=device.model,
        mount=device.mount,
        sequence=1,
        filename=f"{serial}.mp4",
        started_at=now,
        ended_at=now,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        previous=FIRST_PREVIOUS,
        clock_set=True,
        pre_event_seconds=1,
        part=1,
        incident=str(uuid.uuid4()),
        events=(),
        track=(),
        told=None,
        video={"width": 1280, "height": 720, "fps": 25},
    )
    signed = sign_entry(entry, device._key)
    device.path(signed).write_bytes(content)
    (folder / "manifest.jsonl").write_text(signed.to_json() + "\n")
    return device, signed


def test_a_stop_amid_an_upload_is_quick_and_keeps_what_arrived(up: Up, token: str, tmp_path: Path) -> None:
    content = random.Random(9).randbytes(8 * MIB)
    with Docking(up.url, token, Camera("STOPPED")) as docking:
        docking.camera.record(content)
        url = docking.open()[1]["upload_url"]
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
        connection.putrequest("PATCH", parts.path)
        for name, value in {**TUS, **BYTES, "Upload-Offset": "0", "Content-Length": str(len(content))}.items():
            connection.putheader(name, value)
        connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        connection.send(content[: 5 * MIB])
        time.sleep(4)
        began = time.monotonic()
        up.stop()
        assert time.monotonic() - began < 6
        connection.close()
        up.start()
        offset = int(docking.head(url).headers["Upload-Offset"])
        assert offset == sealed.plaintext_start(5)
        assert docking.patch(url, offset, content[offset:]).status_code == 204
        assert docking.receipt(1).status_code == 200
