"""Receipts: the server's signed word that a recording is hashed, sealed, durable and in the ledger.

Only after verifying one may a dock let the camera erase its copy. See docs/protocols/receipt.md.
"""

import base64
from dataclasses import dataclass, fields
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats import canonical
from bluelamp.formats import fields as check
from bluelamp.formats.ed25519 import SIGNATURE_SIZE, decode_base64, load_public_key, signature_is_good
from bluelamp.formats.errors import FormatError
from bluelamp.formats.strictjson import exact_fields

FORMAT = "bluelamp-receipt-1"


class ReceiptError(FormatError):
    """A receipt is malformed or not signed by the expected key: the camera's copy must be kept."""


@dataclass(frozen=True)
class Receipt:
    """What the server acknowledges. Raises ReceiptError when a value is outside the format."""

    recording_id: str  # UUID
    serial: str
    sequence: int
    sha256: str  # of the original file, hexadecimal
    size: int  # bytes
    leaf_entry: str  # the custody event's 32-byte leaf entry, hexadecimal
    received_at: str  # ISO 8601 UTC with Z, the server's time
    max_merge_delay_seconds: int  # the leaf stands in a signed checkpoint at most this much later

    def __post_init__(self) -> None:
        try:
            check.identifier(self.recording_id, "recording's identifier")
            check.serial(self.serial)
            check.integer(self.sequence, "sequence", 1)
            check.digest(self.sha256, "file's hash")
            check.integer(self.size, "size")
            check.digest(self.leaf_entry, "leaf entry")
            check.moment(self.received_at, "time of receipt")
            check.integer(self.max_merge_delay_seconds, "longest delay", 0, 366 * 86_400)
        except FormatError as error:
            raise ReceiptError(str(error)) from error


FIELD_NAMES = frozenset(field.name for field in fields(Receipt))


def sign_receipt(receipt: Receipt, key: Ed25519PrivateKey, key_name: str) -> dict[str, Any]:
    """The receipt as plain JSON values: its fields, "format", "key" (the name), "signature" (base64)."""
    signature = base64.b64encode(key.sign(_signed_bytes(receipt, key_name))).decode("ascii")
    return {"format": FORMAT, "key": key_name, **_plain(receipt), "signature": signature}


def verify_receipt(document: object, public_key: Ed25519PublicKey | str) -> Receipt:
    """The receipt, once its signature by `public_key` (a key, or base64 of one) is found good.

    `document` is the parsed JSON object. Raises ReceiptError and nothing else. The caller still compares
    serial, sequence, hash and size with its own file.
    """
    try:
        plain = dict(exact_fields(document, FIELD_NAMES | {"format", "key", "signature"}, "receipt"))
        key = load_public_key(public_key) if isinstance(public_key, str) else public_key
        if plain.pop("format") != FORMAT:
            raise ReceiptError(f"The receipt's format must be {FORMAT}.")
        key_name = plain.pop("key")
        signature = decode_base64(plain.pop("signature"), SIGNATURE_SIZE, "signature")
        receipt = Receipt(**plain)
        good = signature_is_good(key, signature, _signed_bytes(receipt, key_name))
    except ReceiptError:
        raise
    except FormatError as error:
        raise ReceiptError(str(error)) from error
    if not good:
        raise ReceiptError("The receipt's signature is not the server's. Keep the recording on the camera.")
    return receipt


def _plain(receipt: Receipt) -> dict[str, Any]:
    return {field.name: getattr(receipt, field.name) for field in fields(Receipt)}


def _signed_bytes(receipt: Receipt, key_name: str) -> bytes:
    try:
        check.text(key_name, "key's name", 200)
    except FormatError as error:
        raise ReceiptError(str(error)) from error
    return canonical.encode({"format": FORMAT, "key": key_name, **_plain(receipt)})
