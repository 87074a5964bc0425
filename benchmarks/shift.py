"""A shift change: many cameras dock within a minute at one `bluelamp up`.

Every camera opens a session, creates its uploads, sends them, and fetches receipts, each request repeated as a dock
repeats it (Retry-After honoured). Counted are the times of the control requests (all but those that carry bytes), what
a client could not recover from, and how long until the last receipt.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks import machine
from benchmarks.servers import BYTES, TUS, Bluelamp, Failed
from bluelamp.formats import iso8601
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.manifest import FIRST_PREVIOUS, ManifestEntry, SignedEntry, sign_entry

WORTH_REPEATING = {409, 423, 429, 500, 502, 503, 504, 507}
PATIENCE_SECONDS = 300.0


class Tally:
    """What the cameras saw."""

    def __init__(self) -> None:
        self.control: list[tuple[str, float]] = []
        self.repeated: Counter[str] = Counter()
        self.unrecovered: list[str] = []
        self.receipts = 0
        self.bytes = 0


def run(
    cameras: int = 400,
    recordings: int = 2,
    within_seconds: float = 60.0,
    tell: Callable[[str], None] = lambda line: None,
    *,
    file: Path | None = None,
) -> dict[str, Any]:
    """Let `cameras` dock, spread over `within_seconds`; `file` is what each recorded (else a short real recording)."""
    folder = Path(tempfile.mkdtemp(prefix="bluelamp-bench-"))
    server = None
    try:
        content = (file or _recording(folder)).read_bytes()
        server = Bluelamp(folder / "server")
        serials = [f"SHIFT{number:04d}" for number in range(cameras)]
        token = _register(server, serials)
        tell(f"{cameras} cameras, {recordings} recordings of {len(content):,} bytes, within {within_seconds:.0f} s")
        tally = Tally()
        began = time.perf_counter()
        asyncio.run(_shift(server.base, token, serials, recordings, content, within_seconds, tally))
        seconds = time.perf_counter() - began
        return _report(tally, seconds, cameras, recordings, len(content))
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _shift(
    base: str, token: str, serials: list[str], recordings: int, content: bytes, within: float, tally: Tally
) -> None:
    chance = random.Random(1)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60, limits=limits
    ) as client:
        cameras = [_Camera(client, serial, recordings, content, tally) for serial in serials]
        starts = [chance.uniform(0, within) for _ in cameras]
        await asyncio.gather(*(camera.dock(after) for camera, after in zip(cameras, starts, strict=True)))


class _Camera:
    def __init__(self, client: httpx.AsyncClient, serial: str, recordings: int, content: bytes, tally: Tally) -> None:
        self._client, self._serial, self._content, self._tally = client, serial, content, tally
        self._key = Ed25519PrivateKey.generate()
        self._entries = self._signed(recordings)

    async def dock(self, after: float) -> None:
        await asyncio.sleep(after)
        try:
            answer = await self._control("session", "POST", "/api/v1/docking", json=self._announcement())
            session = answer.json()
            for item in session["recordings"]:
                await self._send(item["upload_url"])
                await self._receipt(session["session"], item["sequence"])
        except (Failed, httpx.HTTPError) as error:
            self._tally.unrecovered.append(f"{self._serial}: {error!r}")

    async def _send(self, url: str) -> None:
        while True:
            stand = await self._control("stand", "HEAD", url, headers=TUS)
            offset = int(stand.headers["Upload-Offset"])
            if offset == len(self._content):
                return
            body = self._content[offset:]
            headers = {**TUS, **BYTES, "Upload-Offset": str(offset)}
            answer = await self._repeated("bytes", "PATCH", url, once=True, headers=headers, content=body)
            if answer is not None:
                self._tally.bytes += len(body)
                return

    async def _receipt(self, session: str, sequence: int) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            answer = await self._control("receipt", "GET", f"/api/v1/docking/{session}/receipts/{sequence}")
            if answer.status_code == 200:
                self._tally.receipts += 1
                return
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        raise Failed("no receipt")

    async def _control(self, kind: str, method: str, url: str, **more: Any) -> httpx.Response:
        answer = await self._repeated(kind, method, url, **more)
        if answer is None:
            raise Failed(f"{kind}: patience was at its end")
        return answer

    async def _repeated(
        self, kind: str, method: str, url: str, *, once: bool = False, **more: Any
    ) -> httpx.Response | None:
        """The answer to a request that is repeated while there is hope; None where `once` asks to look again first."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            began = time.perf_counter()
            pause = 0.5
            try:
                answer = await self._client.request(method, url, **more)
            except httpx.TransportError as error:
                self._tally.repeated[f"{kind}: {type(error).__name__}"] += 1
            else:
                if kind != "bytes":
                    self._tally.control.append((kind, time.perf_counter() - began))
                if answer.status_code < 400:
                    return answer
                if answer.status_code not in WORTH_REPEATING:
                    raise Failed(f"{kind}: {answer.status_code} {answer.text[:200]}")
                self._tally.repeated[f"{kind}: {answer.status_code}"] += 1
                pause = float(answer.headers.get("Retry-After", "0.5"))
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
            if once:
                return None
        raise Failed(f"{kind}: patience was at its end")

    def _announcement(self) -> dict[str, Any]:
        return {
            "serial": self._serial,
            "model": "VB1",
            "mount": "chest",
            "public_key": public_key_text(self._key),
            "firmware": "1",
            "device_clock": iso8601.to_text(datetime.now(UTC)),
            "clock_set": True,
            "battery_percent": 30,
            "storage": {"capacity": 64_000_000_000, "free": 60_000_000_000},
            "inventory": [entry.to_dict() for entry in self._entries],
        }

    def _signed(self, recordings: int) -> list[SignedEntry]:
        sha256 = hashlib.sha256(self._content).hexdigest()
        entries, previous = [], FIRST_PREVIOUS
        for number in range(recordings):
            started = datetime.now(UTC) - timedelta(hours=number + 1)
            signed = sign_entry(
                ManifestEntry(
                    serial=self._serial,
                    model="VB1",
                    mount="chest",
                    sequence=number + 1,
                    filename=f"{self._serial}-{number + 1}.mp4",
                    started_at=iso8601.to_text(started),
                    ended_at=iso8601.to_text(started + timedelta(minutes=1)),
                    size=len(self._content),
                    sha256=sha256,
                    previous=previous,
                    clock_set=True,
                    pre_event_seconds=0,
                    part=1,
                    incident=str(uuid.uuid4()),
                    events=(),
                    track=(),
                    told=True,
                    video={"width": 1280, "height": 720, "fps": 25},
                ),
                self._key,
            )
            previous = signed.entry.hash()
            entries.append(signed)
        return entries


