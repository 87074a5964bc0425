"""Secrets of one-time passwords and recovery codes are sealed before they reach the database.

AES-256-GCM under a key that HKDF-SHA256 derives from <data>/keys/second-factor.key: whoever has the database, or a
backup of it, alone cannot make anybody's codes.
"""

from __future__ import annotations

import base64
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from bluelamp.kernel import secretfile
from bluelamp.kernel.errors import BluelampError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_PREFIX = "v1:"


class SecondFactorUnreadable(BluelampError):
    """The key under which one-time password secrets were sealed is not the one in the data folder."""

    title = "One-time passwords cannot be checked"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "The key in keys/second-factor.key does not open the secrets in the database.",
            "No footage is affected, but nobody can sign in with a code.",
            "Restore keys/second-factor.key from the backup of the data folder that belongs to this database.",
        )


def seal(text: str) -> str:
    """Encrypt a secret; another call gives another text."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_key()).encrypt(nonce, text.encode(), None)
    return _PREFIX + base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str) -> str:
    """Decrypt what `seal` gave. Raises SecondFactorUnreadable for anything else."""
    if not sealed.startswith(_PREFIX):
        raise SecondFactorUnreadable
    raw = base64.b64decode(sealed.removeprefix(_PREFIX))
    try:
        return AESGCM(_key()).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
    except (InvalidTag, ValueError) as error:
        raise SecondFactorUnreadable from error


def _key() -> bytes:
    return _derive(settings.BLUELAMP.keys / "second-factor.key")


@lru_cache(maxsize=4)
def _derive(path: Path) -> bytes:
    if not path.exists():
        secretfile.create(path, secrets.token_bytes(_KEY_BYTES))
    secret = path.read_bytes()
    if len(secret) != _KEY_BYTES:
        raise SecondFactorUnreadable
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=b"bluelamp second factor v1").derive(secret)
