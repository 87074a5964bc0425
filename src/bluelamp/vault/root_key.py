"""The root key: 32 bytes in a file of their own, which wrap every data key."""

import base64
import secrets
import stat
from pathlib import Path

from bluelamp.kernel import secretfile
from bluelamp.vault.disk import make_folder
from bluelamp.vault.errors import KeyringUnusable

ROOT_KEY_SIZE = 32


def make_private_folder(folder: Path) -> None:
    """Create `folder` (0700) where it is missing. Raises KeyringUnusable when others may enter it."""
    make_folder(folder)
    require_private(folder)


def require_private(path: Path) -> None:
    """Raises KeyringUnusable when anybody but the owner may read, write or enter `path`."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        kind, wanted = ("folder", "700") if path.is_dir() else ("file", "600")
        raise KeyringUnusable(
            f"The keyring's {kind} {path} is open to other users of this machine (mode {mode:04o}).",
            "No footage was opened or changed, but its keys may have been read.",
            f"Close it with: chmod {wanted} {path}; then find out who could read it.",
        )


def create(path: Path) -> None:
    """Write a new root key (mode 0600) unless the file exists already; two processes agree on one key."""
    secretfile.create(path, base64.b64encode(secrets.token_bytes(ROOT_KEY_SIZE)) + b"\n")


def load(path: Path) -> bytes:
    """The 32 bytes. Raises KeyringUnusable when the file is missing, exposed or not a root key."""
    try:
        require_private(path)
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except FileNotFoundError as error:
        raise KeyringUnusable(
            f"The root key {path} is missing.",
            "No footage can be opened without it; the stored bytes are untouched.",
            "Put the root key back from its safe copy. A new one would open nothing.",
        ) from error
    except ValueError as error:
        raise _not_a_key(path) from error
    if len(key) != ROOT_KEY_SIZE:
        raise _not_a_key(path)
    return key


def _not_a_key(path: Path) -> KeyringUnusable:
    return KeyringUnusable(
        f"The file {path} is not a root key.",
        "No footage can be opened without it; the stored bytes are untouched.",
        "Put the root key back from its safe copy.",
    )
