"""Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519): "at this time, this was the largest tree I had seen".

A cosignature is a line of a signed note, `— <witness> base64(key hash (4 bytes) || time (8 bytes) || signature)`, over

    cosignature/v1
    time <seconds since 1970>
    <the checkpoint's text>

The key hash is the start of SHA-256(name || 0A || 04 || public key).
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats.ed25519 import SIGNATURE_SIZE, decode_base64, signature_is_good
from bluelamp.formats.errors import FormatError
from bluelamp.formats.signed_note import NoteError, check_name, split_note

COSIGNATURE = b"\x04"


class CosignatureError(FormatError):
    """A cosignature or a witness's key is malformed, or the signature is not the witness's."""


@dataclass(frozen=True)
class WitnessKey:
    """A witness's name and public key; written as a vkey of type 04."""

    name: str
    key: Ed25519PublicKey

    @property
    def key_hash(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        raw = self.name.encode() + b"\n" + COSIGNATURE + self.key.public_bytes_raw()
        return hashlib.sha256(raw).digest()[:4]

    def __str__(self) -> str:
        raw = base64.b64encode(COSIGNATURE + self.key.public_bytes_raw()).decode("ascii")
        return f"{self.name}+{self.key_hash.hex()}+{raw}"

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """From a vkey string. Raises CosignatureError."""
        name, _, rest = text.strip().partition("+")
        hash_hex, _, encoded = rest.partition("+")
        try:
            check_name(name)
            raw = decode_base64(encoded, 33, "witness's key")
        except FormatError as error:
            raise CosignatureError(str(error)) from error
        if raw[:1] != COSIGNATURE:
            raise CosignatureError("The key is not that of a witness (its type is not 04).")
        witness = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        if witness.key_hash.hex() != hash_hex:
            raise CosignatureError("The witness key's hash does not belong to its name and key.")
        return witness


@dataclass(frozen=True)
class Cosignature:
    """Who cosigned, and when (seconds since 1970, the witness's clock)."""

    witness: str
    time: int


def cosign(text: str, name: str, key: Ed25519PrivateKey, time: int) -> str:
    """The signature line, with its newline, over a checkpoint's text. Raises NoteError for a bad name."""
    check_name(name)
    signature = key.sign(_message(text, time))
    blob = WitnessKey(name, key.public_key()).key_hash + time.to_bytes(8, "big") + signature
    return f"— {name} {base64.b64encode(blob).decode('ascii')}\n"


def cosignatures(note: str, witnesses: Iterable[WitnessKey]) -> list[Cosignature]:
    """Those of the known witnesses that cosigned the note; each at most once, in the order of `witnesses`.

    Raises CosignatureError where a line claims a known witness's key and does not verify, and NoteError for a text
    that is no note. Lines of others are ignored.
    """
    text, lines = split_note(note)
    found = []
    for witness in witnesses:
        for name, blob in lines:
            if name == witness.name and blob[:4] == witness.key_hash:
                found.append(Cosignature(name, _verified(text, witness, blob[4:])))
                break
    return found


def _verified(text: str, witness: WitnessKey, blob: bytes) -> int:
    time = int.from_bytes(blob[:8], "big")
    if (
        len(blob) != 8 + SIGNATURE_SIZE
        or time >= 2**63
        or not signature_is_good(witness.key, blob[8:], _message(text, time))
    ):
        raise CosignatureError(f"The cosignature by {witness.name} does not fit the checkpoint.")
    return time


def _message(text: str, time: int) -> bytes:
    if not text.endswith("\n"):
        raise NoteError("The text of a note must end in a newline.")
    return f"cosignature/v1\ntime {time}\n{text}".encode()
