"""Sentences on what is wrong with one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bluelamp.ingest.imports.entries import STRONGEST_FIRST, shown
from bluelamp.ingest.models import ImportItem, ImportRun

_NAMES = {"sha512": "SHA-512", "sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}

_UNUSED = {
    "officer": "The list names officer {}, who is not known here.",
    "unit": "The list names unit {}, which is not known here.",
    "serial": "The list names camera {}, which is not known here.",
    "unread_time": "Its start time {} could not be read; {instead} counts.",
    "late_start": "Its start time {} lies in the future; {instead} counts.",
    "late_end": "Its end time {} lies in the future; {instead} counts.",
    "unread_end": "Its end time {} could not be read.",
    "early_end": "Its end time {} lies before its start time and does not count.",
    "lone_end": "Its end time {} does not count without a start time.",
    "unread_length": "Its length {} could not be read.",
}
_LONGEST_VALUE = 100


def size(claimed: int | None, found: int) -> str:
    """Why a size does not fit; "" where it does, or none is claimed."""
    if claimed is None or claimed == found:
        return ""
    return f"The manifest says {claimed:,} bytes; there are {found:,}."


def hashes(claimed: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Why a hash does not fit; "" where all that were reckoned do."""
    for name in STRONGEST_FIRST:
        if name in claimed and name in found and claimed[name] != found[name]:
            return f"Its {_NAMES[name]} is {found[name]}; the manifest says {claimed[name]}."
    return ""


def unused(values: Mapping[str, str], instead: str) -> str:
    """What the list says of a file that could not be used; "" where there is nothing.

    `values` by what is wrong with them; `instead` is the time that counts where the list's does not.
    """
    found = (words.format(_short(values[name]), instead=instead) for name, words in _UNUSED.items() if name in values)
    return " ".join(found)


def with_unused(facts: Mapping[str, Any], remark: str) -> dict[str, Any]:
    """A file's facts with this remark on what could not be used, and with no earlier one."""
    kept = {name: value for name, value in facts.items() if name != "unused"}
    return {**kept, "unused": remark} if remark else kept


def imported(size: int, remark: str = "") -> str:
    """What is to be said of a file that was taken; mostly nothing. `remark` says what of the list was not used."""
    empty = "" if size else "It is empty: 0 bytes, at the source as here."
    return " ".join(filter(None, (empty, remark)))


def duplicate(run: ImportRun, recording: UUID, size: int) -> str:
    """Which recording has the same bytes, and under which other name of this import."""
    empty = "" if size else " " + imported(size)
    other = run.items.filter(recording=recording, state=ImportItem.State.IMPORTED).first()
    if other is not None and other.path:
        return f"The same bytes as {other.path}, imported as recording {recording}.{empty}"
    return f"The same bytes are here already as recording {recording}.{empty}"


def changed(sha256: str) -> str:
    """That a file is another one now than the one that was imported."""
    return (
        f"It changed at the source after it was imported: its SHA-256 is {sha256} now. What was imported is safe here; "
        "to import the changed file too, begin anew with --new."
    )


def _short(value: str) -> str:
    text = shown(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
