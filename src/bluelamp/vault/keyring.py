"""The keyring: one data key a recording, wrapped by the root key, kept apart from the database.

Erasing a key is what deletes footage everywhere at once, backups of the store included; so a key, once
erased, never comes back, and its name is never used again.
"""

import json
import os
import secrets
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Invalid
from bluelamp.kernel.together import Together
from bluelamp.vault import root_key
from bluelamp.vault.disk import fsync_folder
from bluelamp.vault.errors import KeyErased, KeyExists, KeyringUnusable, KeyUnknown

DATA_KEY_SIZE = 32
_NONCE_SIZE = 12
_WRAPPED_SIZE = _NONCE_SIZE + DATA_KEY_SIZE + 16
_ROOT_CHECK = b"bluelamp root key check"
# A literal, so that the index of live keys is found for it.
_LIVE = f"wrapped <> x'{'00' * _WRAPPED_SIZE}'"
_LIVE_KEY = f"SELECT wrapped FROM data_key WHERE key_id = ? AND {_LIVE}"  # noqa: S608  constants
_LIVE_KEYS = f"SELECT count(*) FROM data_key WHERE {_LIVE}"  # noqa: S608  constants


class Keyring(ABC):
    """What every keyring does. Calls return only once their effect is durable."""

    @abstractmethod
    def create(self, key_id: str) -> bytes:
        """Make, keep and return a new random data key (32 bytes). Raises KeyExists, KeyErased."""

    def create_all(self, key_ids: Sequence[str]) -> list[bytes]:
        """`create` for each of them; faster where a keyring can make many durable at once."""
        return [self.create(key_id) for key_id in key_ids]

    @abstractmethod
    def get(self, key_id: str) -> bytes:
        """The data key. Raises KeyErased, KeyUnknown, and KeyringUnusable when its record is damaged."""

    @abstractmethod
    def erase(self, key_id: str, erased_at: datetime | None = None) -> None:
        """Destroy the key for good and keep the time of it (aware; now unless given).

        Erasing again changes nothing; erasing a name that never had a key bars that name.
        """

    def erase_all(self, key_ids: Sequence[str], erased_at: datetime | None = None) -> None:
        """`erase` for each of them; faster where a keyring can make many durable at once."""
        for key_id in key_ids:
            self.erase(key_id, erased_at)

    @abstractmethod
    def has(self, key_id: str) -> bool:
        """Whether a live key of that name is kept."""

    @abstractmethod
    def count(self) -> int:
        """Number of live keys."""

    @abstractmethod
    def erased_at(self, key_id: str) -> datetime | None:
        """When the key was erased (aware UTC); None if it was not."""

    def erasures(self, key_ids: Sequence[str]) -> dict[str, datetime]:
        """`erased_at` of each of them that was erased."""
        found = {key_id: self.erased_at(key_id) for key_id in key_ids}
        return {key_id: moment for key_id, moment in found.items() if moment is not None}

    @abstractmethod
    def keep_secret(self, name: str, secret: bytes) -> None:
        """Keep a secret that is no data key, such as a private key, wrapped by the root key. Raises KeyExists."""

    @abstractmethod
    def secret(self, name: str) -> bytes:
        """The secret kept under that name. Raises KeyUnknown, and KeyringUnusable when its record is damaged."""


