"""A custody leaf as it is stored: the preimages of its field commitments, verbatim, one after the other.

Fields stand in ascending order of the UTF-8 bytes of their names. A field is the preimage of its commitment
(docs/protocols/custody-leaf.md)

    frame(salt as bytes) || frame(name as text) || frame(value)

and one whose value was erased keeps only what the entry needs, in a frame of a tag of its own:

    E || length (8 bytes) || frame(name as text) || frame(commitment as bytes) || frame(number of the erasing event)

So a leaf is checked by hashing what is stored, without encoding anything again.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bluelamp.formats import canonical
from bluelamp.formats.canonical import CanonicalError, Value
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.errors import FormatError

SALT_SIZE = 16
ERASED = b"E"

_HEAD = 9  # a frame's tag and length
_SALT_FRAME = b"Y" + SALT_SIZE.to_bytes(8, "big")
_SALT_END = _HEAD + SALT_SIZE
_DIGEST_FRAME = b"Y" + (32).to_bytes(8, "big")
_sha256 = hashlib.sha256
_int = int.from_bytes
_MOST_SHAPES = 1000
_length = struct.Struct(">Q").unpack_from

_name_frames: dict[str, bytes] = {}


Checked: TypeAlias = tuple[bytes, dict[str, bytes], list[tuple[str, int]]]


class LeafError(FormatError):
    """A stored leaf is not what it should be: it was damaged or changed."""


@dataclass(frozen=True)
class Field:
    """One stored field: its commitment, and value and salt unless `erased_by` (an event's number) erased them."""

    name: str
    commitment: bytes
    value: Value = None
    salt: bytes = b""
    erased_by: int | None = None


def write(fields: Mapping[str, Value], salts: bytes) -> tuple[bytes, bytes]:
    """The entry (32 bytes) and the stored form of an event; `salts` are 16 random bytes for each field, in any order.

    Raises CanonicalError for a value that cannot be written, and ValueError for too few salts.
    """
    if len(salts) != SALT_SIZE * len(fields):
        raise ValueError("There must be 16 bytes of salt for each field.")
    stored, digests, at = [], [], 0
    encode = canonical.encode
    for name in sorted(fields):  # by code points, which is the order of their UTF-8 bytes
        frame = _name_frame(name)
        preimage = _SALT_FRAME + salts[at : at + SALT_SIZE] + frame + encode(fields[name])
        at += SALT_SIZE
        stored.append(preimage)
        digests.append(frame + _DIGEST_FRAME + _sha256(preimage).digest())
    return _entry(digests), b"".join(stored)


def entry_of(stored: bytes) -> bytes:
    """The entry that a stored leaf hashes to. Raises LeafError where it is damaged."""
    return Reader({}).checked(stored)[0]


class Reader:
    """Checks many leaves, and picks out of each the value frames of the fields that are wanted.

    A million events are checked with this; hence its look. Events of one type have the same fields, so what was met in
    one is where the next is looked for, and found or not: the result is the same.
    """

    def __init__(self, wanted: Mapping[bytes, str]) -> None:
        """`wanted` maps the frame of a field's name to the name."""
        self._wanted = wanted
        self._shapes: dict[str, _Shape] = {}

    def checked(self, stored: bytes, kind: str = "") -> Checked:
        """The entry, the frames of the wanted values by name, and the erased fields, each with the number of the event
        that erased it. `kind`: what leaves that are probably alike have in common. Raises LeafError.
        """
        shape = self._shapes.get(kind)
        found = shape.fitted(stored) if shape is not None else None
        if found is not None:
            return found
        found, names = self._walked(stored)
        if not found[2] and len(self._shapes) < _MOST_SHAPES:
            self._shapes[kind] = _Shape(names, self._wanted)
        return found

    def _walked(self, stored: bytes) -> tuple[Checked, list[bytes]]:
        digests: list[bytes] = []
        names: list[bytes] = []
        values: dict[str, bytes] = {}
        erased: list[tuple[str, int]] = []
        at, size = 0, len(stored)
        try:
            while at < size:
                if stored.startswith(_SALT_FRAME, at):
                    name_at = at + _SALT_END
                    value_at = name_at + _HEAD + _length(stored, name_at + 1)[0]
                    end = value_at + _HEAD + _length(stored, value_at + 1)[0]
                    frame = stored[name_at:value_at]
                    names.append(frame)
                    digests += (frame, _DIGEST_FRAME, _sha256(stored[at:end]).digest())
                    if frame in self._wanted:
                        values[self._wanted[frame]] = stored[value_at:end]
                    at = end
                else:
                    field, at = _erased(stored, at)
                    digests += (_name_frame(field.name), _DIGEST_FRAME, field.commitment)
                    erased.append((field.name, field.erased_by or 0))
        except (struct.error, OverflowError) as error:
            raise LeafError("A stored event ends in the middle of a field.") from error
        if at != size:
            raise LeafError("A stored event ends in the middle of a field.")
        return (_entry(digests), values, erased), names


class _Shape:
    """The names of a leaf's fields, in their order, as found in one; none of them erased."""

    def __init__(self, names: Sequence[bytes], wanted: Mapping[bytes, str]) -> None:
        self._names = list(names)
        self._values_at = [_SALT_END + len(name) for name in names]
        self._wanted = [(at, wanted[name], self._values_at[at]) for at, name in enumerate(names) if name in wanted]
        self._parts = [b""]
        for name in names:
            self._parts += (name + _DIGEST_FRAME, bytes(32))
        self._parts[0] = b"M" + len(b"".join(self._parts)).to_bytes(8, "big")

    def fitted(self, stored: bytes) -> Checked | None:
        """As `Reader.checked`; None where the leaf has other fields, or is damaged."""
        preimages, names, at = [], [], 0
        try:
            for value_at in self._values_at:
                begin, at = at, at + value_at
                names.append(stored[begin + _SALT_END : at])
                at += _HEAD + _length(stored, at + 1)[0]
                preimages.append(stored[begin:at])
        except (struct.error, OverflowError):
            return None
        if at != len(stored) or names != self._names:
            return None
        if not all(preimage.startswith(_SALT_FRAME) for preimage in preimages):
            return None
        parts = self._parts.copy()
        parts[2::2] = [_sha256(preimage).digest() for preimage in preimages]
        values = {name: preimages[number][value_at:] for number, name, value_at in self._wanted}
        return _sha256(b"".join(parts)).digest(), values, []


def read(stored: bytes) -> Iterator[Field]:
    """The fields of a stored leaf, in their order. Raises LeafError where it is damaged."""
    at = 0
    while at < len(stored):
        if stored[at : at + 1] == ERASED:
            field, at = _erased(stored, at)
        else:
            begin = at
            salt, at = _value(stored, at)
            name, at = _value(stored, at)
            value, at = _value(stored, at)
            if not isinstance(salt, bytes) or not isinstance(name, str):
                raise LeafError("A stored event's field has no salt or no name.")
            field = Field(name, _sha256(stored[begin:at]).digest(), value, salt)
        yield field


def values(stored: bytes) -> dict[str, Any]:
    """What the event says: the values of its fields by name, without those that were erased. Raises LeafError."""
    return {field.name: field.value for field in read(stored) if field.erased_by is None}


def disclosed(stored: bytes) -> DisclosedEvent:
    """The event as it is handed out. Raises LeafError."""
    fields = list(read(stored))
    return DisclosedEvent(
        fields={field.name: field.value for field in fields if field.erased_by is None},
        salts={field.name: field.salt for field in fields if field.erased_by is None},
        erased={field.name: field.commitment for field in fields if field.erased_by is not None},
    )


def erase(stored: bytes, names: set[str], erased_by: int) -> bytes:
    """The stored form without values and salts of these fields, saying which event erased them; the entry stays.

    Raises LeafError for a field that the event does not have, or that is erased already.
    """
    parts, left, at = [], set(names), 0
    for field in read(stored):
        end = _end(stored, at)
        if field.name in left:
            if field.erased_by is not None:
                raise LeafError(f"The field {field.name!r} was erased before.")
            left.discard(field.name)
            body = b"".join(canonical.encode(part) for part in (field.name, field.commitment, erased_by))
            parts.append(ERASED + len(body).to_bytes(8, "big") + body)
        else:
            parts.append(stored[at:end])
        at = end
    if left:
        raise LeafError(f"The event has no field {', '.join(map(repr, sorted(left)))}.")
    return b"".join(parts)


def _entry(digests: list[bytes]) -> bytes:
    content = b"".join(digests)
    return _sha256(b"M" + len(content).to_bytes(8, "big") + content).digest()


def _name_frame(name: str) -> bytes:
    frame = _name_frames.get(name)
    if frame is None:
        frame = canonical.encode(name)
        if len(_name_frames) < 10_000:
            _name_frames[name] = frame
    return frame


def _erased(stored: bytes, at: int) -> tuple[Field, int]:
    if stored[at : at + 1] != ERASED:
        raise LeafError("A stored event's field has no salt of 16 bytes.")
    end = _end(stored, at)
    name, place = _value(stored, at + _HEAD)
    commitment, place = _value(stored, place)
    erased_by, place = _value(stored, place)
    if place != end or type(name) is not str or type(erased_by) is not int:
        raise LeafError("An erased field of a stored event is damaged.")
    if not isinstance(commitment, bytes) or len(commitment) != 32:
        raise LeafError("An erased field of a stored event has no commitment.")
    return Field(name, commitment, erased_by=erased_by), end


def _end(stored: bytes, at: int) -> int:
    """Where the field that begins at `at` ends."""
    frames = 1 if stored[at : at + 1] == ERASED else 3
    for _ in range(frames):
        at += _HEAD + _int(stored[at + 1 : at + _HEAD], "big")
    if at > len(stored):
        raise LeafError("A stored event ends in the middle of a field.")
    return at


def _value(stored: bytes, at: int) -> tuple[Value, int]:
    try:
        return canonical.decode(stored, at)
    except CanonicalError as error:
        raise LeafError(f"A stored event is damaged. {error}") from error
