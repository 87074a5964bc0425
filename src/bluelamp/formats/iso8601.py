"""The one spelling of time in signed formats: ISO 8601, UTC, with a final Z."""

import re
from datetime import UTC, datetime

from bluelamp.formats.errors import FormatError

_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def parse(text: str) -> datetime:
    """An aware UTC time from `2026-11-22T07:19:05Z`, with up to six decimals. Raises FormatError."""
    if not isinstance(text, str) or not _PATTERN.fullmatch(text):
        raise FormatError("A time must be written like 2026-11-22T07:19:05Z.")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"There is no such time as {text}.") from error


def to_text(moment: datetime) -> str:
    """The text of an aware time, in UTC; fractions of a second only where there are any."""
    if moment.utcoffset() is None:
        raise FormatError("A time without a time zone cannot be written as UTC.")
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
