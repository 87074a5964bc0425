"""A timestamp as it is handed out: the checkpoint that was stamped, the answer, and the proof that the log went on.

The stamped checkpoint is an earlier one than that of the package it goes with. Its text needs no signature here: the
consistency proof (RFC 9162, 2.1.4) leads from its root to that of the package's own checkpoint, which is signed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.x509 import Certificate

from bluelamp.formats import timestamp
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.ed25519 import decode_base64
from bluelamp.formats.merkle import HASH_SIZE
from bluelamp.formats.proofs import MOST_HASHES, verify_consistency
from bluelamp.formats.strictjson import exact_fields
from bluelamp.formats.timestamp import Stamp, TimestampError


@dataclass(frozen=True)
class Anchor:
    """`checkpoint`: the text that was stamped; `path`: hashes from it to a later checkpoint; `response`: DER."""

    checkpoint: str
    path: tuple[bytes, ...]
    response: bytes

    def __post_init__(self) -> None:
        Checkpoint.parse(self.checkpoint)
        if not self.checkpoint.isascii() or not self.checkpoint.replace("\n", "").isprintable():
            raise TimestampError("The stamped checkpoint holds other characters than printable ASCII.")
        if len(self.path) > MOST_HASHES or not 0 < len(self.response) <= timestamp.MOST_BYTES:
            raise TimestampError("A timestamp has at most 63 hashes and 64 KiB.")

    @property
    def size(self) -> int:
        """How many events the stamped checkpoint has."""
        return Checkpoint.parse(self.checkpoint).size

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "checkpoint": self.checkpoint,
            "path": [base64.b64encode(value).decode("ascii") for value in self.path],
            "response": base64.b64encode(self.response).decode("ascii"),
        }

    @classmethod
    def parse(cls, document: object) -> Anchor:
        """From parsed JSON. Raises FormatError."""
        plain = exact_fields(document, {"checkpoint", "path", "response"}, "timestamp")
        if not isinstance(plain["checkpoint"], str) or not isinstance(plain["path"], list):
            raise TimestampError("A timestamp has a text and a list of hashes.")
        if len(plain["path"]) > MOST_HASHES:
            raise TimestampError("A timestamp has at most 63 hashes.")
        path = tuple(decode_base64(_text(value), HASH_SIZE, "hash of the timestamp") for value in plain["path"])
        return cls(plain["checkpoint"], path, _base64(_text(plain["response"])))

    def verify(self, under: Checkpoint, trusted: Sequence[Certificate]) -> Stamp:
        """What it proves: `under`, which the caller has verified, continues a tree that stood at the stated time.

        Raises FormatError: of it LibraryMissing where signatures of timestamps cannot be checked here.
        """
        stamped = Checkpoint.parse(self.checkpoint)
        if stamped.origin != under.origin:
            raise TimestampError(f"It is of the log {stamped.origin}, not of {under.origin}.")
        verify_consistency(stamped.size, under.size, self.path, stamped.root, under.root)
        return timestamp.check(self.response, self.checkpoint, trusted)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TimestampError("A timestamp holds something else than text.")
    return value


def _base64(text: str) -> bytes:
    """Of any size, in its one spelling. Raises TimestampError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise TimestampError("The timestamp is not base64.") from error
    if base64.b64encode(raw).decode("ascii") != text:
        raise TimestampError("The timestamp's base64 has another spelling.")
    return raw
