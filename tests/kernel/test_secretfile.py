from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.kernel import secretfile


def test_a_secret_is_its_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log.key"
    secretfile.create(path, b"secret")
    assert path.read_bytes() == b"secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["log.key"]


def test_a_secret_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    secretfile.create(path, b"first")
    secretfile.create(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["log.key"]


def test_threads_and_processes_that_start_at_once_agree_on_one_whole_secret(tmp_path: Path) -> None:
    path, start, seen = tmp_path / "log.key", threading.Barrier(16), []

    def begin(number: int) -> None:
        start.wait()
        secretfile.create(path, bytes([number]) * 100_000)
        seen.append(path.read_bytes())

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert len(set(seen)) == 1
    assert len(seen[0]) == 100_000


def test_file_and_folder_are_on_disk_before_a_secret_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    secretfile.create(tmp_path / "log.key", b"secret")
    assert synced == [False, True]


def test_two_threads_that_need_the_receipt_key_first_get_the_same(tmp_path: Path, settings: object) -> None:
    import dataclasses

    from bluelamp.custody import keys

    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, data=tmp_path)
    start, made = threading.Barrier(8), []

    def begin() -> None:
        start.wait()
        key: Ed25519PrivateKey = keys.receipt_key()
        made.append(keys.public_bytes(key))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
