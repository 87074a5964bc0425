"""Signed notes (C2SP signed-note): a text with Ed25519 signatures below it, as Go's checksum database uses.

    <text, each line ended by a newline>
    <empty line>
    — <key name> <base64 of key hash (4 bytes) || signature (64 bytes)>

The key hash is the start of SHA-256(name || 0A || 01 || public key); a verifier key (vkey) is written
`name+keyhash in hex+base64(01 || public key)`. Signatures by keys that a reader does not know are ignored.
"""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats.ed25519 import decode_base64, signature_is_good
from bluelamp.formats.errors import FormatError

ED25519 = b"\x01"
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100


class NoteError(FormatError):
    """A note, its signature or a verifier key is not what it should be."""


@dataclass(frozen=True)
class VerifierKey:
    """A named public key as a vkey string carries it."""

    name: str
    key: Ed25519PublicKey

    @property
    def key_hash(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return key_hash(self.name, self.key)

    def __str__(self) -> str:
        raw = base64.b64encode(ED25519 + self.key.public_bytes_raw()).decode("ascii")
        return f"{self.name}+{self.key_hash.hex()}+{raw}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """From a vkey string. Raises NoteError when it is malformed or its hash is not its key's."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise NoteError("A verifier key is written name+hash+key.")
        name, hash_hex, encoded = parts
        check_name(name)
        try:
            raw = decode_base64(encoded, 33, "verifier key")
        except FormatError as error:
            raise NoteError(str(error)) from error
        if raw[:1] != ED25519:
            raise NoteError("The verifier key is of a kind other than Ed25519.")
        verifier = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        if verifier.key_hash.hex() != hash_hex:
            raise NoteError("The verifier key's hash does not belong to its name and key.")
        return verifier


def key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    """SHA-256(name || 0A || 01 || public key), its first 4 bytes."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:4]


def verifier_key(name: str, key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The vkey string that others need in order to verify notes signed with `key` under `name`."""
    check_name(name)
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return str(VerifierKey(name, public))


def sign_note(text: str, name: str, private_key: Ed25519PrivateKey) -> str:
    """The signed note of `text`, which must end in a newline. Raises NoteError on a bad text or name."""
    check_name(name)
    message = _check_text(text)
    blob = key_hash(name, private_key.public_key()) + private_key.sign(message)
    return f"{text}\n— {name} {base64.b64encode(blob).decode('ascii')}\n"


def verify_note(note: str, verifier: str | VerifierKey) -> str:
    """The text of a note that carries a good signature by `verifier` (a vkey string or a parsed one).

    Other keys' signatures are ignored. Raises NoteError when the note is malformed, when there is no
    signature by the verifier, or when there is one that is wrong.
    """
    known = VerifierKey.parse(verifier) if isinstance(verifier, str) else verifier
    text, signatures = split_note(note)
    message = _check_text(text)
    for name, blob in signatures:
        # A key is found by name and hash together; the first line of a key counts (as in Go's note package).
        if name == known.name and blob[:4] == known.key_hash:
            if not signature_is_good(known.key, blob[4:], message):
                raise NoteError(f"The signature by {known.name} does not fit the note: its text was changed.")
            return text
    raise NoteError(f"The note carries no signature by {known.name}.")


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and its signature lines, unverified: (key name, key hash || signature) each. Raises NoteError."""
    if len(note) > MAX_NOTE_BYTES:
        raise NoteError(f"The note is larger than {MAX_NOTE_BYTES} bytes.")
    # The signatures follow the last empty line: a text may hold empty lines of its own.
    body, separator, block = note.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise NoteError("The note has no signatures below an empty line.")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"The note carries more than {MAX_SIGNATURES} signatures.")
    return body + "\n", [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—":
        raise NoteError("A signature line does not begin with an em dash.")
    check_name(name)
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise NoteError("A signature line is not valid base64.") from error
    if len(blob) < 5:
        raise NoteError("A signature line is too short to hold a signature.")
    return name, blob


def check_name(name: str) -> None:
    """Raises NoteError for a text that cannot name a key."""
    if not name or "+" in name or any(char.isspace() or not char.isprintable() for char in name):
        raise NoteError("A key name must be printable text without spaces and plus signs.")


def _check_text(text: str) -> bytes:
    if not text.endswith("\n"):
        raise NoteError("The text of a note must end in a newline.")
    if any(ord(char) < 0x20 and char != "\n" for char in text):
        raise NoteError("The text of a note must not hold control characters.")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NoteError("The text of a note is not valid Unicode.") from error
