"""A list of files as CSV, as other systems export it: columns are found by the names in the first line."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bluelamp.formats import iso8601
from bluelamp.ingest.imports.entries import Entry, Manifest, plain_hash, plain_path, shown, without_repetition
from bluelamp.ingest.imports.errors import ManifestUnreadable
from bluelamp.ingest.imports.moments import read_length, read_moment

MOST_BYTES = 1024 * 1024 * 1024
_LONGEST_FIELD = 64 * 1024
_LONGEST_FACT = 2000
_MOST_COLUMNS = 200

# What a column is, by the names that exports give it: letters and digits only, in lower case.
_COLUMNS: dict[str, str] = {
    name: meaning
    for meaning, names in {
        "path": "path filepath relativepath fullpath file filename name evidencefile mediafile filelocation",
        "sha512": "sha512 sha512hash sha512checksum",
        "sha256": "sha256 sha256hash sha256checksum sha2 sha256sum",
        "sha1": "sha1 sha1hash sha1checksum sha1sum",
        "md5": "md5 md5hash md5checksum md5sum",
        "hash": "hash checksum filehash digest hashvalue fixity",
        "size": "size bytes filesize sizebytes filesizebytes length contentlength sizeinbytes",
        "started": "recorded start started startedat starttime recordedat recordedon recordedstart recordeddate"
        " recordingstart recordingstarted recordstart recordingdate capturedat datetime date timestamp created"
        " createdat creationtime creationdate",
        "ended": "end ended endedat endtime recordedend recordingend recordingended recordend",
        "duration": "duration seconds durationseconds runtime",
        "officer": "officer warrant warrantnumber warrantno officernumber officerid shouldernumber collar"
        " collarnumber badge badgeid badgenumber wearer recordedby owner user userid staffnumber",
        "unit": "unit unitcode borough team division department group bcu",
        "serial": "camera cameraserial serial serialnumber deviceserial deviceid device deviceserialnumber",
        "reference": "reference ref crimereference crimeref crimenumber cad cadnumber incident incidentnumber urn"
        " casenumber caseid case evidenceid exhibit",
        "category": "category categories classification type eventtype",
        "place": "place location address scene site",
    }.items()
    for name in names.split()
}


def read(data: bytes, name: str, zone: ZoneInfo) -> Manifest:
    """The manifest in `data`. Raises ManifestUnreadable, naming the line."""
    text = _text(data, name)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        columns = _columns(next(rows, []), name)
        entries = [
            (rows.line_num, _entry(row, columns, zone, f"line {rows.line_num}", name))
            for row in rows
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise ManifestUnreadable(name, f"line {rows.line_num} is no proper CSV ({error}).") from error
    if not entries:
        raise ManifestUnreadable(name, "it lists no file.")
    return Manifest(name, hashlib.sha256(data).hexdigest(), without_repetition(name, entries), files=frozenset({name}))


def _text(data: bytes, name: str) -> str:
    if len(data) > MOST_BYTES:
        raise ManifestUnreadable(name, f"it is longer than {MOST_BYTES} bytes.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]  # what a spreadsheet saves on Windows
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ManifestUnreadable(name, "it is no text.")


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t|", key=first.count)


def _columns(head: list[str], name: str) -> list[tuple[str, str]]:
    """For each column its meaning, "" for an unknown one, and its own name."""
    if len(head) > _MOST_COLUMNS:
        raise ManifestUnreadable(name, f"its first line has more than {_MOST_COLUMNS} columns.")
    found: list[tuple[str, str]] = []
    for title in head:
        meaning = _COLUMNS.get(re.sub(r"[^a-z0-9]", "", title.lower()), "")
        known = {each for each, _ in found}
        found.append(("" if meaning in known else meaning, title.strip() or f"column {len(found) + 1}"))
    if not any(meaning == "path" for meaning, _ in found):
        listed = ", ".join(shown(title)[:40] for _, title in found[:8]) or "nothing"
        raise ManifestUnreadable(
            name, f"its first line must name the columns, one of them “file” or “path”; it says: {listed}."
        )
    return found


def _entry(row: list[str], columns: list[tuple[str, str]], zone: ZoneInfo, where: str, name: str) -> Entry:
    if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
        raise ManifestUnreadable(name, f"{where} has {len(row)} fields, the first line {len(columns)}.")
    said: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for (meaning, title), cell in zip(columns, row, strict=False):
        value = cell.strip()
        if meaning:
            said[meaning] = value
        elif value:
            facts.setdefault("other", {})[title[:100]] = value[:_LONGEST_FACT]
    try:
        path, refusal = plain_path(said.get("path", "")), ""
    except ValueError as error:
        path, refusal = said.get("path", "").strip().lstrip("/"), f"The manifest is wrong: {error}."
        if not path:
            raise ManifestUnreadable(name, f"{where} names no file.") from error
    try:
        hashes = dict(
            plain_hash(said[each], "" if each == "hash" else each)
            for each in ("sha512", "sha256", "sha1", "md5", "hash")
            if said.get(each)
        )
        size = _size(said.get("size", ""))
    except ValueError as error:
        raise ManifestUnreadable(name, f"{where}: {error}.") from error
    facts.update(_times(said, zone))
    for meaning in ("officer", "unit", "serial", "reference", "category", "place"):
        if said.get(meaning):
            facts[meaning] = said[meaning][:_LONGEST_FACT]
    return Entry(path=path, size=size, hashes=hashes, facts=facts, refusal=refusal)


def _size(text: str) -> int | None:
    digits = re.sub(r"[ ,_  ]", "", text)
    if not digits:
        return None
    if not re.fullmatch(r"\d{1,18}", digits):
        raise ValueError(f"{shown(text)[:60]} is no size in bytes")
    return int(digits)


def _times(said: dict[str, str], zone: ZoneInfo) -> dict[str, str]:
    """Start and end; and as the list writes it what of them could not be used, by what is wrong with it."""
    started, ended, length = (said.get(name, "") for name in ("started", "ended", "duration"))
    start, end, lasted = read_moment(started, zone), read_moment(ended, zone), read_length(length)
    found: dict[str, str] = {}
    if started and start is None:
        found["unread_time"] = started
    if ended and end is None:
        found["unread_end"] = ended
    elif end is not None and start is None:
        found["lone_end"] = ended
    elif end is not None and start is not None and end < start:
        found["early_end"], end = ended, None
    if length:
        needed = start is not None and end is None
        found["unread_length" if needed and lasted is None else "length"] = length
    found = {name: value[:_LONGEST_FACT] for name, value in found.items()}
    if start is not None:
        end = end or _later(start, lasted)
        found |= {"started": iso8601.to_text(start), "ended": iso8601.to_text(end)}
    return found


def _later(start: datetime, lasted: timedelta | None) -> datetime:
    try:
        return start + (lasted or timedelta())
    except OverflowError:
        return start  # in the year 9999
