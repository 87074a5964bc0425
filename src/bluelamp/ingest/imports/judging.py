"""Sentences on what is wrong with one file."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from bluelamp.ingest.imports.entries import STRONGEST_FIRST
from bluelamp.ingest.models import ImportItem, ImportRun

_NAMES = {"sha512": "SHA-512", "sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}


def size(claimed: int | None, found: int) -> str:
    """Why a size does not fit; "" where it does, or none is claimed."""
    if claimed is None or claimed == found:
        return ""
    return f"The manifest says {claimed:,} bytes; there are {found:,}."


def hashes(claimed: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Why a hash does not fit; "" where all that were reckoned do."""
    for name in STRONGEST_FIRST:
        if name in claimed and name in found and claimed[name] != found[name]:
            return f"Its {_NAMES[name]} is {found[name]}; the manifest says {claimed[name]}."
    return ""


def imported(size: int) -> str:
    """What is to be said of a file that was taken; mostly nothing."""
    return "" if size else "It is empty: 0 bytes, at the source as here."


def duplicate(run: ImportRun, recording: UUID, size: int) -> str:
    """Which recording has the same bytes, and under which other name of this import."""
    empty = "" if size else " " + imported(size)
    other = run.items.filter(recording=recording, state=ImportItem.State.IMPORTED).first()
    if other is not None and other.path:
        return f"The same bytes as {other.path}, imported as recording {recording}.{empty}"
    return f"The same bytes are here already as recording {recording}.{empty}"


def changed(sha256: str) -> str:
    """That a file is another one now than the one that was imported."""
    return (
        f"It changed at the source after it was imported: its SHA-256 is {sha256} now. What was imported is safe here; "
        "to import the changed file too, begin anew with --new."
    )
