"""Request headers of the protocol, read strictly, and the headers of its answers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from email.utils import format_datetime
from uuid import UUID

from django.conf import settings
from starlette.datastructures import Headers

from bluelamp.ingest.errors import BadRequest, VersionUnsupported, WrongMediaType
from bluelamp.ingest.models import Upload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-defer-length,creation-with-upload,termination,expiration,checksum,concatenation"
CHECKSUMS = {"sha1": 20, "sha256": 32}
"""Algorithms of the checksum extension and the length of their digests in bytes."""

RECEIPT = "Bluelamp-Receipt"
"""The header of an answer that carries a receipt: base64 of its JSON."""

BODY_TYPE = "application/offset+octet-stream"
_MOST_METADATA = 4096

_NUMBER = re.compile(r"[0-9]{1,16}")
_KEY = re.compile(r"[!-+\--~]{1,100}")


@dataclass(frozen=True)
class Creation:
    """What a creation request asks for. `length` None: told later. `parts` are the addresses of a whole's parts."""

    length: int | None
    metadata: str
    given: dict[str, str]
    is_part: bool = False
    parts: tuple[str, ...] = ()

    def recording(self) -> tuple[UUID, int]:
        """The docking session and sequence number that a dock names. Raises BadRequest."""
        try:
            session, sequence = UUID(self.given["session"]), int(self.given["sequence"])
        except (KeyError, ValueError) as error:
            raise BadRequest("Upload-Metadata must name the docking session and the recording's sequence.") from error
        if not 0 < sequence < 2**53:
            raise BadRequest("The recording's sequence in Upload-Metadata is out of range.")
        return session, sequence


@dataclass(frozen=True)
class Checksum:
    """A chunk's checksum as its sender computed it."""

    algorithm: str
    digest: bytes


def require_version(headers: Headers) -> None:
    """Raises VersionUnsupported unless the request is of the one version spoken here."""
    if headers.get("tus-resumable") != VERSION:
        raise VersionUnsupported(
            f"This server speaks tus {VERSION}; the request has no such Tus-Resumable header.",
            "Nothing was taken. The camera keeps its copy.",
            "Use a client of that version.",
        )


def require_body_type(headers: Headers) -> None:
    """Raises WrongMediaType unless the body is announced as upload bytes."""
    if headers.get("content-type", "").strip().lower() != BODY_TYPE:
        raise WrongMediaType(
            f"The bytes of an upload must come as {BODY_TYPE}.", "Nothing was taken. The camera keeps its copy."
        )


def has_body_type(headers: Headers) -> bool:
    """Whether a creation brings the first bytes along."""
    return headers.get("content-type", "").strip().lower() == BODY_TYPE


def offset(headers: Headers) -> int:
    """Upload-Offset. Raises BadRequest."""
    return _number(headers, "Upload-Offset")


def content_length(headers: Headers) -> int | None:
    """Content-Length; None for a chunked body. Raises BadRequest."""
    return _number(headers, "Content-Length") if "content-length" in headers else None


def creation(headers: Headers) -> Creation:
    """What to create. Raises BadRequest."""
    metadata = headers.get("upload-metadata", "")
    given = _metadata(metadata)
    kind, _, addresses = headers.get("upload-concat", "").partition(";")
    if kind == "final":
        if "upload-length" in headers or "upload-defer-length" in headers:
            raise BadRequest("An upload made of parts has their length; none is to be given.")
        return Creation(None, metadata, given, parts=tuple(addresses.split()))
    if kind not in {"", "partial"} or addresses:
        raise BadRequest("Upload-Concat must be partial, or final; followed by the parts' addresses.")
    return Creation(_announced_length(headers), metadata, given, is_part=kind == "partial")


def declared_length(headers: Headers) -> int | None:
    """The length that a PATCH tells, of an upload created without one. Raises BadRequest."""
    return _number(headers, "Upload-Length") if "upload-length" in headers else None


def checksum_follows(headers: Headers) -> bool:
    """Whether the checksum comes after the body (checksum-trailer extension)."""
    announced = headers.get("trailer", "").lower()
    return "upload-checksum" in {name.strip() for name in announced.split(",")}


def checksum(headers: Headers) -> Checksum | None:
    """Upload-Checksum, where there is one. Raises BadRequest, for an unknown algorithm too."""
    raw = headers.get("upload-checksum")
    return None if raw is None else parse_checksum(raw)


def parse_checksum(raw: str) -> Checksum:
    """`<algorithm> <base64>`. Raises BadRequest, for an unknown algorithm too."""
    algorithm, _, encoded = raw.partition(" ")
    if algorithm not in CHECKSUMS:
        raise BadRequest(f"The checksum's algorithm must be one of {', '.join(CHECKSUMS)}.")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        digest = b""
    if len(digest) != CHECKSUMS[algorithm]:
        raise BadRequest(f"The checksum is not base64 of a {algorithm} digest.")
    return Checksum(algorithm, digest)


def options(*, trailers: bool) -> dict[str, str]:
    """What this server can do. `trailers`: whether fields after a body can be read."""
    return {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS + (",checksum-trailer" if trailers else ""),
        "Tus-Max-Size": str(settings.BLUELAMP.max_upload_bytes),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }


def standing(upload: Upload, offset: int | None) -> dict[str, str]:
    """Where an upload stands; `offset` None while it is being joined of its parts."""
    headers = {"Cache-Control": "no-store"}
    if offset is not None:
        headers["Upload-Offset"] = str(offset)
    if upload.state == Upload.State.RECEIVING and offset is not None and offset != upload.length:
        # Expiry counts on the clock that decides; a demonstration's may be ahead of the one HTTP means.
        headers["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    return headers


def receipt(upload: Upload) -> dict[str, str]:
    """The receipt of an upload that has just been accepted, so that its dock need not ask for it; else nothing."""
    if not upload.receipt:
        return {}
    return {RECEIPT: base64.b64encode(json.dumps(upload.receipt, separators=(",", ":")).encode()).decode()}


def length(upload: Upload) -> dict[str, str]:
    """The length of an upload, or that nobody has told it yet."""
    return {"Upload-Defer-Length": "1"} if upload.length is None else {"Upload-Length": str(upload.length)}


def _announced_length(headers: Headers) -> int | None:
    if "upload-defer-length" not in headers:
        return _number(headers, "Upload-Length")
    if headers["upload-defer-length"] != "1" or "upload-length" in headers:
        raise BadRequest("Upload-Defer-Length must be 1, and stand alone.")
    return None


def _number(headers: Headers, name: str) -> int:
    raw = headers.get(name.lower(), "")
    if not _NUMBER.fullmatch(raw):
        raise BadRequest(f"The header {name} must be a whole number that is not negative.")
    return int(raw)


def _metadata(raw: str) -> dict[str, str]:
    if len(raw) > _MOST_METADATA:
        raise BadRequest(f"Upload-Metadata has more than {_MOST_METADATA} characters.")
    values: dict[str, str] = {}
    for pair in raw.split(",") if raw else ():
        key, _, encoded = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in values:
            raise BadRequest("Upload-Metadata must be pairs of distinct keys and base64 values.")
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode()
        except (ValueError, binascii.Error) as error:
            raise BadRequest("A value in Upload-Metadata is not base64 of UTF-8 text.") from error
    return values
