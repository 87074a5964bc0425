"""What imports say to the ledger. Each file that becomes a recording has its own recording.collected."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ImportStarted(Event):
    """Somebody began to import a source."""

    tag = "import.started"
    operation = Operation.COLLECTION
    by: str
    kind: str
    source: str
    machine: str
    manifest_sha256: str
    claimed_files: int


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ImportProblemsFound(Event):
    """Files of a source could not be imported. The list with this SHA-256 names them."""

    tag = "import.problems_found"
    operation = Operation.COLLECTION
    missing: int
    corrupt: int
    unreadable: int
    refused: int
    extra: int
    changed: int
    listing_sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ImportFinished(Event):
    """An import came to its end and was reconciled. `listing_sha256` is of the list of all its files."""

    tag = "import.finished"
    operation = Operation.COLLECTION
    complete: bool
    verdict: str
    files: int
    bytes: int
    imported: int
    duplicates: int
    proven_files: int
    proven_bytes: int
    listing_sha256: str


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class ImportListingTaken(Event):
    """Somebody downloaded the list of an import's files."""

    tag = "import.listing_taken"
    operation = Operation.DISCLOSURE
    files: int
