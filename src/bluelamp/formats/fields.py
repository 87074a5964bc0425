"""Checks of single field values that manifests and receipts share. Each raises FormatError in a sentence."""

import re
import uuid
from typing import Any

from bluelamp.formats import iso8601
from bluelamp.formats.errors import FormatError

# JavaScript's exact integers: a page must be able to verify what it reads.
MAX_INTEGER = 2**53 - 1

_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEX = re.compile(r"[0-9a-f]{64}")


def integer(value: Any, what: str, least: int = 0, most: int = MAX_INTEGER) -> int:
    """A whole number within bounds; True and 1.0 are none."""
    if type(value) is not int or not least <= value <= most:
        raise FormatError(f"The {what} must be a whole number from {least} to {most}.")
    return value


def boolean(value: Any, what: str) -> bool:
    """True or False and nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise FormatError(f"The {what} must be true or false.")
    return value


def text(value: Any, what: str, most: int, *, may_be_empty: bool = False) -> str:
    """Printable text of at most `most` characters."""
    if not isinstance(value, str) or len(value) > most or not (value or may_be_empty) or not value.isprintable():
        raise FormatError(f"The {what} must be printable text of at most {most} characters.")
    return value


def serial(value: Any) -> str:
    """A camera's serial number: letters, digits, dot, dash, underscore; 64 at most."""
    if not isinstance(value, str) or not _SERIAL.fullmatch(value):
        raise FormatError("The serial must be letters, digits, dots, dashes or underscores, 64 at most.")
    return value


def digest(value: Any, what: str) -> str:
    """SHA-256 as 64 lower-case hexadecimal digits."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise FormatError(f"The {what} must be 64 lower-case hexadecimal digits.")
    return value


def identifier(value: Any, what: str) -> str:
    """A UUID in its lower-case canonical spelling."""
    try:
        canonical = str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        canonical = ""
    if not canonical or canonical != value:
        raise FormatError(f"The {what} must be a UUID in lower case.")
    return canonical


def moment(value: Any, what: str) -> str:
    """A time as ISO 8601 UTC text with a final Z."""
    try:
        iso8601.parse(value)
    except FormatError as error:
        raise FormatError(f"The {what} is wrong. {error}") from error
    return str(value)
