"""The contract of every store, then what holds for plain files alone."""

import contextlib
import errno
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from bluelamp.kernel.errors import Invalid, StorageFull
from bluelamp.vault.errors import NameRefused, ObjectMissing, StoreRefused, StoreUnavailable
from bluelamp.vault.stores import LocalStore, ObjectStore, _store

NAME = "recordings/0190a6c0-0000-7000-8000-000000000000/original"
MANY = 9 * 1024 * 1024 + 17  # more than one part of a multipart put


@pytest.fixture
def local(tmp_path):
    return LocalStore(tmp_path / "store")


def _files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_was_put_comes_back_whole_and_in_ranges(store):
    content = os.urandom(MANY)
    store.put_stream(NAME, (content[at : at + 1_000_003] for at in range(0, MANY, 1_000_003)))
    assert store.size(NAME) == MANY
    assert store.get_range(NAME, 0, MANY) == content
    assert store.get_range(NAME, 5_000_000, 100) == content[5_000_000:5_000_100]


def test_pieces_may_be_any_kind_of_bytes(store):
    store.put_stream(NAME, [b"one", bytearray(b"two"), memoryview(b"three")])
    assert store.get_range(NAME, 0, 100) == b"onetwothree"


def test_an_empty_object_exists(store):
    store.put_stream(NAME, [])
    assert store.exists(NAME)
    assert store.size(NAME) == 0
    assert store.get_range(NAME, 0, 10) == b""


def test_a_range_past_the_end_is_short_or_empty(store):
    store.put_stream(NAME, [b"12345"])
    assert store.get_range(NAME, 3, 100) == b"45"
    assert store.get_range(NAME, 5, 1) == b""
    assert store.get_range(NAME, 500, 1) == b""
    assert store.get_range(NAME, 2, 0) == b""


def test_a_negative_range_is_a_mistake(store):
    with pytest.raises(ValueError, match="negative"):
        store.get_range(NAME, -1, 5)
    with pytest.raises(ValueError, match="negative"):
        store.get_range(NAME, 0, -1)


def test_what_is_not_there_is_said_to_be_missing(store):
    assert not store.exists(NAME)
    with pytest.raises(ObjectMissing, match="holds no object"):
        store.size(NAME)
    with pytest.raises(ObjectMissing, match="tell the operator"):
        store.get_range(NAME, 0, 1)


def test_a_folder_is_not_an_object(store):
    store.put_stream(NAME, [b"x"])
    assert not store.exists("recordings")
    with pytest.raises(ObjectMissing):
        store.size("recordings")
    with pytest.raises(ObjectMissing):
        store.get_range("recordings", 0, 1)


def test_there_is_nothing_below_an_object(local):
    local.put_stream(NAME, [b"x"])
    local.delete(NAME + "/below")
    assert local.exists(NAME)
    with pytest.raises(ObjectMissing):
        local.size(NAME + "/below")


def test_a_second_put_replaces_the_first_whole(store):
    store.put_stream(NAME, [b"the first and longer one"])
    store.put_stream(NAME, [b"second"])
    assert store.get_range(NAME, 0, 100) == b"second"
    assert store.size(NAME) == 6


def test_a_put_whose_source_fails_leaves_nothing(store):
    def failing():
        yield bytes(MANY)
        raise RuntimeError("the dock went away")

    with pytest.raises(RuntimeError, match="went away"):
        store.put_stream(NAME, failing())
    assert not store.exists(NAME)
    assert list(store.list()) == []


def test_a_failed_put_leaves_what_was_there_before(store):
    def failing():
        yield b"new"
        raise RuntimeError("the dock went away")

    store.put_stream(NAME, [b"old"])
    with pytest.raises(RuntimeError):
        store.put_stream(NAME, failing())
    assert store.get_range(NAME, 0, 10) == b"old"


def test_a_file_is_put_and_stays(store, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(MANY))
    store.put_file(NAME, source)
    assert store.size(NAME) == MANY
    assert source.exists()


def test_a_moved_file_is_put_and_gone(store, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"sealed")
    store.put_file(NAME, source, move=True)
    assert store.get_range(NAME, 0, 10) == b"sealed"
    assert not source.exists()


def test_deleting_twice_is_no_error(store):
    store.put_stream(NAME, [b"x"])
    store.delete(NAME)
    store.delete(NAME)
    assert not store.exists(NAME)
    assert list(store.list()) == []


