"""The list of an import's files as CSV: one line a file, the same bytes for the same state of things."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from bluelamp.ingest.models import ImportItem

HEAD = (
    "state",
    "file",
    "bytes at source",
    "sha256 at source",
    "bytes in manifest",
    "hashes in manifest",
    "bytes here",
    "sha256 here",
    "recording",
    "remark",
)
FORGOTTEN = "(forgotten with its recording)"


def lines(items: Iterable[ImportItem]) -> Iterator[bytes]:
    """The file, line by line, in UTF-8 with a final line feed each."""
    yield _line(HEAD)
    for item in items:
        yield _line(
            (
                item.state,
                # With its folder in front no name is taken for a formula by a spreadsheet.
                f"./{item.path}" if item.path else FORGOTTEN,
                _number(item.source_size if item.source_size is not None else item.taken_size),
                item.sha256,
                _number(item.claimed_size),
                " ".join(f"{name}:{value}" for name, value in sorted(item.claimed.items())),
                _number(item.here_size),
                item.here_sha256,
                str(item.recording) if item.recording and item.is_here else "",
                item.sentence,
            )
        )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
