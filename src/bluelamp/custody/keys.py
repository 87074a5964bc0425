"""Signing keys of this installation: Ed25519, in files of mode 0600 below <data>/keys."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from bluelamp.kernel import secretfile


def log_key() -> Ed25519PrivateKey:
    """The key that signs checkpoints of the custody log."""
    return _key("log")


def receipt_key() -> Ed25519PrivateKey:
    """The key that signs receipts to docks, and deletion certificates."""
    return _key("receipt")


def log_origin() -> str:
    """The log's name in its checkpoints (C2SP tlog-checkpoint "origin"): stable for the life of an installation."""
    try:
        instance = json.loads((settings.BLUELAMP.data / "instance.json").read_text())["instance"]
    except (OSError, KeyError, ValueError):
        instance = "unnamed"
    return f"bluelamp/{instance}"


def public_bytes(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The raw 32 bytes of a public key."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _key(name: str) -> Ed25519PrivateKey:
    path: Path = settings.BLUELAMP.keys / f"{name}.key"
    if not path.exists():
        secretfile.create(path, _new_key())
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} does not hold an Ed25519 key")
    return key


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
