"""A stretch of the ledger as a CSV file (RFC 4180), in UTF-8 with the mark that spreadsheets need."""

from __future__ import annotations

import csv as csv_format
import io
import json
from collections.abc import Iterable

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.web.filters import utc

COLUMNS = (
    "event",
    "at (UTC)",
    "type",
    "operation (DPA 2018 s.62)",
    "actor",
    "actor's name",
    "what",
    "subject",
    "subject's name",
    "also about",
    "reason",
    "details (JSON)",
    "leaf",
)
# A spreadsheet takes a cell that begins like this for a formula; reasons are written by anybody.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv(items: Iterable[HistoryItem]) -> bytes:
    """The events as a file, in the order given."""
    file = io.StringIO(newline="")
    writer = csv_format.writer(file)
    writer.writerow(COLUMNS)
    for told in words.tell(items):
        item = told.item
        writer.writerow(
            _harmless(cell)
            for cell in (
                str(item.id),
                utc(item.at),
                item.tag,
                item.operation,
                item.actor,
                told.who,
                told.what,
                item.subject,
                told.about,
                " ".join(item.also),
                item.reason,
                json.dumps(item.details, ensure_ascii=False, sort_keys=True),
                "" if item.leaf is None else str(item.leaf),
            )
        )
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