def test_a_listing_keeps_to_whole_parts_of_names(store):
    names = {"recordings/a/original", "recordings/a/poster-1", "recordings/ab/original", "packages/p"}
    for name in names:
        store.put_stream(name, [b"x"])
    assert set(store.list()) == names
    assert set(store.list("recordings/a")) == {"recordings/a/original", "recordings/a/poster-1"}
    assert set(store.list("recordings/a/")) == {"recordings/a/original", "recordings/a/poster-1"}
    assert set(store.list("nowhere")) == set()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "..",
        "../outside",
        "recordings/../../outside",
        "recordings/./x",
        "recordings//x",
        "recordings/x/",
        "recordings\\x",
        "recordings/x\0y",
        "recordings/x\ny",
        "recordings/.tmp-0123",
        ".tmp-folder/x",
        "x" * 201,
        "/".join(["x"] * 500),
        "recordings/caf\u00e9",
        "%2e%2e/x",
    ],
)
def test_a_name_that_could_do_harm_is_refused_everywhere(store, tmp_path, name):
    source = tmp_path / "source"
    source.write_bytes(b"x")
    for attempt in (
        lambda: store.put_stream(name, [b"x"]),
        lambda: store.put_file(name, source, move=True),
        lambda: store.get_range(name, 0, 1),
        lambda: store.size(name),
        lambda: store.exists(name),
        lambda: store.delete(name),
    ):
        with pytest.raises(NameRefused):
            attempt()
    assert source.exists()


@pytest.mark.parametrize("prefix", ["/", "..", "recordings/..", "/etc", "recordings//x"])
def test_a_listing_cannot_reach_outside(store, prefix):
    with pytest.raises(NameRefused):
        list(store.list(prefix))


def test_a_full_disk_is_said_and_leaves_nothing(local, tmp_path):
    """/dev/full answers every write as a full disk does."""

    def from_full_disk():
        yield b"x"
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")

    with pytest.raises(StorageFull, match="sender keeps its copy"):
        local.put_stream(NAME, from_full_disk())
    assert _files(tmp_path / "store") == []


