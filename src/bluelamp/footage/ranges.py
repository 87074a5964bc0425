"""HTTP byte ranges (RFC 9110, section 14), as far as a player and a resumed download need them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# More digits than any file's size has are a mistake or an attack; int() would take its time over millions of them.
_ONE = re.compile(r"bytes=\s*(?:(\d{1,18})\s*-\s*(\d{0,18})|-\s*(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Stretch:
    """Bytes `first` to `last`, both included; empty for a file of no bytes."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(ValueError):
    """The range lies outside the file: 416."""


def asked(header: str | None, size: int) -> Stretch | None:
    """The stretch that a Range header asks of a file of `size` bytes; None where all of it is to be sent.

    A header that is malformed, of another unit, or names several ranges is ignored, as section 14.2 allows. Raises
    Unsatisfiable for a range that begins past the end, or a suffix of no bytes.
    """
    match = _ONE.fullmatch(header or "")
    if match is None:
        return None
    begin, end, suffix = match.groups()
    if suffix is not None:
        if int(suffix) == 0 or size == 0:
            raise Unsatisfiable
        return Stretch(max(0, size - int(suffix)), size - 1)
    first = int(begin)
    if end and int(end) < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Stretch(first, min(int(end), size - 1) if end else size - 1)


def still_the_same(if_range: str | None, etag: str) -> bool:
    """Whether a range may be sent at all: If-Range is absent or names exactly this (strong) entity tag."""
    return if_range is None or if_range.strip() == etag
