"""Copies of the keyring: they open while their key is there, and nothing at all afterwards."""

from __future__ import annotations

import json
import secrets
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotFound
from bluelamp.vault import keyring_copy
from bluelamp.vault.errors import KeyErased, KeyringUnusable
from bluelamp.vault.keyring import SqliteKeyring


@pytest.fixture
def keyring(tmp_path: Path) -> SqliteKeyring:
    return SqliteKeyring(tmp_path / "keyring" / "keyring.sqlite")


def aged(folder: Path, days: float) -> None:
    """The keys in the folder become that old."""
    for path in folder.glob("*.copy-key"):
        old = clock.real_now() - timedelta(days=days)
        path.rename(path.with_name(f"{old:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.copy-key"))


def test_a_copy_put_back_with_the_root_key_opens_what_was_opened(keyring: SqliteKeyring, tmp_path: Path) -> None:
    # More than one segment of the sealed format.
    keys = dict(zip(names := [f"key-{number}" for number in range(12_000)], keyring.create_all(names), strict=True))
    keyring.erase("key-7", clock.real_now())
    keyring.keep_secret("private", b"s" * 32)
    made = keyring_copy.make(keyring, tmp_path / "copy", tmp_path / "keys")
    assert made.path.stat().st_size > 1024 * 1024
    target = tmp_path / "new" / "keyring.sqlite"
    keyring_copy.put_back(made.path, tmp_path / "keys", target)
    (tmp_path / "new" / "root.key").write_bytes((tmp_path / "keyring" / "root.key").read_bytes())
    (tmp_path / "new" / "root.key").chmod(0o600)
    back = SqliteKeyring(target)
    assert back.get("key-11999") == keys["key-11999"]
    assert back.secret("private") == b"s" * 32
    with pytest.raises(KeyErased):
        back.get("key-7")


def test_without_the_root_key_a_copy_opens_nothing(keyring: SqliteKeyring, tmp_path: Path) -> None:
    key = keyring.create("a")
    made = keyring_copy.make(keyring, tmp_path / "copy", tmp_path / "keys")
    assert key not in keyring_copy.content(made.path, tmp_path / "keys")
    keyring_copy.put_back(made.path, tmp_path / "keys", tmp_path / "new" / "keyring.sqlite")
    with pytest.raises(KeyringUnusable):
        SqliteKeyring(tmp_path / "new" / "keyring.sqlite")


def test_what_was_erased_is_in_no_later_copy(keyring: SqliteKeyring, tmp_path: Path) -> None:
    keyring.create_all(["a", "b"])
    keyring.erase("a", clock.real_now())
    made = keyring_copy.make(keyring, tmp_path / "copy", tmp_path / "keys")
    assert keyring_copy.live_keys(keyring_copy.content(made.path, tmp_path / "keys")) == {"b"}


def test_the_next_copy_destroys_the_keys_of_old_ones_and_no_younger(keyring: SqliteKeyring, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    first = keyring_copy.make(keyring, tmp_path / "1", keys)
    aged(keys, 2.9)
    assert keyring_copy.make(keyring, tmp_path / "2", keys).destroyed == 0
    aged(keys, 3.1)
    assert keyring_copy.make(keyring, tmp_path / "3", keys).destroyed == 2
    with pytest.raises(NotFound, match="it was destroyed"):
        keyring_copy.content(first.path, keys)
    assert len(list(keys.iterdir())) == 1


def test_the_bytes_of_a_destroyed_key_are_overwritten_before_its_file_goes(
    keyring: SqliteKeyring, tmp_path: Path
) -> None:
    keyring_copy.make(keyring, tmp_path / "1", tmp_path / "keys")
    aged(tmp_path / "keys", 5)
    (key,) = (tmp_path / "keys").iterdir()
    other_name = tmp_path / "linked"
    other_name.hardlink_to(key)
    keyring_copy.destroy_old(tmp_path / "keys")
    assert set(other_name.read_bytes()) == {0}


def test_files_that_are_no_copy_keys_are_left_alone(keyring: SqliteKeyring, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    for name in ("notes.txt", "old.copy-key", "20200101T000000Z.txt"):
        (tmp_path / "keys" / name).write_text("x")
    assert keyring_copy.make(keyring, tmp_path / "1", tmp_path / "keys").destroyed == 0


@pytest.mark.parametrize("harm", ["a bit", "cut", "header", "of another", "no copy", "path"])
def test_a_copy_that_was_changed_is_refused(keyring: SqliteKeyring, tmp_path: Path, harm: str) -> None:
    keys = tmp_path / "keys"
    made = keyring_copy.make(keyring, tmp_path / "1", keys)
    content = bytearray(made.path.read_bytes())
    if harm == "a bit":
        content[-1] ^= 1
    elif harm == "cut":
        content = content[:-1]
    elif harm == "header":
        content = bytearray(content.replace(b'"size"', b'"sizf"', 1))
    elif harm == "of another":
        other = keyring_copy.make(keyring, tmp_path / "2", keys).path.read_bytes()
        content = content[: content.index(b"\n") + 1] + other[other.index(b"\n") + 1 :]
    elif harm == "no copy":
        content = bytearray(b"PK\x03\x04")
    else:
        header = json.loads(content[: content.index(b"\n")]) | {"key": "../../etc/passwd"}
        content = bytearray(json.dumps(header).encode()) + content[content.index(b"\n") :]
    made.path.write_bytes(content)
    with pytest.raises(Invalid):
        keyring_copy.content(made.path, keys)


def test_no_copy_takes_the_place_of_a_file_or_of_a_keyring(keyring: SqliteKeyring, tmp_path: Path) -> None:
    made = keyring_copy.make(keyring, tmp_path / "1", tmp_path / "keys")
    with pytest.raises(Conflict):
        keyring_copy.make(keyring, tmp_path / "1", tmp_path / "keys")
    with pytest.raises(Conflict):
        keyring_copy.put_back(made.path, tmp_path / "keys", tmp_path / "keyring" / "keyring.sqlite")


def test_copy_and_key_are_closed_to_others_and_an_open_folder_of_keys_is_refused(
    keyring: SqliteKeyring, tmp_path: Path
) -> None:
    made = keyring_copy.make(keyring, tmp_path / "1", tmp_path / "keys")
    (key,) = (tmp_path / "keys").iterdir()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made.path, key)} == {0o600}
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(KeyringUnusable):
        keyring_copy.make(keyring, tmp_path / "2", tmp_path / "keys")
