"""An event of the ledger as it is handed out: its values and salts, or for an erased field its commitment only.

Whoever holds one computes the leaf entry (docs/protocols/custody-leaf.md) and finds it in the log. As JSON:

    {"fields": {name: value}, "salts": {name: hex}, "erased": {name: hex of the commitment}}

Integers stay within what JavaScript holds exactly, so that a page in a browser computes the same entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bluelamp.formats import canonical
from bluelamp.formats.canonical import Value
from bluelamp.formats.errors import FormatError
from bluelamp.formats.fields import MAX_INTEGER
from bluelamp.formats.strictjson import exact_fields

MOST_FIELDS = 200


class DisclosureError(FormatError):
    """A disclosed event is malformed."""


@dataclass(frozen=True)
class DisclosedEvent:
    """What an event says: `fields` with one salt each, and the commitments of fields whose value was erased."""

    fields: Mapping[str, Value]
    salts: Mapping[str, bytes]
    erased: Mapping[str, bytes] = field(default_factory=dict)

    def entry(self) -> bytes:
        """The leaf entry, 32 bytes. Raises DisclosureError where fields and salts do not match."""
        if self.fields.keys() != self.salts.keys() or self.fields.keys() & self.erased.keys():
            raise DisclosureError("Each field of an event has one salt, or was erased and has a commitment only.")
        try:
            digests = {name: canonical.commit_field(name, self.fields[name], salt) for name, salt in self.salts.items()}
            return canonical.commit_digests({**digests, **self.erased})
        except FormatError as error:
            raise DisclosureError(str(error)) from error

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "fields": dict(self.fields),
            "salts": {name: salt.hex() for name, salt in self.salts.items()},
            "erased": {name: digest.hex() for name, digest in self.erased.items()},
        }

    @classmethod
    def parse(cls, document: object) -> "DisclosedEvent":
        """From parsed JSON. Raises DisclosureError."""
        try:
            plain = exact_fields(document, frozenset({"fields", "salts", "erased"}), "event")
        except FormatError as error:
            raise DisclosureError(str(error)) from error
        fields, salts, erased = (plain[name] for name in ("fields", "salts", "erased"))
        if not all(isinstance(part, dict) and len(part) <= MOST_FIELDS for part in (fields, salts, erased)):
            raise DisclosureError("An event's fields, salts and erased fields are objects of at most 200 members.")
        _check_numbers(fields)
        return cls(fields, _bytes(salts, "salt", canonical.MIN_SALT), _bytes(erased, "commitment", 32))


def _bytes(texts: Mapping[str, object], what: str, size: int) -> dict[str, bytes]:
    found = {}
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) < 2 * size or text.strip("0123456789abcdef") or len(text) % 2:
            raise DisclosureError(f"The {what} of the field {name!r} is not lower-case hexadecimal of its length.")
        found[name] = bytes.fromhex(text)
    return found


def _check_numbers(value: object) -> None:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            _check_numbers(part)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > MAX_INTEGER):
        raise DisclosureError("An event holds a number that a browser does not hold exactly.")
