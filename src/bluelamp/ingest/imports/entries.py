"""What a manifest says of one file, whatever kind of manifest it is."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from bluelamp.ingest.imports.errors import ManifestUnreadable

DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
"""Hexadecimal digits of the hashes that manifests carry."""

STRONGEST_FIRST = ("sha512", "sha256", "sha1", "md5")

_LONGEST_PATH = 4096
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file as its manifest describes it. `path` is relative to the source, with slashes.

    `hashes` maps an algorithm to hexadecimal, `size` is in bytes. `facts` keeps everything else as text; `refusal` is
    a sentence where the file must not be taken whatever its bytes are.
    """

    path: str
    size: int | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True)
class Manifest:
    """All that a source says that it has. `files` are its own names beside the payload, which are no footage.

    `notes` are sentences about what is wrong with it as a whole; with any of them the source is not deletable.
    """

    name: str
    sha256: str
    entries: list[Entry]
    described: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: frozenset[str] = frozenset()


def key_of(path: str) -> str:
    """What a path is known by: the SHA-256 of its NFC form, since systems spell the same accents differently."""
    return hashlib.sha256(unicodedata.normalize("NFC", path).encode("utf-8", "surrogateescape")).hexdigest()


def shown(path: str) -> str:
    """A path as text that a database and a screen take: bytes that are no UTF-8, and controls, are escaped."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def plain_path(given: str) -> str:
    """A manifest's path with slashes and without `./`. Raises ValueError for one that leads out of the source."""
    path = given.strip()
    if "\\" in path and "/" not in path:
        path = path.replace("\\", "/")
    if not path or len(path) > _LONGEST_PATH or "\0" in path:
        raise ValueError("it names no file")
    if path.startswith("/") or path[1:3] in (":/", ":\\"):
        raise ValueError(f"the path {shown(path)} is not relative to the source")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise ValueError(f"the path {shown(path)} leads out of the source")
    return "/".join(parts)


def plain_hash(given: str, algorithm: str = "") -> tuple[str, str]:
    """(algorithm, hexadecimal in lower case). Without a named algorithm its length tells. Raises ValueError."""
    text = given.strip().lower()
    prefix, colon, rest = text.partition(":")
    if colon and prefix.replace("-", "") in DIGITS:
        algorithm, text = prefix.replace("-", ""), rest.strip()
    if not algorithm:
        algorithm = next((name for name, digits in DIGITS.items() if digits == len(text)), "")
    if not algorithm or len(text) != DIGITS[algorithm] or not set(text) <= _HEX:
        raise ValueError(f"{shown(given.strip())[:140] or 'nothing'} is no {algorithm or 'known'} hash")
    return algorithm, text


def without_repetition(name: str, entries: list[tuple[int, Entry]]) -> list[Entry]:
    """Each file once, from (line, entry). Raises ManifestUnreadable where two lines disagree about a file."""
    first: dict[str, tuple[int, Entry]] = {}
    for line, entry in entries:
        before = first.setdefault(key_of(entry.path), (line, entry))
        if before[1].hashes != entry.hashes or before[1].size != entry.size:
            raise ManifestUnreadable(
                name, f"lines {before[0]} and {line} say different things about {shown(entry.path)}."
            )
    return [entry for _, entry in first.values()]
