"""When a package stands, how its files are called, and how an exhibit is referred to; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_RECORDINGS = 50
LONGEST_LINE = 200

_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_EXHIBIT = re.compile(r"[A-Z]{2,5}/[1-9][0-9]{0,4}[A-Z]{0,2}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


class Standing(StrEnum):
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    GONE = "gone"
    DELETED = "deleted"


@dataclass(frozen=True)
class Facts:
    """What bears on whether a package stands. `live`: no recording of it is locked, in quarantine or deleted.

    `share_stands`: the share under which it was made still admits downloading; True where there is none.
    """

    ready: bool
    failed: bool
    withdrawn: bool
    share_stands: bool
    live: bool
    deleted: bool


def standing(package: Facts) -> Standing:
    """Where a package stands; deletion is named first, since nothing else matters then."""
    if package.deleted:
        return Standing.DELETED
    if package.withdrawn:
        return Standing.WITHDRAWN
    if package.failed:
        return Standing.FAILED
    if not package.share_stands:
        return Standing.ENDED
    if not package.live:
        return Standing.GONE
    return Standing.READY if package.ready else Standing.MAKING


def exhibit_fits(reference: str) -> bool:
    """Whether a text is an exhibit reference as police label them: initials/number, for a part with letters (AB/1A)."""
    return bool(_EXHIBIT.fullmatch(reference))


def suggested_exhibit(name: str, taken: set[str]) -> str:
    """The next reference of an officer: the initials and the first number that no exhibit has."""
    words = re.findall(r"[^\W\d_]+", name)
    initials = "".join(word[0] for word in words).upper()[:5]
    if not re.fullmatch(r"[A-Z]{2,5}", initials):
        return ""
    number = 1
    while f"{initials}/{number}" in taken:
        number += 1
    return f"{initials}/{number}"


def line(text: str) -> str:
    """A text as one readable line: no control characters, no marks that turn the direction of writing."""
    return " ".join(_UNREADABLE.sub(" ", text).split())


def media_file(exhibit: str, download_name: str) -> str:
    """The path of a recording in the bag; `download_name` is of letters, digits, dots and dashes."""
    label = _UNSAFE.sub("-", exhibit).strip("-.")
    return f"data/{label}_{download_name}" if label else f"data/{download_name}"


def top_folder(exhibits: list[str], package_id: str) -> str:
    """The bag's folder and the ZIP file's name without its ending: the first exhibit, the end of the package's id."""
    label = next((_UNSAFE.sub("-", exhibit).strip("-.") for exhibit in exhibits if exhibit), "")
    return f"{label or 'package'}-{package_id[-12:]}"


def zip_moment(made_at: datetime) -> tuple[int, int]:
    """Date and time as ZIP files keep them (APPNOTE.TXT 4.4.6); of UTC, to two seconds."""
    date = (made_at.year - 1980) << 9 | made_at.month << 5 | made_at.day
    return date, made_at.hour << 11 | made_at.minute << 5 | made_at.second // 2
