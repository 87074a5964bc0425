"""A stretch of the ledger as a file: CSV (RFC 4180, UTF-8 with the mark that spreadsheets need), or JSON with salts."""

from __future__ import annotations

import csv as csv_format
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.formats import leaf
from bluelamp.formats.errors import FormatError
from bluelamp.oversight.queries.checks import Alarm
from bluelamp.oversight.queries.ledger import stored_of
from bluelamp.web.filters import utc

JSON_FORMAT = "bluelamp-ledger-export/1"
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
FINDING_COLUMNS = (
    "recording",
    "recorded",
    "camera",
    "number",
    "SHA-256",
    "bytes",
    "object",
    "what is wrong",
    "in detail",
    "what hangs on it",
    "found (UTC)",
    "last seen (UTC)",
    "mended (UTC)",
    "why it ended",
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
            harmless(cell)
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


def json_file(items: Iterable[HistoryItem], *, filters: Mapping[str, str], complete: bool) -> bytes:
    """The events as they are handed out (`formats.disclosure`), in the order given, so that each can be proven.

    {"format", "filters", "complete", "events": [{"event", "leaf", "at", "type", "disclosed": {fields, salts, erased}}]}
    """
    listed = list(items)
    stored = stored_of([item.id for item in listed])
    document = {
        "format": JSON_FORMAT,
        "filters": dict(filters),
        "complete": complete,
        "events": [
            {
                "event": item.id,
                "leaf": item.leaf,
                "at": utc(item.at),
                "type": item.tag,
                "disclosed": _disclosed(stored[item.id]),
            }
            for item in listed
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _disclosed(stored: bytes) -> dict[str, Any] | None:
    """None for an event that cannot be read: it was damaged or changed, which the verification names."""
    try:
        return leaf.disclosed(stored).document()
    except FormatError:
        return None


def findings(alarms: Iterable[Alarm], *, with_names: bool) -> bytes:
    """What checks found, mended or not, as CSV. `with_names`: the cases, shares and requests, else how many."""
    file = io.StringIO(newline="")
    writer = csv_format.writer(file)
    writer.writerow(FINDING_COLUMNS)
    for alarm in alarms:
        item, recording = alarm.finding, alarm.finding.recording
        cells = (
            str(recording.pk),
            alarm.recording,
            recording.camera.serial if recording.camera else "",
            str(recording.sequence or ""),
            recording.sha256,
            str(recording.size),
            item.object_name,
            item.get_problem_display(),
            item.detail,
            "; ".join(alarm.names) if with_names else alarm.depends.counted,
            utc(item.found_at),
            utc(item.seen_at),
            utc(item.ended_at) if item.ended_at else "",
            item.ended_because,
        )
        writer.writerow(harmless(cell) for cell in cells)
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell as a text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
