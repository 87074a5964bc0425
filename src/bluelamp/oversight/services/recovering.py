"""Putting lost footage back from another copy: a folder is searched for it by content, whatever its files are named.

A file that is a master is known by its SHA-256; a file that is a sealed object by opening under the recording's own
key, bound to that object's name, which is as certain. Both are read whole before anything is put back, and everything
of the recording is read again afterwards: only that ends a loss.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import structlog

from bluelamp import custody
from bluelamp.footage.models import Derivative, Recording
from bluelamp.formats import sealed
from bluelamp.formats.sealed import SealBroken, SegmentOpener
from bluelamp.kernel.errors import BluelampError, Conflict
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight.models import Finding, Loss
from bluelamp.oversight.services.checking import recheck
from bluelamp.vault import objects
from bluelamp.vault.errors import KeyErased, KeyUnknown
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)

_BLOCK = 1024 * 1024
_BYTES = (Finding.Problem.MISSING, Finding.Problem.SIZE, Finding.Problem.DAMAGED, Finding.Problem.CONTENT,
          Finding.Problem.UNREADABLE)  # fmt: skip


@dataclass(frozen=True)
class _Wanted:
    """One lost object: its name, its plaintext's size in bytes, and its SHA-256 where that is known (the master)."""

    recording_id: UUID
    name: str
    size: int
    sha256: str


@dataclass
class Recovery:
    """What a search for lost footage did. `recovered`: recordings that are whole again; `left`: still lost.

    `not_put_back`: objects of which a copy was found that the store did not take, each with why.
    """

    looked_at: int = 0
    bytes: int = 0
    put_back: int = 0
    recovered: list[UUID] = field(default_factory=list)
    left: int = 0
    unreadable: list[str] = field(default_factory=list)
    not_put_back: list[str] = field(default_factory=list)


@custody.unrecorded("each recording's recovery is a transaction of its own that records it")
def recover(folder: Path, *, source: str = "") -> Recovery:
    """Look through all files below `folder` for what is lost, put it back sealed, and read those recordings again.

    `source` says in the ledger where it came from (the folder's path unless given). Files are only read. Raises
    Conflict where the folder is the store itself or cannot be read; StoreUnavailable.
    """
    _check_folder(folder)
    done = Recovery()
    wanted = _wanted()
    by_size: dict[int, list[_Wanted]] = defaultdict(list)
    for one in wanted:
        by_size[one.size].append(one)
        by_size[sealed.sealed_size(one.size)].append(one)
    touched: set[UUID] = set()
    for path in _files(folder):
        done.looked_at += 1
        try:
            size = path.stat().st_size
            candidates = [one for one in by_size.get(size, ()) if one in wanted]
            if not candidates:
                continue
            done.bytes += size
            for found in _matching(path, size, candidates):
                try:
                    put = _put(found, path, size, source or str(folder))
                except BluelampError as refused:
                    log.error("loss.not_put_back", object=found.name, why=str(refused))
                    done.not_put_back.append(f"{found.name}: {refused}")
                    continue
                if put:
                    wanted.discard(found)
                    touched.add(found.recording_id)
                    done.put_back += 1
        except OSError as error:
            done.unreadable.append(f"{path}: {error.strerror or error}")
    for recording_id in sorted(touched):
        if recheck(recording_id) == ():
            done.recovered.append(recording_id)
    done.left = Loss.objects.filter(state__in=Loss.OPEN).count()
    return done


def _wanted() -> set[_Wanted]:
    found = Finding.objects.filter(ended_at=None, problem__in=_BYTES, recording__losses__state__in=Loss.OPEN)
    names = set(found.values_list("object_name", flat=True))
    masters = Recording.objects.exclude(state=Recording.State.DELETED).filter(original__in=names)
    derived = Derivative.objects.filter(object_name__in=names)
    return {
        *(_Wanted(*row) for row in masters.values_list("pk", "original", "size", "sha256")),
        *(_Wanted(*row, "") for row in derived.values_list("recording_id", "object_name", "size")),
    }


def _matching(path: Path, size: int, candidates: list[_Wanted]) -> Iterator[_Wanted]:
    masters = [one for one in candidates if one.sha256 and one.size == size]
    digest = _sha256(path) if masters else ""
    yield from (one for one in masters if one.sha256 == digest)
    # A copy of the store has the recording's id in its path; else each that fits is tried, by its first segment.
    there = str(path)
    likely = sorted(candidates, key=lambda one: str(one.recording_id) not in there)
    for one in likely:
        if sealed.sealed_size(one.size) == size and _opens(path, size, one):
            yield one
            return  # a sealed object opens under one key and name alone


def _opens(path: Path, size: int, wanted: _Wanted) -> bool:
    """Whether the file is this very object: every segment opens under its key and name, and a master has its hash."""
    digest = hashlib.sha256()
    try:
        key = get_keyring().get(str(wanted.recording_id))
        count = sealed.segment_count(size)
        with path.open("rb") as file:
            opener = SegmentOpener(key, file.read(sealed.HEADER_SIZE), objects.associated_data(wanted.name))
            for number in range(count):
                _, length = sealed.segment_place(number, size)
                digest.update(opener.open(number, number == count - 1, file.read(length)))
    except (SealBroken, ValueError, KeyErased, KeyUnknown):
        return False
    return not wanted.sha256 or digest.hexdigest() == wanted.sha256


@custody.unrecorded("part of a recovery, whose reading afterwards records that it is here again")
def _put(wanted: _Wanted, path: Path, size: int, source: str) -> bool:
    """Put one object back, unless the recording has been deleted meanwhile; whether that was done.

    Raises what the store raises: HeldInStore for damaged bytes that its own legal hold keeps.
    """
    with atomic():
        # The deletion takes the same lock: nothing is put back for what is going.
        kept = Recording.objects.select_for_update().exclude(state=Recording.State.DELETED)
        if not kept.filter(pk=wanted.recording_id).exists():
            return False
        if size == wanted.size and wanted.sha256 and _sha256(path) == wanted.sha256:
            with path.open("rb") as file:
                objects.seal_stream(wanted.name, str(wanted.recording_id), iter(lambda: file.read(_BLOCK), b""))
        else:
            get_store().put_file(wanted.name, path)
        Loss.objects.filter(recording=wanted.recording_id, ended_at=None).update(recovered_from=source[:300])
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Plain files below the folder, in a fixed order; links are not followed."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _check_folder(folder: Path) -> None:
    from django.conf import settings

    if not folder.is_dir():
        raise Conflict(f"{folder} is no folder that can be read.", "Nothing was put back.", "Name a folder.")
    store = (settings.BLUELAMP.data / "store").resolve()
    if folder.resolve() == store or folder.resolve().is_relative_to(store):
        raise Conflict(
            f"{folder} is the store itself.", "Nothing was put back.", "Name the folder that another copy lies in."
        )
