"""Ed25519 keys as text: base64 of the 32 raw public bytes, the way manifests and receipts carry them."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats.errors import FormatError

PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64


def public_key_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public key (of a private one, its public half) as base64."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return base64.b64encode(public.public_bytes_raw()).decode("ascii")


def load_public_key(text: str) -> Ed25519PublicKey:
    """The key behind `public_key_text`. Raises FormatError when it is not base64 of 32 bytes."""
    raw = decode_base64(text, PUBLIC_KEY_SIZE, "public key")
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise FormatError("The public key is not an Ed25519 key.") from error


def signature_is_good(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (64 bytes) is the key's over `message`."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def decode_base64(text: str, size: int, what: str) -> bytes:
    """Strict standard base64 of exactly `size` bytes; one spelling only. Raises FormatError naming `what`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError, binascii.Error) as error:
        raise FormatError(f"The {what} is not valid base64.") from error
    # Unused trailing bits allow several spellings of the same bytes; only the canonical one is accepted.
    if len(raw) != size or base64.b64encode(raw).decode("ascii") != text:
        raise FormatError(f"The {what} must be base64 of exactly {size} bytes.")
    return raw
