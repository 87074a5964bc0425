"""End-to-end encryption: AES-256-CBC content under a key that RSA-OAEP wraps. Pure.

The wrapping is what `openssl rsautl -oaep` does: OAEP with SHA-1, MGF1 with SHA-1. CBC authenticates nothing, so what
is received is hashed before it is opened, and what comes out must end in a whole PKCS#7 padding and begin as a video
does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 16
_HEAD = 12
_EBML = bytes.fromhex("1a45dfa3")
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof")


class WillNotOpen(Exception):
    """The key, or what it was to open, is not right; the message says what."""


@dataclass(frozen=True)
class WrappedKey:
    """What a key object says."""

    encrypted_key: bytes
    iv: bytes
    public_key_id: str


@dataclass(frozen=True)
class ContentKey:
    """An AES-256 key and the initial vector."""

    key: bytes = field(repr=False)
    iv: bytes


def read_key(content: bytes) -> WrappedKey:
    """The key object's JSON. Raises WillNotOpen."""
    try:
        found = json.loads(content)
        wrapped, iv = (base64.b64decode(found[name], validate=True) for name in ("EncryptedKey", "ContentEncryptionIV"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WillNotOpen("The key object is not what the protocol says.") from error
    if len(iv) != BLOCK:
        raise WillNotOpen("The key object's initial vector has another length than AES has.")
    return WrappedKey(wrapped, iv, str(found.get("PublicKeyId") or found.get("KeyId") or "")[:128])


def unwrap(wrapped: WrappedKey, private_key: rsa.RSAPrivateKey) -> ContentKey:
    """The content key. Raises WillNotOpen."""
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303  the devices'
    try:
        key = private_key.decrypt(wrapped.encrypted_key, oaep)
    except ValueError as error:
        raise WillNotOpen("The content key was not wrapped for this installation's key.") from error
    if len(key) != 32:
        raise WillNotOpen("The content key has another length than AES-256 has.")
    return ContentKey(key, wrapped.iv)


def decrypt(pieces: Iterable[bytes | memoryview], key: ContentKey, *, video: bool) -> Iterator[bytes]:
    """The plaintext in pieces, in constant memory. Raises WillNotOpen, at the latest instead of the last piece.

    With `video` it must also begin as Matroska or MP4 does: one wrong key in 256 leaves a padding that looks right.
    """
    # CBC is the devices' choice; what protects the bytes is the hash taken on arrival and our own seal.
    decryptor = Cipher(AES(key.key), CBC(key.iv)).decryptor()
    total, held, begun = 0, b"", not video
    for piece in pieces:
        total += len(piece)
        plain = held + decryptor.update(piece)
        if not begun and len(plain) >= _HEAD:
            if not is_video(plain[:_HEAD]):
                raise WillNotOpen("What the key opens is no video: it is the wrong key.")
            begun = True
        held = plain[-BLOCK:]
        if begun and len(plain) > BLOCK:
            yield plain[:-BLOCK]
        else:
            held = plain
    if not total or total % BLOCK:
        raise WillNotOpen("The encrypted bytes are not whole AES blocks.")
    last = held + decryptor.finalize()
    count = last[-1]
    if not 1 <= count <= BLOCK or last[-count:] != bytes((count,)) * count:
        raise WillNotOpen("What the key opens does not end as it should: it is the wrong key, or bytes are missing.")
    if not begun:
        raise WillNotOpen("What the key opens is no video: it is the wrong key.")
    yield last[:-count]


def is_video(head: bytes) -> bool:
    """Whether a file that begins so is Matroska, WebM or MP4; what is encrypted looks like neither."""
    return head[:4] == _EBML or head[4:8] in _BOXES


def may_be_encrypted(head: bytes, size: int) -> bool:
    """Whether these can be the bytes of an encrypted clip."""
    return size > 0 and size % BLOCK == 0 and not is_video(head)
