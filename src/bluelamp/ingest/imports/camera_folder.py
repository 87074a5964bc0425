"""A camera's folder as it appears over USB: its signed manifest, entry by entry (docs/protocols/manifest.md)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bluelamp.formats.errors import FormatError
from bluelamp.formats.manifest import SignedEntry, check_chain, verify_entry
from bluelamp.formats.strictjson import load_object
from bluelamp.ingest.imports.entries import Entry, Manifest
from bluelamp.ingest.imports.errors import ManifestUnreadable

NAME = "manifest.jsonl"
OWN_FILES = frozenset(
    {
        *(NAME, "device.json", "device.key", "device.lock", "erased.jsonl"),
        *("receipts.jsonl", "server-key.json", "uploads.json"),  # what docking left in it
    }
)
_MOST_BYTES = 256 * 1024 * 1024


def is_camera(folder: Path) -> bool:
    """Whether the folder is a camera's."""
    return (folder / NAME).is_file() and (folder / "device.json").is_file()


def read(folder: Path) -> Manifest:
    """What the camera says that it still holds. Raises ManifestUnreadable.

    Signatures are checked against the key that each entry carries; whether that is the camera's is for the fleet.
    """
    data = _bytes(folder, NAME)
    # A line without its end was being written when power went.
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    erased = _erased(folder)
    signed: list[SignedEntry] = []
    for number, line in enumerate(lines, start=1):
        try:
            signed.append(SignedEntry.from_json(line))
        except FormatError as error:
            raise ManifestUnreadable(NAME, f"line {number}: {error}") from error
    entries = [_entry(each) for each in signed if each.entry.sequence not in erased]
    return Manifest(
        NAME,
        hashlib.sha256(data).hexdigest(),
        entries,
        {"camera": serial(folder)},
        check_chain(signed),
        files=OWN_FILES,
    )


def serial(folder: Path) -> str:
    """The serial that the camera gives itself. Raises ManifestUnreadable."""
    try:
        return str(load_object(_bytes(folder, "device.json"), what="camera's description", max_bytes=65536)["serial"])
    except (FormatError, KeyError) as error:
        raise ManifestUnreadable("device.json", f"it does not tell the camera's serial ({error}).") from error


def _entry(signed: SignedEntry) -> Entry:
    refusal = ""
    try:
        verify_entry(signed)
    except FormatError as error:
        refusal = str(error)
    entry = signed.entry
    return Entry(
        path=entry.filename,
        size=entry.size,
        hashes={"sha256": entry.sha256},
        facts={"signed": signed.to_dict()},
        refusal=refusal,
    )


def _erased(folder: Path) -> set[int]:
    """Numbers of recordings that the camera let go after a verified receipt."""
    if not (folder / "erased.jsonl").is_file():
        return set()
    found = set()
    for line in _bytes(folder, "erased.jsonl").decode("utf-8", "replace").splitlines():
        try:
            found.add(int(json.loads(line)["sequence"]))
        except (ValueError, KeyError, TypeError):
            continue  # torn by a power cut: the recording counts as still there
    return found


def _bytes(folder: Path, name: str) -> bytes:
    try:
        with open(folder / name, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ManifestUnreadable(name, f"{error.strerror or error}.") from error
    if len(data) > _MOST_BYTES:
        raise ManifestUnreadable(name, f"it is longer than {_MOST_BYTES} bytes.")
    return data