def _register(server: Bluelamp, serials: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.force", *serials],
        env=server.environment,
        cwd=Path(__file__).parent.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


def _recording(folder: Path) -> Path:
    """A real recording of a few seconds, so that preparing it for viewing competes for the machine as it does."""
    command = [
        Path(sys.executable).with_name("bluelamp"),
        "camera",
        "record",
        "--out",
        folder / "camera",
        "--seconds",
        "4",
    ]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "BLUELAMP_DATA": str(folder / "none")})
    return next((folder / "camera").rglob("*.mp4"))


def _report(tally: Tally, seconds: float, cameras: int, recordings: int, size: int) -> dict[str, Any]:
    times = sorted(took for _, took in tally.control)
    by_kind = {kind: sorted(took for of, took in tally.control if of == kind) for kind, _ in tally.control}
    return {
        "machine": machine.describe(),
        "cameras": cameras,
        "recordings": cameras * recordings,
        "bytes_each": size,
        "receipts": tally.receipts,
        "seconds_to_the_last_receipt": round(seconds, 1),
        "control_requests": len(times),
        "control_ms": {
            "p50": round(1000 * statistics.median(times), 1),
            "p99": round(1000 * times[int(len(times) * 0.99)], 1),
            "longest": round(1000 * times[-1], 1),
            **{f"{kind} p99": round(1000 * of[int(len(of) * 0.99)], 1) for kind, of in by_kind.items()},
        },
        "repeated_by_the_clients": dict(tally.repeated),
        "not_recovered": tally.unrecovered,
    }
