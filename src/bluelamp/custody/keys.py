"""Signing keys of this installation: Ed25519, in files of mode 0600 below <data>/keys.

The log's key can be rotated. Former public keys stay listed in the database (`CustodyLogKey`), with the size of the
first checkpoint that each signed, so that what was handed out under them verifies for ever; the checkpoint at which a
new key takes over is signed by both, so that whoever trusts the old one can trust the new.
"""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from bluelamp.custody.models import CustodyLogKey, CustodyOrigin
from bluelamp.formats import signed_note
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.kernel import clock, secretfile

_LOG, _FORMER = "log", "log-former"


def log_key() -> Ed25519PrivateKey:
    """The key that signs checkpoints of the custody log."""
    return _key(_LOG)


def receipt_key() -> Ed25519PrivateKey:
    """The key that signs receipts to docks, and deletion certificates."""
    return _key("receipt")


def log_origin() -> str:
    """The installation's name: of its keys, and of its log until the database is restored from a backup."""
    try:
        instance = json.loads((settings.BLUELAMP.data / "instance.json").read_text())["instance"]
    except (OSError, KeyError, ValueError):
        instance = "unnamed"
    return f"bluelamp/{instance}"


def present_origin() -> str:
    """The log's name in its checkpoints from now on (C2SP tlog-checkpoint "origin").

    A restored log is shorter than what was shown of it, so it goes on under a name of its own (`custody.restoring`).
    """
    taken_on = CustodyOrigin.objects.order_by("since_size", "since").values_list("origin", flat=True).last()
    return taken_on or log_origin()


def own_vkey() -> str:
    """The present log key as others need it (C2SP vkey)."""
    return signed_note.verifier_key(present_origin(), log_key())


def log_vkeys() -> list[str]:
    """All keys that sign or signed checkpoints (C2SP vkeys), the present one last."""
    listed = list(CustodyLogKey.objects.order_by("since_size", "since").values_list("vkey", flat=True))
    present = own_vkey()
    return [vkey for vkey in listed if vkey != present] + [present]


def sign_checkpoint(checkpoint: Checkpoint) -> str:
    """The signed note of a checkpoint, in the sequencer's transaction; the first one of a key enters it in the list."""
    present = log_key()
    note = signed_note.sign_note(checkpoint.text(), checkpoint.origin, present)
    vkey = signed_note.verifier_key(checkpoint.origin, present)
    _, is_new = CustodyLogKey.objects.get_or_create(
        vkey=vkey, defaults={"since_size": checkpoint.size, "since": clock.now()}
    )
    if is_new and _path(_FORMER).exists():
        former = signed_note.sign_note(checkpoint.text(), checkpoint.origin, _key(_FORMER))
        note += former.rpartition("\n\n")[2]
    if checkpoint.origin != log_origin():
        # Whoever knows the log by its first name is told by somebody trusted that this is another one.
        note += signed_note.sign_note(checkpoint.text(), log_origin(), present).rpartition("\n\n")[2]
    return note


def rotate_log_key() -> tuple[str, str]:
    """Make a new log key; the old one stays beside it until the next rotation, to sign the handover. Returns the vkeys.

    The caller records it in the ledger, whose next checkpoint both keys sign.
    """
    old, path, fresh = own_vkey(), _path(_LOG), _path("log-next")
    fresh.unlink(missing_ok=True)
    secretfile.create(fresh, _new_key())
    former = _path("log-former-next")
    former.unlink(missing_ok=True)
    secretfile.create(former, path.read_bytes())
    # Each step leaves a key to sign with, whatever is interrupted.
    former.replace(_path(_FORMER))
    fresh.replace(path)
    return old, own_vkey()


def public_bytes(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The raw 32 bytes of a public key."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _path(name: str) -> Path:
    path: Path = settings.BLUELAMP.keys / f"{name}.key"
    return path


def _key(name: str) -> Ed25519PrivateKey:
    path = _path(name)
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
