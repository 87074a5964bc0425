"""What is imported: where it lies, what kind of source it is, and the files that are really there."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from bluelamp.ingest.imports import bagit_manifest, camera_folder, csv_manifest
from bluelamp.ingest.imports.entries import Manifest
from bluelamp.ingest.imports.errors import ManifestUnreadable, SourceUnreadable
from bluelamp.ingest.models import ImportRun

DEFAULT_MANIFEST = "manifest.csv"
_FOOTAGE = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi", ".ts", ".webm", ".mpg", ".wmv", ".dav"})
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".localized"})
_SYSTEM_FOLDERS = frozenset(
    {"system volume information", "$recycle.bin", ".trashes", ".spotlight-v100", ".fseventsd", "lost+found"}
)


@dataclass(frozen=True)
class Source:
    """A source that can be read. `base` is the folder that its files are named from."""

    kind: ImportRun.Kind
    base: Path
    manifest_file: Path | None
    manifest: Manifest | None

    @property
    def identity(self) -> str:
        """Tells this source from others: the machine, the place, and the camera or the export that lies there."""
        sort = self.manifest.described.get("camera", "") if self.manifest else ""
        export = self.manifest.sha256 if self.manifest and self.kind != ImportRun.Kind.CAMERA else ""
        parts = (socket.gethostname(), str(self.base), self.kind.value, str(sort), export)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True)
class Found:
    """A file at the source. `why` is a sentence where it cannot be taken; `ignored`: it is a system's own file."""

    path: str
    size: int
    mtime_ns: int
    why: str = ""
    ignored: bool = False


def look(given: Path, manifest: Path | None, base: Path | None, zone: ZoneInfo) -> Source:
    """The source that `given` (a folder, or a CSV manifest) stands for.

    Raises SourceUnreadable, ManifestUnreadable.
    """
    try:
        given = given.resolve(strict=True)
        listed = manifest.resolve(strict=True) if manifest else None
        folder = base.resolve(strict=True) if base else None
    except OSError as error:
        raise SourceUnreadable(str(error.filename or given), f"{error.strerror or error}.") from error
    if given.is_file():
        if given.suffix.lower() in _FOOTAGE:
            raise SourceUnreadable(str(given), "it is one file of footage. Give the folder that it lies in.")
        listed, folder = listed or given, folder or given.parent
    else:
        folder = folder or given
        if listed is None and bagit_manifest.is_bag(folder):
            return Source(ImportRun.Kind.BAGIT, folder, None, bagit_manifest.read(folder))
        if listed is None and camera_folder.is_camera(folder):
            return Source(ImportRun.Kind.CAMERA, folder, None, camera_folder.read(folder))
        if listed is None and (folder / DEFAULT_MANIFEST).is_file():
            listed = folder / DEFAULT_MANIFEST
    if not folder.is_dir():
        raise SourceUnreadable(str(folder), "it is no folder.")
    if listed is None:
        return Source(ImportRun.Kind.FOLDER, folder, None, None)
    return Source(ImportRun.Kind.CSV, folder, listed, csv_manifest.read(_read(listed), listed.name, zone))


def files(source: Source) -> Iterator[Found]:
    """Every file that lies at the source now; links are not followed. Raises SourceUnreadable.

    A folder that cannot be listed is an error: nobody could say what is in it.
    """
    base = os.fsencode(source.base)
    own = source.manifest.files if source.manifest else frozenset()
    top = "data" if source.kind == ImportRun.Kind.BAGIT else ""
    pending = [os.path.join(base, os.fsencode(top)) if top else base]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                found = sorted(listing, key=lambda each: each.name)
        except OSError as error:
            raise SourceUnreadable(os.fsdecode(folder), f"{error.strerror or error}.") from error
        for each in found:
            path = os.fsdecode(os.path.relpath(each.path, base))
            if each.is_dir(follow_symlinks=False):
                if os.fsdecode(each.name).lower() not in _SYSTEM_FOLDERS:
                    pending.append(each.path)
                continue
            if path in own or (source.manifest_file and os.fsdecode(each.path) == str(source.manifest_file)):
                continue
            yield _found(each, path)


def _found(each: os.DirEntry[bytes], path: str) -> Found:
    try:
        facts = each.stat(follow_symlinks=False)
    except OSError as error:
        return Found(path, 0, 0, f"It cannot be looked at: {error.strerror or error}.")
    name = os.fsdecode(each.name).lower()
    if stat.S_ISLNK(facts.st_mode):
        return Found(path, 0, facts.st_mtime_ns, "It is a link, which is not followed.")
    if not stat.S_ISREG(facts.st_mode):
        return Found(path, 0, facts.st_mtime_ns, "It is no ordinary file.")
    ignored = name in _SYSTEM_FILES or name.startswith("._")
    return Found(path, facts.st_size, facts.st_mtime_ns, ignored=ignored)


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(csv_manifest.MOST_BYTES + 1)
    except OSError as error:
        raise ManifestUnreadable(path.name, f"{error.strerror or error}.") from error