def test_a_file_system_that_has_turned_read_only_is_a_store_that_cannot_be_used(local, tmp_path, monkeypatch):
    local.put_stream(NAME, [b"x"])
    source = tmp_path / "source"
    source.write_bytes(b"y")

    def read_only(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    with monkeypatch.context() as kernel:
        kernel.setattr(os, "open", read_only)
        kernel.setattr(Path, "rename", read_only)
        for put in (
            lambda: local.put_stream(f"{NAME}2", [b"x"]),
            lambda: local.put_file(f"{NAME}2", source),
            lambda: local.put_file(f"{NAME}2", source, move=True),
        ):
            with pytest.raises(StoreUnavailable, match="did not answer"):
                put()
    with monkeypatch.context() as kernel:
        kernel.setattr(Path, "unlink", read_only)
        with pytest.raises(StoreUnavailable):
            local.delete(NAME)
    assert (list(local.list()), source.read_bytes()) == ([NAME], b"y")


def test_a_half_written_object_is_in_no_listing_and_swept_when_old(local, tmp_path):
    local.put_stream(NAME, [b"x"])
    left = (tmp_path / "store" / NAME).with_name(".tmp-0123456789abcdef")
    left.write_bytes(b"half")
    assert list(local.list()) == [NAME]
    assert local.sweep_temporary(3600) == 0
    os.utime(left, (0, 0))
    os.utime(tmp_path / "store" / NAME, (0, 0))
    assert local.sweep_temporary(3600) == 1
    assert _files(tmp_path / "store") == ["original"]


def test_while_it_is_written_an_object_is_only_a_temporary_file(local, tmp_path):
    seen = []

    def watching():
        yield b"x" * 2_000_000
        seen.extend([_files(tmp_path / "store"), local.exists(NAME), list(local.list())])

    local.put_stream(NAME, watching())
    assert seen[0][0].startswith(".tmp-")
    assert seen[1:] == [False, []]


def test_deleting_the_last_object_removes_its_folders_but_not_the_stores(local, tmp_path):
    local.put_stream(NAME, [b"x"])
    local.put_stream("recordings/other/original", [b"x"])
    local.delete(NAME)
    assert [path.name for path in (tmp_path / "store" / "recordings").iterdir()] == ["other"]
    local.delete("recordings/other/original")
    assert (tmp_path / "store").is_dir()
    assert list((tmp_path / "store").iterdir()) == []


def test_folders_and_files_are_closed_to_others(local, tmp_path):
    local.put_stream(NAME, [b"x"])
    path = tmp_path / "store" / NAME
    assert path.stat().st_mode & 0o777 == 0o600
    while path != tmp_path:
        assert path.stat().st_mode & 0o077 == 0
        path = path.parent


def test_moving_within_a_file_system_copies_nothing(local, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"sealed")
    inode = source.stat().st_ino
    local.put_file(NAME, source, move=True)
    assert (tmp_path / "store" / NAME).stat().st_ino == inode


def test_a_moved_file_s_name_and_its_folder_s_are_durable(local, tmp_path, monkeypatch):
    synced = []

    def watched(folder):
        synced.append((folder.relative_to(tmp_path).as_posix(), target.exists()))

    target = tmp_path / "store" / NAME
    (tmp_path / "source").write_bytes(b"sealed")
    local.put_stream("recordings/other/original", [b"x"])
    monkeypatch.setattr("bluelamp.vault.stores.local.fsync_folder", watched)
    local.put_file(NAME, tmp_path / "source", move=True)
    assert synced == [(f"store/{Path(NAME).parent}", True), ("store/recordings", True)]


def test_across_file_systems_the_folder_s_name_is_durable_too(local, tmp_path, monkeypatch):
    synced, rename = [], Path.rename

    def elsewhere(path, target):
        if path.name == "source":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(path, target)

    (tmp_path / "source").write_bytes(b"sealed")
    local.put_stream("recordings/other/original", [b"x"])
    monkeypatch.setattr(Path, "rename", elsewhere)
    monkeypatch.setattr("bluelamp.vault.stores.local.fsync_folder", synced.append)
    local.put_file(NAME, tmp_path / "source", move=True)
    folder = (tmp_path / "store" / NAME).parent
    assert folder.parent in synced
    assert synced[-1] == folder
    assert local.get_range(NAME, 0, 10) == b"sealed"


@pytest.mark.skipif(
    not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat("/tmp").st_dev,
    reason="needs a second file system",
)
def test_moving_to_another_file_system_copies_and_removes(local, tmp_path):
    source = Path("/dev/shm") / f"bluelamp-test-{os.getpid()}"
    source.write_bytes(b"sealed")
    try:
        local.put_file(NAME, source, move=True)
        assert local.get_range(NAME, 0, 10) == b"sealed"
        assert not source.exists()
    finally:
        source.unlink(missing_ok=True)


def test_a_missing_source_file_is_not_mistaken_for_a_missing_folder(local, tmp_path):
    with pytest.raises(FileNotFoundError):
        local.put_file(NAME, tmp_path / "nowhere", move=True)
    assert _files(tmp_path / "store") == []
    assert list((tmp_path / "store").iterdir()) == []


def test_puts_and_deletes_in_one_folder_do_not_trip_over_each_other(local):
    failures = []

    def work(number):
        try:
            for turn in range(40):
                name = f"recordings/shared/{number}-{turn}"
                local.put_stream(name, [b"x"])
                local.delete(name)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(local.list()) == []


def test_the_store_is_chosen_by_its_url(tmp_path):
    assert isinstance(_store(None, tmp_path), LocalStore)
    assert (tmp_path / "store").is_dir()
    assert isinstance(_store(f"file://{tmp_path}/elsewhere", tmp_path), LocalStore)
    assert (tmp_path / "elsewhere").is_dir()
    assert isinstance(_store("s3://bucket/folder", tmp_path), ObjectStore)
    for url in ["ftp://host/x", "s3:", "file:relative", "nonsense"]:
        with pytest.raises(Invalid, match="BLUELAMP_STORE_URL"):
            _store(url, tmp_path)


def test_an_object_store_that_does_not_answer_is_said_without_naming_its_hosts(monkeypatch):
    for variable, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(variable, value)
    store = ObjectStore.from_url("s3://bucket/folder")
    for attempt in (
        lambda: store.put_stream(NAME, [b"x"]),
        lambda: store.get_range(NAME, 0, 1),
        lambda: store.exists(NAME),
        lambda: store.delete(NAME),
        lambda: list(store.list()),
        lambda: list(store.remains(NAME)),
        lambda: store.hold(NAME, True),
        lambda: store.supports_hold(),
        lambda: store.sweep_temporary(0),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        assert not isinstance(caught.value, StoreRefused)
        assert "127.0.0.1" not in str(caught.value)


def test_a_store_without_holds_of_its_own_says_so_and_does_nothing(store):
    store.put_stream(NAME, [b"x"])
    assert store.supports_hold() is False
    store.hold(NAME, True)
    store.delete(NAME)
    assert list(store.remains("recordings")) == []


def test_what_remains_of_a_name_is_the_object_and_what_lies_below_it(store):
    store.put_stream("recordings/a/original", [b"x"])
    store.put_stream("recordings/ab/original", [b"x"])
    assert list(store.remains("recordings/a")) == ["recordings/a/original"]
    assert list(store.remains("recordings/a/original")) == ["recordings/a/original"]
    assert list(store.remains("recordings/b")) == []


def _write_until_killed(root, acknowledged):
    store = LocalStore(root)
    for number in range(100_000):
        store.put_stream(f"recordings/{number}/original", [bytes([number % 256]) * 300_000] * 2)
        acknowledged.send(number)


@pytest.mark.parametrize("seconds", [0.05, 0.11, 0.17])
def test_a_process_killed_while_storing_leaves_whole_objects_and_loses_none_it_acknowledged(tmp_path, seconds):
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_write_until_killed, args=(tmp_path / "store", theirs))
    child.start()
    theirs.close()
    last = ours.recv()
    time.sleep(seconds)
    child.kill()
    child.join()
    with contextlib.suppress(EOFError):
        while True:
            last = ours.recv()
    store = LocalStore(tmp_path / "store")
    stored = {int(name.split("/")[1]) for name in store.list()}
    assert set(range(last + 1)) <= stored
    for number in stored:
        assert store.get_range(f"recordings/{number}/original", 0, 10**6) == bytes([number % 256]) * 600_000
    store.sweep_temporary(-1)
    assert len(_files(tmp_path / "store")) == len(stored)