class SqliteKeyring(Keyring):
    """A keyring in one SQLite file, with its root key in a file beside it; both mode 0600 in a 0700 folder.

    How erased keys leave the file: a record has a fixed size, is only ever appended, and is overwritten in
    place with zeros; rows are never deleted. So SQLite never moves a record to another page, and no stale
    copy of it can stay behind. `secure_delete` guards the rest, and the rollback journal, which briefly holds
    the old page, is truncated at commit. What a disk keeps of overwritten blocks is beyond any program.
    """

    def __init__(self, database: Path, root_key_file: Path | None = None) -> None:
        """Open, or create where there is none. Raises KeyringUnusable."""
        self._database = Path(database)
        self._root_key_file = Path(root_key_file or self._database.parent / "root.key")
        self._local = threading.local()
        self._creating = Together(self._create_each)
        root_key.make_private_folder(self._database.parent)
        root_key.make_private_folder(self._root_key_file.parent)
        self._prepare()
        self._root = AESGCM(root_key.load(self._root_key_file))
        self._check_root()

    def create(self, key_id: str) -> bytes:
        # Making a key durable waits for the disk several times over: docks that begin at once wait once together.
        return self._creating(key_id)

    def create_all(self, key_ids: Sequence[str]) -> list[bytes]:
        keys = [secrets.token_bytes(DATA_KEY_SIZE) for _ in key_ids]
        with self._transaction() as connection:
            for key_id, key in zip(key_ids, keys, strict=True):
                self._refuse_erased(key_id)
                wrapped = self._wrap(key, key_id.encode())
                try:
                    connection.execute("INSERT INTO data_key (key_id, wrapped) VALUES (?, ?)", (key_id, wrapped))
                except sqlite3.IntegrityError as error:
                    raise KeyExists(key_id) from error
        return keys

    def get(self, key_id: str) -> bytes:
        rows = self._query(_LIVE_KEY, (key_id,))
        if not rows:
            self._refuse_erased(key_id)
            raise KeyUnknown(key_id)
        try:
            return self._unwrap(rows[0][0], key_id.encode())
        except InvalidTag as error:
            raise KeyringUnusable(
                f"The record of the key {key_id} is damaged.",
                "The footage that it seals cannot be opened; other footage is not affected.",
                "Restore the keyring from its latest copy, then run: bluelamp doctor",
            ) from error

    def erase(self, key_id: str, erased_at: datetime | None = None) -> None:
        self.erase_all([key_id], erased_at)

    def erase_all(self, key_ids: Sequence[str], erased_at: datetime | None = None) -> None:
        moment = (erased_at or clock.now()).astimezone(UTC).isoformat()
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE data_key SET wrapped = zeroblob(?) WHERE key_id = ?",
                [(_WRAPPED_SIZE, key_id) for key_id in key_ids],
            )
            connection.executemany(
                "INSERT INTO erased_key (key_id, erased_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(key_id, moment) for key_id in key_ids],
            )

    def has(self, key_id: str) -> bool:
        return bool(self._query(_LIVE_KEY, (key_id,)))

    def count(self) -> int:
        return int(self._query(_LIVE_KEYS)[0][0])

    def erased_at(self, key_id: str) -> datetime | None:
        rows = self._query("SELECT erased_at FROM erased_key WHERE key_id = ?", (key_id,))
        return datetime.fromisoformat(rows[0][0]) if rows else None

    def erasures(self, key_ids: Sequence[str]) -> dict[str, datetime]:
        rows = self._query(
            "SELECT key_id, erased_at FROM erased_key WHERE key_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(key_ids)),),
        )
        return {key_id: datetime.fromisoformat(moment) for key_id, moment in rows}

    def keep_secret(self, name: str, secret: bytes) -> None:
        wrapped = self._wrap(secret, _of_secret(name))
        with self._transaction() as connection:
            try:
                connection.execute("INSERT INTO secret (name, wrapped) VALUES (?, ?)", (name, wrapped))
            except sqlite3.IntegrityError as error:
                raise KeyExists(name) from error

    def secret(self, name: str) -> bytes:
        rows = self._query("SELECT wrapped FROM secret WHERE name = ?", (name,))
        if not rows:
            raise KeyUnknown(name)
        try:
            return self._unwrap(rows[0][0], _of_secret(name))
        except InvalidTag as error:
            raise KeyringUnusable(
                f"The record of the secret {name} is damaged.",
                "What it opens cannot be opened; footage that is sealed already is not affected.",
                "Restore the keyring from its latest copy, then run: bluelamp doctor",
            ) from error

    def serialized(self) -> bytes:
        """The whole keyring at one moment, as the bytes of an SQLite file; its keys stay wrapped by the root key."""
        with self._trouble_said():
            return self._connection().serialize()

    def close(self) -> None:
        """Close this thread's connection."""
        opened = getattr(self._local, "opened", None)
        if opened and opened[0] == os.getpid():
            opened[1].close()
        self._local.opened = None

    def _create_each(self, key_ids: Sequence[str]) -> Sequence[bytes | Exception]:
        try:
            return self.create_all(key_ids)
        except BluelampError as error:
            if len(key_ids) == 1:
                return [error]
        # One of them was refused, and with it all: each by itself.
        return [answer for key_id in key_ids for answer in self._create_each([key_id])]

    def _refuse_erased(self, key_id: str) -> None:
        moment = self.erased_at(key_id)
        if moment:
            raise KeyErased(key_id, moment)

    def _wrap(self, key: bytes, name: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._root.encrypt(nonce, key, name)

    def _unwrap(self, wrapped: bytes, name: bytes) -> bytes:
        return self._root.decrypt(wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:], name)

    def _prepare(self) -> None:
        if not self._database.exists():
            # Only before the first record: a new root key beside an old keyring would hide a loss.
            root_key.create(self._root_key_file)
            os.close(os.open(self._database, os.O_WRONLY | os.O_CREAT, 0o600))
            fsync_folder(self._database.parent)
        with self._transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS data_key"
                " (number INTEGER PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL)"
            )
            # Records of erased keys stay for ever and soon are most of them: live ones are counted without them.
            connection.execute(f"CREATE INDEX IF NOT EXISTS live_key ON data_key (number) WHERE {_LIVE}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS erased_key (key_id TEXT PRIMARY KEY, erased_at TEXT NOT NULL) WITHOUT ROWID"
            )
            connection.execute("CREATE TABLE IF NOT EXISTS root_check (wrapped BLOB NOT NULL)")
            connection.execute("CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL)")

    def _check_root(self) -> None:
        """Tell at once, not at the first footage opened, when the root key belongs to another keyring."""
        with self._transaction() as connection:
            row = connection.execute("SELECT wrapped FROM root_check").fetchone()
            if row is None:
                connection.execute("INSERT INTO root_check VALUES (?)", (self._wrap(_ROOT_CHECK, _ROOT_CHECK),))
                return
        try:
            self._unwrap(row[0], _ROOT_CHECK)
        except InvalidTag as error:
            raise KeyringUnusable(
                f"The root key {self._root_key_file} does not belong to the keyring {self._database}.",
                "No footage can be opened with it; the stored bytes are untouched.",
                "Put the right root key back, or point BLUELAMP_KEYRING_URL at the right keyring.",
            ) from error

    def _query(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._trouble_said():
            return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._trouble_said():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _trouble_said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise KeyringUnusable(
                f"The keyring {self._database} does not answer: {error}.",
                "Footage cannot be opened or stored until it does; the stored bytes are untouched.",
                "Try again shortly. If it lasts, restore the keyring's latest copy and run: bluelamp doctor",
            ) from error

    def _connection(self) -> sqlite3.Connection:
        """This thread's own connection; a forked child opens a new one, as SQLite demands."""
        opened: tuple[int, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != os.getpid():
            opened = (os.getpid(), self._open())
            self._local.opened = opened
        return opened[1]

    def _open(self) -> sqlite3.Connection:
        root_key.require_private(self._database)
        # mode=rw: a keyring that vanished is an error, never an empty new one.
        uri = f"{self._database.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection


def _of_secret(name: str) -> bytes:
    # Apart from data keys: a record moved from one table to the other does not open.
    return b"secret:" + name.encode()


def get_keyring() -> Keyring:
    """This installation's keyring: BLUELAMP_KEYRING_URL, or `keyring/keyring.sqlite` in the data folder."""
    return _keyring(settings.BLUELAMP.keyring_url or None, settings.BLUELAMP.data)


@lru_cache(maxsize=4)
def _keyring(url: str | None, data: Path) -> Keyring:
    return SqliteKeyring(file_of(url, data))


def file_of(url: str | None, data: Path) -> Path:
    """The file of the keyring that BLUELAMP_KEYRING_URL names, or that is in the data folder. Raises Invalid."""
    if not url:
        return data / "keyring" / "keyring.sqlite"
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or parts.netloc or not parts.path.startswith("/"):
        raise Invalid(
            f"BLUELAMP_KEYRING_URL is {parts.scheme}:..., which is no keyring that this version knows.",
            "No footage was opened or changed.",
            "Give sqlite:///path/to/keyring.sqlite, or leave it empty for the one in the data folder.",
        )
    return Path(unquote(parts.path))
