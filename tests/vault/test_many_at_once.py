"""Many small objects put together: whole, durable before they are named, and their names durable at the end.

And many deleted together: durably gone, their empty folders with them.
"""

import os
from pathlib import Path

import pytest

from bluelamp.kernel.errors import StorageFull
from bluelamp.vault.errors import NameRefused, ObjectMissing
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


def test_many_are_deleted_and_the_others_stay(store):
    store.put_all(_given(MANY))
    gone = [name for name in MANY if name < "recordings/0020"]
    store.delete_all([*gone, "recordings/0007/never-there", "nowhere/original"])
    assert {name: store.get_range(name, 0, 100) for name in store.list()} == {
        name: content for name, content in MANY.items() if name not in gone
    }
    store.delete_all([])
    with pytest.raises(NameRefused):
        store.delete_all(["../outside"])


def test_folders_left_empty_go_and_what_is_left_of_the_others_is_durable(local, tmp_path, monkeypatch):
    beside = {name.replace("original", "poster-1"): b"beside it" for name in list(MANY)[:3]}
    local.put_all(_given({**MANY, **beside}))
    synced = []
    fsync = os.fsync

    def remember(descriptor):
        fsync(descriptor)
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).relative_to(tmp_path / "store").as_posix())

    monkeypatch.setattr(os, "fsync", remember)
    local.delete_all(list(MANY))
    # Three folders are not empty; the names of all the others went from the folder above them.
    assert sorted(synced) == ["recordings", "recordings/0000", "recordings/0001", "recordings/0002"]
    assert sorted(path.name for path in (tmp_path / "store" / "recordings").iterdir()) == ["0000", "0001", "0002"]
    local.delete_all(list(beside))
    assert list((tmp_path / "store").iterdir()) == []


def test_a_store_asked_over_a_network_answers_about_each_in_order(store):
    store.put_all(_given(MANY))
    assert store.each(store.size, MANY) == [len(content) for content in MANY.values()]
    with pytest.raises(ObjectMissing):
        store.each(store.size, [*MANY, "recordings/0099/original"])
