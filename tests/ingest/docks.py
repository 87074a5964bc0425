"""A dock and a camera as the protocol sees them, written from docs/protocols alone: JSON, tus headers, signatures."""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import iso8601
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.manifest import FIRST_PREVIOUS, ManifestEntry, SignedEntry, sign_entry

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}


class Camera:
    """Holds recordings (any bytes), numbers and signs them."""

    def __init__(self, serial: str) -> None:
        self.serial = serial
        self.key = Ed25519PrivateKey.generate()
        self.clock_behind = timedelta()
        self.entries: list[SignedEntry] = []
        self.content: dict[int, bytes] = {}
        self._previous = FIRST_PREVIOUS

    @property
    def public_key(self) -> str:
        return public_key_text(self.key)

    def record(self, content: bytes, **more: Any) -> SignedEntry:
        """One more recording of a minute, ended just now by the camera's clock."""
        sequence = more.pop("sequence", len(self.entries) + 1)
        ended = datetime.now(UTC) - self.clock_behind
        fields: dict[str, Any] = {
            "serial": self.serial,
            "model": "BW-1",
            "mount": "chest",
            "sequence": sequence,
            "filename": f"{self.serial}-{sequence}.mp4",
            "started_at": iso8601.to_text(ended - timedelta(minutes=1)),
            "ended_at": iso8601.to_text(ended),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "previous": self._previous,
            "clock_set": True,
            "pre_event_seconds": 5,
            "part": 1,
            "incident": str(uuid.uuid4()),
            "events": ({"at": iso8601.to_text(ended), "kind": "stop", "note": ""},),
            "track": ({"at": iso8601.to_text(ended), "lat": "51.5", "lon": "-0.12"},),
            "told": True,
            "video": {"width": 1280, "height": 720, "fps": 25},
            **more,
        }
        signed = sign_entry(ManifestEntry(**fields), self.key)
        self._previous = signed.entry.hash()
        self.entries.append(signed)
        self.content[sequence] = content
        return signed


class Docking:
    """Talks to the entrance with one dock's token."""

    def __init__(self, base: str, token: str, camera: Camera) -> None:
        self.base = base
        self.token = token
        self.camera = camera
        self.client = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self.answer: dict[str, Any] = {}

    def __enter__(self) -> Docking:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def request(self, **changes: Any) -> dict[str, Any]:
        """The docking request for all of the camera's recordings."""
        return {
            "serial": self.camera.serial,
            "model": "BW-1",
            "mount": "chest",
            "public_key": self.camera.public_key,
            "firmware": "1.2.3",
            "device_clock": iso8601.to_text(datetime.now(UTC) - self.camera.clock_behind),
            "clock_set": True,
            "battery_percent": 71,
            "storage": {"capacity": 64_000_000_000, "free": 60_000_000_000},
            "inventory": [signed.to_dict() for signed in self.camera.entries],
            **changes,
        }

    def open(self, **changes: Any) -> dict[str, Any]:
        """Dock; the answer's recordings by sequence."""
        response = self.client.post("/api/v1/docking", json=self.request(**changes))
        assert response.status_code == 200, response.text
        self.answer = response.json()
        return {item["sequence"]: item for item in self.answer["recordings"]}

    def create(self, sequence: int, length: int | None = None, **headers: str) -> httpx.Response:
        pairs = {"session": self.answer["session"], "sequence": str(sequence), "filename": "x.mp4"}
        length = len(self.camera.content[sequence]) if length is None else length
        return self.client.post(
            "/dock/tus/", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(pairs), **headers}
        )

    def head(self, url: str) -> httpx.Response:
        return self.client.head(url, headers=TUS)

    def patch(self, url: str, offset: int, content: Any, **headers: str) -> httpx.Response:
        return self.client.patch(
            url, headers={**TUS, **BYTES, "Upload-Offset": str(offset), **headers}, content=content
        )

    def send(self, url: str, content: bytes, chunk: int = 1_000_000) -> httpx.Response:
        """All of `content`, in chunks; the last answer."""
        at = 0
        while True:
            response = self.patch(url, at, content[at : at + chunk])
            at += chunk
            if at >= len(content) or response.status_code != 204:
                return response

    def receipt(self, sequence: int) -> httpx.Response:
        return self.client.get(f"/api/v1/docking/{self.answer['session']}/receipts/{sequence}")

    def unavailable(self, sequence: int, why: str) -> httpx.Response:
        return self.client.post(f"/api/v1/docking/{self.answer['session']}/unavailable/{sequence}", json={"why": why})

    @property
    def recordings(self) -> Any:
        """What the server has of this camera."""
        from bluelamp.footage.models import Recording

        return Recording.objects.filter(camera__serial=self.camera.serial)

    @property
    def uploads(self) -> Any:
        """What the server knows of this camera's uploads."""
        from bluelamp.ingest.models import Upload

        return Upload.objects.filter(camera__serial=self.camera.serial)


def metadata(pairs: dict[str, str]) -> str:
    """Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
