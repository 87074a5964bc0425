"""What a backup is: a signed list of its files, and of what the database held at that moment.

The format is docs/protocols/backup.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats import canonical
from bluelamp.formats import fields as check
from bluelamp.formats.ed25519 import SIGNATURE_SIZE, decode_base64, signature_is_good
from bluelamp.formats.errors import FormatError
from bluelamp.formats.strictjson import exact_fields, load_object

FORMAT = "bluelamp-backup-1"
NAME = "manifest.json"
DUMP = "database.dump"

_MOST_BYTES = 16 * 1024 * 1024
_BLOCK = 1024 * 1024


class BackupError(FormatError):
    """A backup is incomplete or changed, its manifest malformed, or not signed by this installation's key."""


@dataclass(frozen=True)
class BackupFile:
    """One file of a backup: its name in the folder, its size in bytes and its SHA-256 (hexadecimal)."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What was backed up. `taken_at`: the instant that the dump shows, ISO 8601 UTC with Z.

    `checkpoint`: the ledger's latest signed note then, "" where there was none; `ledger_size`: the events under it.
    `migrations`: what the database had applied ("app.name"). `counts`: rows by table.
    """

    version: str
    taken_at: str
    instance: str
    origin: str
    demonstration: bool
    postgresql: int
    migrations: tuple[str, ...]
    ledger_size: int
    checkpoint: str
    recordings: int
    counts: dict[str, int]
    files: tuple[BackupFile, ...]


_FIELDS = frozenset(field.name for field in fields(Manifest))


def sign(manifest: Manifest, key: Ed25519PrivateKey, key_name: str) -> dict[str, Any]:
    """The manifest as plain JSON values: its fields, "format", "key" (the name), "signature" (base64)."""
    body = {"format": FORMAT, "key": key_name, **_plain(manifest)}
    return body | {"signature": base64.b64encode(key.sign(canonical.encode(body))).decode("ascii")}


def read(folder: Path, key: Ed25519PublicKey) -> Manifest:
    """The manifest of the backup in `folder`, once it and every file it lists were found to be as they were made.

    Raises BackupError, and OSError where the disk does not read it.
    """
    try:
        document = load_object((folder / NAME).read_bytes(), what="backup's manifest", max_bytes=_MOST_BYTES)
        found = _parse(document, key)
    except FileNotFoundError as error:
        raise BackupError(f"{folder} holds no {NAME}: it is no backup, or one that was not finished.") from error
    except BackupError:
        raise
    except (FormatError, TypeError, ValueError, KeyError) as error:
        raise BackupError(f"The manifest in {folder} cannot be used: {error}") from error
    for file in found.files:
        _check_file(folder, file)
    return found


def describe(path: Path) -> BackupFile:
    """A file as a manifest lists it."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return BackupFile(path.name, size, digest.hexdigest())


def text(document: Mapping[str, Any]) -> bytes:
    """The signed manifest as it is written."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _parse(document: dict[str, Any], key: Ed25519PublicKey) -> Manifest:
    body = dict(exact_fields(document, _FIELDS | {"format", "key", "signature"}, "manifest"))
    if body["format"] != FORMAT:
        raise BackupError(f"The manifest's format must be {FORMAT}.")
    signature = decode_base64(body.pop("signature"), SIGNATURE_SIZE, "signature")
    if not signature_is_good(key, signature, canonical.encode(body)):
        raise BackupError("The manifest was changed, or was not signed by this installation's receipt key.")
    files = tuple(
        BackupFile(str(item["name"]), check.integer(item["size"], "size"), check.digest(item["sha256"], "hash"))
        for item in body["files"]
    )
    if [file.name for file in files] != [DUMP]:
        raise BackupError(f"A backup of this format has one file, {DUMP}.")
    check.moment(body["taken_at"], "time")
    plain = {name: body[name] for name in _FIELDS - {"files", "migrations"}}
    return Manifest(**plain, files=files, migrations=tuple(str(name) for name in body["migrations"]))


def _check_file(folder: Path, listed: BackupFile) -> None:
    try:
        found = describe(folder / listed.name)
    except FileNotFoundError as error:
        raise BackupError(f"{listed.name} is missing from {folder}.") from error
    if found != listed:
        raise BackupError(f"{listed.name} in {folder} is not what was backed up: its size or SHA-256 differs.")


def _plain(manifest: Manifest) -> dict[str, Any]:
    found = {field.name: getattr(manifest, field.name) for field in fields(Manifest)}
    found["migrations"] = list(manifest.migrations)
    found["files"] = [vars(file) for file in manifest.files]
    return found
