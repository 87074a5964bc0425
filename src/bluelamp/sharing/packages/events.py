"""Custody events about packages: what was put together for whom, and every download of it (DPA 2018 s.62(1)(d))."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bluelamp import custody
from bluelamp.custody import Event, Operation
from bluelamp.formats.package import SEALED_TAG


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageMade(Event):
    """Somebody had a package made of recordings. `files` are the media, `bytes` their sizes together."""

    tag = "package.made"
    operation = Operation.DISCLOSURE
    purpose: str
    recipient: str
    files: int
    bytes: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageSealed(Event):
    """A package was settled: this hash binds each of its files, and the events that it discloses, to the log."""

    tag = SEALED_TAG
    operation = Operation.DISCLOSURE
    tag_manifest_sha256: str
    purpose: str
    recipient: str
    files: int
    bytes: int
    events: int
    withheld: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageFailed(Event):
    """A package could not be made; nothing was handed out."""

    tag = "package.failed"
    operation = Operation.ALTERATION
    why: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageDownloaded(Event):
    """A download of a package was opened, before its first byte left."""

    tag = "package.downloaded"
    operation = Operation.DISCLOSURE
    download: UUID
    who_name: str
    recipient: str
    bytes: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageBytesServed(Event):
    """Bytes of a package left the server for a download."""

    tag = "package.bytes_served"
    operation = Operation.DISCLOSURE
    download: UUID
    first_byte: int
    last_byte: int
    size: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageWithdrawn(Event):
    """A package was withdrawn: it is handed out no more."""

    tag = "package.withdrawn"
    operation = Operation.ALTERATION


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class PackageRefused(Event):
    """Somebody asked for a package that is not for them, or no longer is."""

    tag = "package.refused"
    operation = Operation.CONSULTATION
    why: str
