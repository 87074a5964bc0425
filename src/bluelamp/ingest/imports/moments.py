"""Times as other systems write them, and the time that a video file carries in itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from zoneinfo import ZoneInfo

_BRITISH = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_LENGTH = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:[.,]\d+)?")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MP4_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_MOST_BOXES = 4096
_LONGEST = timedelta(days=31)


def read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """An aware UTC time from ISO 8601, British date order (22/11/2026 07:19) or Unix seconds; None where it is none.

    A time without its own zone is one of `zone`.
    """
    text = text.strip()
    found: datetime | None = None
    if match := _BRITISH.fullmatch(text):
        day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            return None
    elif re.fullmatch(r"\d{9,11}", text):
        found = datetime.fromtimestamp(int(text), UTC)
    else:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None
    try:
        found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return found if found >= _EARLIEST else None


def read_length(text: str) -> timedelta | None:
    """A duration from seconds ("93.5") or a clock ("1:02:03", "02:03"); None where it is none."""
    text = text.strip()
    if match := _LENGTH.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    else:
        try:
            found = timedelta(seconds=float(text.removesuffix("s")))
        except (ValueError, OverflowError):
            return None
    return found if timedelta() <= found <= _LONGEST else None


def in_mp4(file: BinaryIO, size: int, now: datetime) -> tuple[datetime, timedelta] | None:
    """When an MP4 or QuickTime file says that it was made, and how long it is (ISO/IEC 14496-12, `mvhd`).

    None for any other file, and for a time that cannot be. Reads a few bytes, decodes nothing.
    """
    found = _box(file, b"moov", 0, size)
    header = _box(file, b"mvhd", *found) if found else None
    if header is None:
        return None
    file.seek(header[0])
    body = file.read(min(32, header[1] - header[0]))
    if len(body) < 20:
        return None
    if body[0] == 1:
        if len(body) < 32:
            return None
        made, scale, length = body[4:12], body[20:24], body[24:32]
    else:
        made, scale, length = body[4:8], body[12:16], body[16:20]
    unit = int.from_bytes(scale, "big")
    try:
        at = _MP4_EPOCH + timedelta(seconds=int.from_bytes(made, "big"))
        lasted = timedelta(seconds=int.from_bytes(length, "big") / unit) if unit else timedelta()
    except OverflowError:
        return None
    if not _EARLIEST <= at <= now:
        return None
    return at, lasted if lasted <= _LONGEST else timedelta()


def _box(file: BinaryIO, wanted: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The first box of that type between two offsets: where its content begins and ends."""
    at = start
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return None
        file.seek(at)
        head = file.read(16)
        length, kind, content = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if length == 1:
            length, content = int.from_bytes(head[8:16], "big"), at + 16
        elif length == 0:
            length = end - at
        if length < content - at or (at == 0 and kind not in (b"ftyp", b"moov", b"wide", b"free", b"skip", b"mdat")):
            return None
        if kind == wanted:
            return content, min(at + length, end)
        at += length
    return None
