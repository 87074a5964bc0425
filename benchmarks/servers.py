"""The servers that are compared, each started for the run and given files one after the other."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.certificate import Certificate
from benchmarks.transfer import Answer, request
from bluelamp.formats import iso8601
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.manifest import FIRST_PREVIOUS, ManifestEntry, SignedEntry, sign_entry
from bluelamp.kernel.errors import BluelampError, Invalid

HERE = Path(__file__).parent
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}


_PEERS = HERE / "peers"


class Failed(BluelampError):
    """A server did not do what was asked of it."""

    def __init__(self, what_happened: str) -> None:
        super().__init__(what_happened, "The measurement ends here, and its figures are not kept.", "Run it again.")


def require_peers() -> None:
    """That the programs of the peers are installed. Raises Invalid."""
    needed = [("node", "nodejs"), ("nginx", "nginx-light")]
    if not (_PEERS / "node_modules").exists():
        needed.append(("npm", "npm"))
    for program, package in needed:
        if shutil.which(program) is None:
            raise Invalid(
                f"{program} is not installed, and Bluelamp is measured beside it.",
                "Nothing was measured.",
                f"Install it (Debian's package is {package}) and run this again.",
            )


class Server:
    """One of the compared. `prepare` is not timed; `upload` is."""

    name: str
    process: subprocess.Popen[bytes]

    def __init__(self, folder: Path, tls: Certificate | None) -> None:
        self.folder, self.tls = folder, tls
        self.port = free_port()
        self.context = tls.context() if tls else None
        self.base = f"{'https' if tls else 'http'}://localhost:{self.port}"
        folder.mkdir(parents=True)

    def prepare(self, files: list[Path], sha256: dict[Path, str]) -> list[Any]:
        """What each upload needs to know."""
        return list(files)

    def upload(self, prepared: Any) -> None:
        """Send one file. Raises Failed."""
        raise NotImplementedError

    def request(self, method: str, path: str, headers: dict[str, str], file: Path | None = None) -> Answer:
        """One request to this server."""
        return request(method, urljoin(self.base, path), headers, file, self.context)

    def tidy(self) -> None:
        """Remove what was stored."""

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bluelamp(Server):
    """`bluelamp up`: authorised, hashed, sealed, in the ledger."""

    def __init__(self, folder: Path, tls: Certificate | None = None, *, fsync: bool = True) -> None:
        super().__init__(folder, tls)
        self.name = "Bluelamp" if fsync else "Bluelamp, no fsync"
        data = folder / "data"
        data.mkdir(mode=0o700)
        (data / "instance.json").write_text(json.dumps({"demonstration": True, "instance": str(uuid.uuid4())}))
        self._data = data
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
        self.environment.update(BLUELAMP_DATA=str(data), BLUELAMP_FSYNC="1" if fsync else "0")
        if tls:
            self.environment.update(BLUELAMP_TLS_CERTIFICATE=str(tls.certificate), BLUELAMP_TLS_KEY=str(tls.key))
        command = [Path(sys.executable).with_name("bluelamp"), "up", "--data", data, "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(f"{self.base}/readyz", self.process, self.context)
        self._key = Ed25519PrivateKey.generate()
        self._serial = "BENCH0001"
        self._previous = FIRST_PREVIOUS
        self._sequence = 0
        try:
            self._authorization = {"Authorization": f"Bearer {self._made_force()}"}
        except BaseException:
            self.stop()
            raise

    def _made_force(self) -> str:
        """Set up a force with one dock and camera. Returns the dock's token."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.force", self._serial],
            env=self.environment,
            cwd=HERE.parent,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Failed(f"No force could be set up: {done.stderr.strip()}")
        return done.stdout.strip().splitlines()[-1]

    def prepare(self, files: list[Path], sha256: dict[Path, str]) -> list[Any]:
        """Docks a camera that offers the files as recordings."""
        entries = [self._entry(file, sha256[file]) for file in files]
        answer = httpx.post(
            f"{self.base}/api/v1/docking",
            headers=self._authorization,
            timeout=60,
            verify=self.context or True,
            json={
                "serial": self._serial,
                "model": "VB1",
                "mount": "chest",
                "public_key": public_key_text(self._key),
                "firmware": "1",
                "device_clock": iso8601.to_text(datetime.now(UTC)),
                "clock_set": True,
                "battery_percent": 50,
                "storage": {"capacity": 64_000_000_000, "free": 60_000_000_000},
                "inventory": [entry.to_dict() for entry in entries],
            },
        )
        if answer.status_code != 200:
            raise Failed(answer.text)
        session = answer.json()["session"]
        return [(file, session, entry.entry.sequence) for file, entry in zip(files, entries, strict=True)]

    def upload(self, prepared: Any) -> None:
        file, session, sequence = prepared
        pairs = {"session": session, "sequence": str(sequence)}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())
        headers = {**self._authorization, **TUS, "Upload-Length": str(file.stat().st_size), "Upload-Metadata": metadata}
        created = self.request("POST", "/dock/tus/", headers)
        if created.status != 201:
            raise Failed(f"{created.status} {created.body!r}")
        sent = self.request(
            "PATCH",
            created.headers["location"],
            {**self._authorization, **TUS, **BYTES, "Upload-Offset": "0"},
            file,
        )
        if sent.status != 204:
            raise Failed(f"{sent.status} {sent.body!r}")
        receipt = json.loads(base64.b64decode(sent.headers.get("bluelamp-receipt", "")) or "{}")
        if receipt.get("sequence") != sequence:
            raise Failed(f"no receipt: {sent.headers}")

    def tidy(self) -> None:
        shutil.rmtree(self._data / "store" / "recordings", ignore_errors=True)

    def _entry(self, file: Path, sha256: str) -> SignedEntry:
        self._sequence += 1
        now = datetime.now(UTC)
        signed = sign_entry(
            ManifestEntry(
                serial=self._serial,
                model="VB1",
                mount="chest",
                sequence=self._sequence,
                filename=f"{self._sequence}.mp4",
                started_at=iso8601.to_text(now - timedelta(minutes=1)),
                ended_at=iso8601.to_text(now),
                size=file.stat().st_size,
                sha256=sha256,
                previous=self._previous,
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
        self._previous = signed.entry.hash()
        return signed


class TusNode(Server):
    """`@tus/server` with its file store: stores only."""

    name = "@tus/server"

    def __init__(self, folder: Path, tls: Certificate | None = None) -> None:
        super().__init__(folder, tls)
        if not (_PEERS / "node_modules").exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=_PEERS, check=True)
        files = [tls.certificate, tls.key] if tls else []
        self.process = subprocess.Popen(["node", _PEERS / "tus.mjs", str(self.port), folder / "files", *files])
        wait_for(f"{self.base}/files/", self.process, self.context)

    def upload(self, prepared: Any) -> None:
        file: Path = prepared
        size = str(file.stat().st_size)
        created = self.request("POST", "/files/", {**TUS, "Upload-Length": size})
        if created.status != 201:
            raise Failed(f"{created.status} {created.body!r}")
        sent = self.request("PATCH", created.headers["location"], {**TUS, **BYTES, "Upload-Offset": "0"}, file)
        if sent.status != 204 or sent.headers.get("upload-offset") != size:
            raise Failed(f"{sent.status} {sent.body!r}")

    def tidy(self) -> None:
        for path in (self.folder / "files").iterdir():
            path.unlink()


class Nginx(Server):
    """nginx with its DAV module: stores only, by PUT."""

    name = "nginx DAV PUT"

    def __init__(self, folder: Path, tls: Certificate | None = None) -> None:
        super().__init__(folder, tls)
        (folder / "files").mkdir()
        (folder / "temporary").mkdir()
        configuration = folder / "nginx.conf"
        listen = f" ssl; ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key}" if tls else ""
        configuration.write_text(
            f"""
            daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes auto; user root;
            events {{ worker_connections 256; }}
            http {{
              access_log off; client_max_body_size 0; client_body_temp_path {folder}/temporary;
              server {{ listen 127.0.0.1:{self.port}{listen}; root {folder}/files; dav_methods PUT; }}
            }}
            """
        )
        self.process = subprocess.Popen(["nginx", "-e", folder / "error.log", "-c", configuration])
        wait_for(f"{self.base}/", self.process, self.context)
        self._count = 0

    def prepare(self, files: list[Path], sha256: dict[Path, str]) -> list[Any]:
        self._count += 1
        return [(file, f"{self.base}/{self._count}-{index}") for index, file in enumerate(files)]

    def upload(self, prepared: Any) -> None:
        file, url = prepared
        sent = self.request("PUT", url, {}, file)
        if sent.status != 201:
            raise Failed(f"{sent.status} {sent.body!r}")

    def tidy(self) -> None:
        for path in (self.folder / "files").iterdir():
            path.unlink()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], context: ssl.SSLContext | None, seconds: float = 60.0) -> None:
    """Until something answers there; the process is ended where nothing does. Raises Failed."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            if process.poll() is not None:
                raise Failed(f"The server ended with {process.returncode}.")
            try:
                if httpx.get(url, timeout=2, verify=context or True).status_code < 500:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise Failed(f"Nothing answered at {url}.")
    except BaseException:
        process.terminate()
        process.wait(20)
        raise
