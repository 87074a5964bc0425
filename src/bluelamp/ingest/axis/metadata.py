"""Metadata in headers: `X-Container-Meta-<Key>` and `X-Object-Meta-<Key>`. Pure.

Values are URL-encoded UTF-8. On the wire only the first letter of a key, and letters after a hyphen, are upper case,
so keys are kept in lower case and compared as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_to_bytes

from bluelamp.ingest.axis.errors import Unstorable

CONTAINER = "x-container-meta-"
OBJECT = "x-object-meta-"

# The protocol's own values have at most 100 bytes, tags apart; the rest is Swift's, with room to spare.
MOST_KEYS = 90
LONGEST_KEY = 128
LONGEST_VALUE = 1024
MOST_BYTES = 16 * 1024


def read(headers: Iterable[tuple[bytes, bytes]], prefix: str) -> dict[str, str]:
    """The metadata among raw `headers`: lower-case key to decoded value, an empty one included. Raises Unstorable.

    What is not UTF-8 under its encoding is taken with replacement characters: a name that was spelt wrongly must not
    keep footage out.
    """
    found: dict[str, str] = {}
    total = 0
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        if not name.startswith(prefix) or len(name) == len(prefix):
            continue
        key, value = name[len(prefix) :], unquote_to_bytes(raw_value).decode("utf-8", "replace").strip()
        total += len(key) + len(value.encode())
        if len(key) > LONGEST_KEY or len(value.encode()) > LONGEST_VALUE:
            raise Unstorable(f"The metadata key {key[:40]!a} or its value is too long.")
        if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value):
            raise Unstorable(f"The value of the metadata key {key!a} has control characters.")
        found[key] = value
    if len(found) > MOST_KEYS or total > MOST_BYTES:
        raise Unstorable("That is more metadata than fits with one container or object.")
    return found


def merged(kept: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """A container's metadata after a PUT or POST: an empty value deletes its key. Raises Unstorable for too much."""
    result = {key: value for key, value in {**kept, **given}.items() if value}
    if len(result) > MOST_KEYS or sum(len(key) + len(value.encode()) for key, value in result.items()) > MOST_BYTES:
        raise Unstorable("That is more metadata than fits with one container.")
    return result


def replacing(given: Mapping[str, str]) -> dict[str, str]:
    """An object's metadata after a PUT or POST: what is given, and nothing of what was there."""
    return {key: value for key, value in given.items() if value}


def as_headers(kept: Mapping[str, str], prefix: str) -> dict[str, str]:
    """What a HEAD answers."""
    return {f"{prefix}{key}".title(): quote(value, safe="") for key, value in kept.items()}


def is_true(text: str) -> bool:
    """`Active` and the like; what is not said to be false is true."""
    return text.strip().lower() != "false"
