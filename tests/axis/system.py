"""A body-worn system as the protocol describes it: written from docs/protocols/axis.md alone, over plain HTTP."""

from __future__ import annotations

import base64
import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

WARRANT = "200100"


def stamp(at: datetime) -> str:
    """20261122T071905Z"""
    return at.strftime("%Y%m%dT%H%M%SZ")


def meta(kind: str, **values: Any) -> dict[str, str]:
    """Headers as on the wire: URL-encoded values, only the first letter of a key in upper case."""
    return {f"X-{kind}-Meta-{key.capitalize()}": quote(str(value), safe="") for key, value in values.items()}


def times(key: str, at: datetime) -> dict[str, Any]:
    """A time in both its forms."""
    return {key: int(at.timestamp()), f"{key}ISO": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


class System:
    """A controller with its connection file, one camera and one user, who has just recorded for a minute."""

    def __init__(self, address: str, file: dict[str, Any]) -> None:
        self.file = file
        self.http = httpx.Client(timeout=30)
        self.address = address
        self.headers: dict[str, str] = {}
        self.storage = ""
        self.user = str(uuid.uuid4())
        self.serial = f"B8A44F{uuid.uuid4().hex[:6].upper()}"
        self.began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
        self.ended = self.began + timedelta(minutes=1)

    def __enter__(self) -> System:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def sign_in(self) -> httpx.Response:
        """Fetch a token and use it from then on."""
        credentials = {"X-Auth-User": self.file["BlobAPIUserName"], "X-Auth-Key": self.file["BlobAPIKey"]}
        answer = self.http.get(f"{self.address}/auth/v1.0", headers=credentials)
        self.headers = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
        self.storage = answer.headers["X-Storage-Url"]
        return answer

    def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: Any = None
    ) -> httpx.Response:
        """One request to the storage address."""
        url = f"{self.storage}/{path}" if path else self.storage
        return self.http.request(method, url, headers={**self.headers, **(headers or {})}, content=content)

    def put(self, path: str, headers: dict[str, str] | None = None, content: Any = b"") -> httpx.Response:
        return self.call("PUT", path, headers, content)

    def post(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.call("POST", path, headers, b"")

    def announce(self, user_id: str = "", **device: Any) -> None:
        """Its user and its camera, as when they are registered in the body-worn manager."""
        assert self.put("Users").status_code in (201, 202)
        assert self.put("Devices").status_code in (201, 202)
        said = meta("Object", Active="True", Name="PC Amara Brooks", UserID=user_id)
        assert self.put(f"Users/{self.user}", said).status_code == 201
        said = meta("Object", Active="True", Name="Camera 1", Model="W102", **device)
        assert self.put(f"Devices/{self.serial}", said).status_code == 201

    @property
    def container(self) -> str:
        """The name of the recording's container."""
        return f"{self.user}_{self.serial}_{stamp(self.began)}"

    def container_meta(self, **more: Any) -> dict[str, str]:
        """What is said of the recording at its beginning; the pre-buffer is half a minute."""
        said = {
            "BWCSerialNumber": self.serial,
            "SCUSerialNumber": "ACCC8E000001",
            "FirmwareVersion": "11.8.61",
            "UserID": self.user,
            "TriggerOn": "Button",
            **times("TriggerOnTime", self.began + timedelta(seconds=30)),
            "TriggerOnLocation": f"51.5620 -0.1060 5.0 {int(self.began.timestamp()) + 30}",
            **times("StartTime", self.began),
            "TimeZone": "Europe/London",
            "BWCModel": "W102",
            "Status": "Transferring",
            **more,
        }
        return meta("Container", **said)

    def open(self, **more: Any) -> str:
        """The recording's container; its name."""
        answer = self.put(self.container, self.container_meta(**more))
        assert answer.status_code == 201, answer.text
        return self.container

    def clip_name(self, part: int = 1, suffix: str = "mkv") -> str:
        return f"{stamp(self.began + timedelta(minutes=part - 1))}_a1b2.{suffix}"

    def clip_meta(self, part: int = 1, **more: Any) -> dict[str, str]:
        begins = self.began + timedelta(minutes=part - 1)
        said = {
            **times("StartTime", begins),
            **times("StopTime", begins + timedelta(minutes=1)),
            "ContainerType": "mkv",
            **more,
        }
        return meta("Object", **said)

    def clip(self, content: Any, part: int = 1, **more: Any) -> httpx.Response:
        return self.put(f"{self.container}/{self.clip_name(part)}", self.clip_meta(part, **more), content)

    def complete(self) -> httpx.Response:
        said = {
            **times("TriggerOffTime", self.ended),
            "TriggerOff": "Button",
            **times("StopTime", self.ended),
            "Status": "Complete",
        }
        return self.post(self.container, meta("Container", **said))


def bookmark(at: datetime, category: str, name: str, **more: Any) -> dict[str, str]:
    said = {"CategoryID": category, "CategoryName": name, "StartTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"), **more}
    return meta("Object", **said)


def trail(*entries: tuple[datetime, float, float], start: datetime) -> bytes:
    """A location object: (time, latitude, longitude)."""
    return json.dumps(
        {
            "CoordinateEntries": [
                {
                    "LocationWKT": f"POINT({lon} {lat})",
                    "SecondsFromStart": (at - start).total_seconds(),
                    "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                for at, lat, lon in entries
            ]
        }
    ).encode()


def encrypt(plain: bytes, file: dict[str, Any]) -> tuple[bytes, bytes]:
    """What a camera does with the connection file's public key: the encrypted content, and its key object."""
    pem = base64.b64decode(file["PublicKey"])
    public = serialization.load_pem_public_key(pem)
    assert isinstance(public, rsa.RSAPublicKey)
    key, iv = os.urandom(32), os.urandom(16)
    fill = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(plain + bytes((fill,)) * fill) + encryptor.finalize()
    wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    said = {
        "EncryptedKey": base64.b64encode(wrapped).decode(),
        "ContentEncryptionIV": base64.b64encode(iv).decode(),
        "PublicKeyId": file["PublicKeyId"],
    }
    return sealed, json.dumps(said, indent=2).encode()
