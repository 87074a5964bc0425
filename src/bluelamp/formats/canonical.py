"""Canonical encoding and field commitments: one value, one byte string, whoever computes it.

Every value is written as a frame, `tag (1 byte) || length of payload (8 bytes, big-endian) || payload`:

    N  null       empty payload
    B  boolean    one byte, 00 or 01
    I  integer    ASCII decimal, "-" for negatives, no leading zeros, within 64 bits signed
    S  text       UTF-8, as given (no Unicode normalisation)
    Y  bytes      as given
    L  list       the frames of its items, in order
    M  map        for each key, in ascending order of its UTF-8 bytes: the key's S frame, the value's frame

Floating-point numbers do not exist here: decimals travel as text. See docs/protocols/custody-leaf.md.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from bluelamp.formats.errors import FormatError

Value: TypeAlias = bool | int | str | bytes | Sequence["Value"] | Mapping[str, "Value"] | None

MAX_DEPTH = 32
MIN_SALT = 16


class CanonicalError(FormatError):
    """A value cannot be written canonically."""


def encode(value: Value) -> bytes:
    """The canonical bytes of `value`; different values never share them.

    A tuple is a list, and subclasses of text and integers (enumerations) are written as the plain value.
    Raises CanonicalError for floats, integers beyond 64 bits signed, text that is not valid Unicode,
    keys that are not text, any other type, and nesting deeper than 32.
    """
    kind = type(value)
    if kind is str:  # by far the most common, and on the path of every event
        payload = _utf8(value)  # type: ignore[arg-type]  # a str, by its kind
        return b"S" + len(payload).to_bytes(8, "big") + payload
    return _encode(value, 0)


def decode(data: bytes, at: int = 0) -> tuple[Value, int]:
    """The value whose frame begins at `at`, and where the frame ends.

    Only what `encode` writes is read, so that a value has one encoding. Raises CanonicalError.
    """
    return _decode(data, at, len(data), 0)


def commit_field(field: str, value: Value, salt: bytes) -> bytes:
    """SHA-256 (32 bytes) over frame(salt) || frame(field) || frame(value).

    The salt (16 bytes or more, random, one per field) keeps a value from being guessed from its commitment.
    """
    if not isinstance(salt, bytes) or len(salt) < MIN_SALT:
        raise CanonicalError(f"The salt of the field {field!r} must be at least {MIN_SALT} random bytes.")
    return hashlib.sha256(encode(salt) + encode(field) + encode(value)).digest()


def commit_digests(digests: Mapping[str, bytes]) -> bytes:
    """The 32-byte entry over already computed field commitments.

    It lets an entry be checked when one field's value and salt have been lawfully erased and only its
    commitment is left.
    """
    for field, digest in digests.items():
        if not isinstance(digest, bytes) or len(digest) != 32:
            raise CanonicalError(f"The commitment of the field {field!r} must be 32 bytes.")
    return hashlib.sha256(encode(digests)).digest()


def commit(fields: Mapping[str, Value], salts: Mapping[str, bytes]) -> bytes:
    """The 32-byte leaf entry of an event: SHA-256 over the canonical map from field to its commitment.

    `salts` has exactly the fields of `fields`. Raises CanonicalError otherwise.
    """
    if fields.keys() != salts.keys():
        stray = ", ".join(sorted(repr(name) for name in fields.keys() ^ salts.keys()))
        raise CanonicalError(f"Every field needs one salt and every salt a field; unmatched: {stray}.")
    return commit_digests({name: commit_field(name, value, salts[name]) for name, value in fields.items()})


def _encode(value: Value, depth: int) -> bytes:
    if depth > MAX_DEPTH:
        raise CanonicalError(f"Values nested deeper than {MAX_DEPTH} levels cannot be written.")
    if value is None:
        return _frame(b"N", b"")
    if isinstance(value, bool):  # before int, of which bool is a subclass
        return _frame(b"B", b"\x01" if value else b"\x00")
    if isinstance(value, int):
        number = int(value)
        if not -(2**63) <= number < 2**63:
            raise CanonicalError("An integer does not fit into 64 bits signed.")
        return _frame(b"I", b"%d" % number)
    if isinstance(value, str):
        return _frame(b"S", _utf8(value))
    if isinstance(value, bytes):
        return _frame(b"Y", bytes(value))
    if isinstance(value, list | tuple):
        return _frame(b"L", b"".join(_encode(item, depth + 1) for item in value))
    if isinstance(value, Mapping):
        return _frame(b"M", _encode_map(value, depth + 1))
    raise CanonicalError(f"A value of type {type(value).__name__} cannot be written; decimals travel as text.")


def _encode_map(mapping: Mapping[str, Value], depth: int) -> bytes:
    if not all(isinstance(key, str) for key in mapping):
        raise CanonicalError("The keys of a map must be text.")
    keys = sorted((_utf8(key), key) for key in mapping)
    return b"".join(_frame(b"S", raw) + _encode(mapping[key], depth) for raw, key in keys)


def _decode(data: bytes, at: int, limit: int, depth: int) -> tuple[Value, int]:
    begin = at + 9
    end = begin + int.from_bytes(data[at + 1 : begin], "big")
    if begin > limit or end > limit or depth > MAX_DEPTH:
        raise CanonicalError("A frame is cut off or nested too deep.")
    tag = data[at]
    if tag == 0x53:
        return _text(data[begin:end]), end
    payload = data[begin:end]
    match tag:
        case 0x4E if not payload:
            return None, end
        case 0x42 if payload in (b"\x00", b"\x01"):
            return payload == b"\x01", end
        case 0x49:
            return _integer(payload), end
        case 0x59:
            return payload, end
        case 0x4C:
            return _decode_list(data, begin, end, depth + 1), end
        case 0x4D:
            return _decode_map(data, begin, end, depth + 1), end
    raise CanonicalError("A frame has an unknown tag or a wrong payload.")


def _decode_list(data: bytes, at: int, end: int, depth: int) -> list[Value]:
    items = []
    while at < end:
        item, at = _decode(data, at, end, depth)
        items.append(item)
    return items


def _decode_map(data: bytes, at: int, end: int, depth: int) -> dict[str, Value]:
    found: dict[str, Value] = {}
    before = None
    while at < end:
        key_at = at
        key, at = _decode(data, at, end, depth)
        raw = data[key_at + 9 : at]
        if not isinstance(key, str) or (before is not None and raw <= before):
            raise CanonicalError("The keys of a map must be text, each once, in ascending order.")
        before = raw
        found[key], at = _decode(data, at, end, depth)
    return found


def _integer(payload: bytes) -> int:
    try:
        number = int(payload)
    except ValueError as error:
        raise CanonicalError("An integer's frame holds no integer.") from error
    if b"%d" % number != payload or not -(2**63) <= number < 2**63:
        raise CanonicalError("An integer is not written canonically.")
    return number


def _text(payload: bytes) -> str:
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CanonicalError("A text is not valid UTF-8.") from error


def _utf8(text: str) -> bytes:
    try:
        return str.encode(text, "utf-8")
    except UnicodeEncodeError as error:
        raise CanonicalError("A text is not valid Unicode (it holds half of a surrogate pair).") from error


def _frame(tag: bytes, payload: bytes) -> bytes:
    return tag + len(payload).to_bytes(8, "big") + payload
