"""Many small objects put together: whole, durable before they are named, and their names durable at the end."""

import os
from pathlib import Path

import pytest

from bluelamp.kernel.errors import StorageFull
from bluelamp.vault.errors import NameRefused
from bluelamp.vault.stores import LocalStore

MANY = {f"recordings/{number:04}/original": b"content %d" % number for number in range(30)}


@pytest.fixture
def local(tmp_path):
    return LocalStore(tmp_path / "store")


def _given(objects):
    return [(name, [content[:3], memoryview(content)[3:]]) for name, content in objects.items()]


def test_each_comes_back_whole(store):
    store.put_all(_given(MANY))
    assert {name: store.get_range(name, 0, 100) for name in store.list()} == MANY


def test_none_of_none_is_nothing(store):
    store.put_all([])
    assert list(store.list()) == []


def test_what_was_there_is_replaced_whole(store):
    store.put_all(_given(MANY))
    again = {"recordings/0007/original": b"other", "recordings/0007/poster-1": b"beside it", "plain": b"in no folder"}
    store.put_all(_given(again))
    assert {name: store.get_range(name, 0, 100) for name in store.list()} == MANY | again


def test_a_name_that_leads_out_is_refused(store):
    with pytest.raises(NameRefused):
        store.put_all(_given({**MANY, "../outside": b"x"}))


def test_no_object_is_named_before_its_bytes_are_durable_nor_acknowledged_before_its_name_is(
    local, tmp_path, monkeypatch
):
    synced, missed = set(), []
    fsync, rename = os.fsync, Path.rename

    def remember(descriptor):
        fsync(descriptor)
        synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))

    def look_first(path, target):
        if str(path) not in synced:
            missed.append(path)
        synced.discard(str(target.parent))  # a name that came after its folder's sync is not durable
        synced.discard(str(target.parent.parent))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", remember)
    monkeypatch.setattr(Path, "rename", look_first)
    local.put_all(_given(MANY))
    assert missed == []
    root = tmp_path / "store"
    assert {str(root / name) for name in ("recordings", *(Path(name).parent for name in MANY))} <= synced


def test_a_disk_that_fills_up_in_the_midst_leaves_nothing_half(local, tmp_path):
    def full():
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")
        yield b"x"

    objects = [*_given(MANY), ("recordings/last/original", full())]
    with pytest.raises(StorageFull, match="sender keeps its copy"):
        local.put_all(objects)
    assert list(local.list()) == []
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
