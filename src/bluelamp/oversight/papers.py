"""Are the stored papers of a package still what was sealed? They are one object; reads only.

A package's papers (label, custody report, proofs, manifests) are kept until footage in it is deleted. Each file must
have the SHA-256 that the manifests name, and the tag manifest the one that stands in the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from bluelamp.custody import queries as custody
from bluelamp.formats import package as bag
from bluelamp.formats.errors import FormatError
from bluelamp.sharing.packages.models import Package
from bluelamp.vault.objects import SealedReader


def of(recording_id: UUID) -> list[Package]:
    """The packages whose papers lie with a recording: those of which it is the first."""
    found = Package.objects.filter(items__recording=recording_id, items__position=0).exclude(papers="")
    return list(found.order_by("papers"))


def size(package: Package) -> int:
    """Bytes of the papers together, before they were sealed."""
    return sum(row["size"] for row in _rows(package))


def read(package: Package, reader: SealedReader, pause: Callable[[int], None]) -> tuple[int, str]:
    """Read all papers: their bytes, and what is wrong with them in words ("" for nothing). Raises ObjectDamaged."""
    done = 0
    hashes: dict[str, str] = {}
    manifests: dict[str, bytes] = {}
    for row in _rows(package):
        path, digest, kept = row["path"], hashlib.sha256(), bytearray()
        for piece in reader.iter(row["at"], row["size"]):
            digest.update(piece)
            if path in (bag.MANIFEST, bag.TAG_MANIFEST):
                kept += piece
            done += len(piece)
            pause(len(piece))
        hashes[path] = digest.hexdigest()
        if kept:
            manifests[path] = bytes(kept)
    return done, _wrong(package, hashes, manifests)


def _wrong(package: Package, hashes: Mapping[str, str], manifests: Mapping[str, bytes]) -> str:
    if hashes.get(bag.TAG_MANIFEST) not in _sealed(package):
        return "The list of its files is not the one that was sealed."
    try:
        listed = {path: one for text in manifests.values() for path, one in bag.read_manifest(text).items()}
    except FormatError as error:
        return str(error)
    changed = sorted(path for path, one in hashes.items() if path != bag.TAG_MANIFEST and listed.get(path) != one)
    return f"Not as they were sealed: {', '.join(changed)}." if changed else ""


def _sealed(package: Package) -> set[str]:
    """The tag manifest's SHA-256 as the ledger has it; as the register has it where the law erased that."""
    for item in custody.search(tag=bag.SEALED_TAG, subject=package.custody_id, limit=1):
        said = item.details.get("tag_manifest_sha256")
        if said:
            return {str(said)}
    return {package.tag_manifest_sha256}


def _rows(package: Package) -> list[dict[str, Any]]:
    return [row for row in package.layout if "at" in row]
