"""A BagIt bag (RFC 8493): its payload manifests, its tag manifests, and what it says of itself."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from bluelamp.ingest.imports.entries import DIGITS, Entry, Manifest, plain_hash, plain_path, shown
from bluelamp.ingest.imports.errors import ManifestUnreadable

_MOST_BYTES = 1024 * 1024 * 1024
_MANIFEST = re.compile(r"(tag)?manifest-([a-z0-9-]+)\.txt")
_DECLARED = re.compile(r"BagIt-Version: ?(\d+)\.(\d+)")


def is_bag(folder: Path) -> bool:
    """Whether the folder declares to be a bag."""
    return (folder / "bagit.txt").is_file()


def read(folder: Path) -> Manifest:
    """What the bag says that it has. Raises ManifestUnreadable."""
    if not _DECLARED.match(_text(folder, "bagit.txt")):
        raise ManifestUnreadable("bagit.txt", "it does not declare a BagIt version.")
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    claims: dict[str, dict[str, str]] = {}
    refusals: dict[str, str] = {}
    whole = hashlib.sha256()
    for name in names:
        match = _MANIFEST.fullmatch(name)
        if match and match[1] is None and match[2] in DIGITS:
            text = _text(folder, name)
            whole.update(text.encode())
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip():
                    path, value, refusal = _claim(name, number, line, match[2])
                    claims.setdefault(path, {})[match[2]] = value
                    if refusal:
                        refusals[path] = refusal
    if not claims:
        raise ManifestUnreadable("manifest-sha256.txt", "the bag has no payload manifest of a known kind.")
    _check_tags(folder, names)
    described = _described(folder)
    entries = [Entry(path=path, hashes=known, refusal=refusals.get(path, "")) for path, known in claims.items()]
    return Manifest(
        "bag", whole.hexdigest(), entries, {"bag": described}, _oxum(folder, described), files=frozenset(names)
    )


def _claim(name: str, number: int, line: str, algorithm: str) -> tuple[str, str, str]:
    value, _, rest = line.strip().partition(" ")
    given = rest.strip().removeprefix("*")
    # RFC 8493, 2.1.3: only line ends and the percent sign itself are encoded.
    given = given.replace("%0A", "\n").replace("%0a", "\n").replace("%0D", "\r").replace("%0d", "\r")
    given = given.replace("%25", "%")
    try:
        found = plain_hash(value, algorithm)[1]
    except ValueError as error:
        raise ManifestUnreadable(name, f"line {number}: {error}.") from error
    try:
        path = plain_path(given)
        if not path.startswith("data/"):
            raise ValueError(f"{shown(path)} lies outside the bag's payload")
        return path, found, ""
    except ValueError as error:
        if not given.strip("/ "):
            raise ManifestUnreadable(name, f"line {number}: {error}.") from error
        return given.lstrip("/"), found, f"The manifest is wrong: {error}."


def _check_tags(folder: Path, names: list[str]) -> None:
    """A tag manifest vouches for the payload manifest itself."""
    for name in names:
        match = _MANIFEST.fullmatch(name)
        if not match or match[1] is None or match[2] not in DIGITS:
            continue
        for number, line in enumerate(_text(folder, name).splitlines(), start=1):
            value, _, rest = line.strip().partition(" ")
            given = rest.strip().removeprefix("*")
            # Only what reconciliation rests on; other tag files tell nothing about the payload.
            if given in names and (_MANIFEST.fullmatch(given) or given == "bag-info.txt"):
                found = hashlib.new(match[2], (folder / given).read_bytes(), usedforsecurity=False).hexdigest()
                if found != value.lower():
                    raise ManifestUnreadable(
                        given, f"it is not what {name} (line {number}) says: it was changed or damaged."
                    )


def _described(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if not (folder / "bag-info.txt").is_file():
        return found
    last = ""
    for line in _text(folder, "bag-info.txt").splitlines():
        if line[:1] in (" ", "\t") and last:
            found[last] = f"{found[last]} {line.strip()}"[:2000]
        elif ":" in line:
            last, _, value = line.partition(":")
            last = last.strip()[:100]
            found[last] = value.strip()[:2000]
        if len(found) > 200:
            break
    return found


def _oxum(folder: Path, described: dict[str, str]) -> list[str]:
    """What Payload-Oxum says against what lies there: bytes and number of files."""
    match = re.fullmatch(r"(\d+)\.(\d+)", described.get("Payload-Oxum", ""))
    if not match:
        return []
    sizes = [path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file() and not path.is_symlink()]
    if (sum(sizes), len(sizes)) == (int(match[1]), int(match[2])):
        return []
    return [
        f"The bag says that it has {int(match[2]):,} files of {int(match[1]):,} bytes in all; "
        f"there are {len(sizes):,} of {sum(sizes):,} bytes."
    ]


def _text(folder: Path, name: str) -> str:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise ManifestUnreadable(name, f"{error.strerror or error}.") from error
    if len(data) > _MOST_BYTES:
        raise ManifestUnreadable(name, f"it is longer than {_MOST_BYTES} bytes.")
    try:
        return data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError as error:
        raise ManifestUnreadable(name, "it is not UTF-8.") from error
