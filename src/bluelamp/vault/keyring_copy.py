"""Copies of the keyring, each sealed to a key of its own that is destroyed within days: then the copy opens nothing.

    copy   = first line (JSON: format, copy's key, made_at, keyring's size) || line feed || sealed keyring
    sealed = the format of docs/protocols/sealed-object.md, under the copy's key, bound to the first line

The copies may go where backups go. Their keys lie in a folder elsewhere, which must never be backed up itself: what
keeps an old copy's key keeps what that copy opens. The root key is in neither. Nothing here can see a second copy of a
key that was destroyed; `bluelamp doctor` and the operator's guide say so.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bluelamp.formats import iso8601, sealed
from bluelamp.formats.errors import FormatError
from bluelamp.formats.sealed import SealBroken, SealingWriter, SegmentOpener
from bluelamp.kernel import clock, secretfile
from bluelamp.kernel.errors import Conflict, Invalid, NotFound
from bluelamp.vault import root_key
from bluelamp.vault.keyring import SqliteKeyring

FORMAT = "bluelamp-keyring-copy-1"
KEPT = timedelta(days=3)
"""How long a copy's key is kept unless somebody says otherwise."""

_SUFFIX = ".copy-key"
_MOST_HEADER = 4096


@dataclass(frozen=True)
class Copy:
    """A copy that was made: its file, the name of its key, and how many keys of older copies were destroyed."""

    path: Path
    key: str
    made_at: datetime
    destroyed: int


def make(keyring: SqliteKeyring, path: Path, keys: Path, *, kept: timedelta = KEPT) -> Copy:
    """Write a sealed copy to the new file `path`, its key into the folder `keys`, and destroy keys older than `kept`.

    The old keys go first, so that a full disk at the copy's end cannot keep them. Raises Conflict where `path` exists,
    or where the folder of keys is the keyring's own, KeyringUnusable where others can read it.
    """
    if path.exists():
        raise Conflict(f"{path} exists already.", "No copy was made.", "Give each copy a name of its own.")
    root_key.make_private_folder(keys)
    destroyed = destroy_old(keys, kept=kept)
    now = clock.real_now()
    name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    key = secrets.token_bytes(sealed.KEY_SIZE)
    content = keyring.serialized()
    header = json.dumps({"format": FORMAT, "key": name, "made_at": iso8601.to_text(now), "size": len(content)}).encode()
    secretfile.create(keys / f"{name}{_SUFFIX}", base64.b64encode(key) + b"\n")
    writer = SealingWriter(key, header)
    pieces = [header, b"\n", writer.header, *writer.update(content), writer.finish()]
    secretfile.create(path, b"".join(bytes(piece) for piece in pieces))
    return Copy(path, name, now, len(destroyed))


def older(keys: Path, *, kept: timedelta = KEPT) -> list[Path]:
    """The keys of copies made longer ago than `kept`, by the time in their names."""
    limit, found = clock.real_now() - kept, []
    for path in sorted(keys.glob(f"*{_SUFFIX}")):
        try:
            made = datetime.strptime(path.name[:16], "%Y%m%dT%H%M%S%z")
        except ValueError:
            continue  # not one of ours
        if made < limit:
            found.append(path)
    return found


def destroy_old(keys: Path, *, kept: timedelta = KEPT) -> list[str]:
    """Destroy the keys of copies made longer ago than `kept`; returns their names.

    A key is overwritten before its file goes; what a disk keeps of overwritten blocks is beyond any program.
    """
    gone = []
    for path in older(keys, kept=kept):
        with path.open("r+b") as file:
            file.write(b"\0" * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        gone.append(path.name.removesuffix(_SUFFIX))
    return gone


def content(path: Path, keys: Path) -> bytes:
    """The keyring in a copy, as the bytes of an SQLite file, its data keys still wrapped by the root key.

    Raises NotFound where the copy's key has been destroyed, Invalid for what is no copy or was changed.
    """
    with path.open("rb") as file:
        first = file.readline(_MOST_HEADER)
        body = file.read()
    header = _header(path, first)
    key_file = keys / f"{header['key']}{_SUFFIX}"
    try:
        key = base64.b64decode(key_file.read_bytes().strip(), validate=True)
    except FileNotFoundError as error:
        raise NotFound(
            f"The key of the copy {path}, made {header['made_at']}, is not in {keys}: it was destroyed.",
            "That copy opens nothing any more, as it is meant to be.",
            "Use the latest copy.",
        ) from error
    try:
        opener = SegmentOpener(key, body[: sealed.HEADER_SIZE], first.rstrip(b"\n"))
        count = sealed.segment_count(len(body))
        plain = []
        for number in range(count):
            start, length = sealed.segment_place(number, len(body))
            plain.append(opener.open(number, number == count - 1, body[start : start + length]))
    except (SealBroken, ValueError) as error:
        raise Invalid(f"The copy {path} was changed: {error}", "Nothing was restored.", "Use another copy.") from error
    return b"".join(plain)


def put_back(path: Path, keys: Path, target: Path) -> None:
    """Write the keyring in the copy `path` to the new file `target`. Raises as `content`; Conflict where it exists.

    The caller erases again what was deleted since the copy was made.
    """
    if target.exists():
        raise Conflict(
            f"There is a keyring at {target}.",
            "It was left as it is: a copy is never newer.",
            "Only a keyring that is lost is replaced. Move the damaged one away first.",
        )
    found = content(path, keys)
    root_key.make_private_folder(target.parent)
    secretfile.create(target, found)


def live_keys(serialized: bytes) -> set[str]:
    """The ids of the data keys that a copied keyring still has."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(serialized)
        rows = connection.execute("SELECT key_id FROM data_key WHERE key_id NOT IN (SELECT key_id FROM erased_key)")
        return {key_id for (key_id,) in rows}
    finally:
        connection.close()


def _header(path: Path, line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
        if header["format"] != FORMAT or "/" in header["key"] or not header["key"]:
            raise FormatError("it is of another format")
        return dict(header)
    except (ValueError, KeyError, TypeError, FormatError) as error:
        raise Invalid(f"{path} is no copy of a keyring: {error}", "Nothing was restored.", "Name a copy.") from error
