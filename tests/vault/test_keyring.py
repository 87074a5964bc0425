import multiprocessing
import os
import random
import secrets
import sqlite3
import threading
from datetime import UTC, datetime

import pytest

from bluelamp.kernel.errors import Invalid
from bluelamp.vault.errors import KeyErased, KeyExists, KeyringUnusable, KeyUnknown
from bluelamp.vault.keyring import SqliteKeyring, _keyring

WHEN = datetime(2026, 11, 22, 7, 19, 5, tzinfo=UTC)


def _wrapped(database, key_id):
    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT wrapped FROM data_key WHERE key_id = ?", (key_id,)).fetchone()[0]


def _bytes_on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "root.key")


@pytest.fixture
def database(tmp_path):
    return tmp_path / "keyring" / "keyring.sqlite"


def test_a_key_is_random_and_comes_back(keyring):
    first, second = keyring.create("a"), keyring.create("b")
    assert len(first) == len(second) == 32
    assert first != second
    assert (keyring.get("a"), keyring.get("b")) == (first, second)
    assert keyring.has("a")
    assert keyring.count() == 2


def test_a_key_outlives_the_process(keyring, database):
    key = keyring.create("a")
    assert SqliteKeyring(database).get("a") == key


def test_a_key_is_never_replaced(keyring):
    key = keyring.create("a")
    with pytest.raises(KeyExists, match="stays readable"):
        keyring.create("a")
    assert keyring.get("a") == key


def test_a_key_that_never_was_is_unknown(keyring):
    assert not keyring.has("a")
    with pytest.raises(KeyUnknown, match="holds no key a"):
        keyring.get("a")


def test_an_erased_key_is_gone_for_good_and_says_when(keyring):
    keyring.create("a")
    keyring.erase("a", WHEN)
    assert not keyring.has("a")
    assert keyring.count() == 0
    assert keyring.erased_at("a") == WHEN
    with pytest.raises(KeyErased, match="2026-11-22 07:19:05 UTC"):
        keyring.get("a")
    with pytest.raises(KeyErased):
        keyring.create("a")


def test_erasing_again_keeps_the_first_time(keyring):
    keyring.create("a")
    keyring.erase("a", WHEN)
    keyring.erase("a", WHEN.replace(year=2027))
    assert keyring.erased_at("a") == WHEN


def test_erasing_a_name_that_had_no_key_bars_the_name(keyring):
    keyring.create("other")
    keyring.erase("a", WHEN)
    with pytest.raises(KeyErased):
        keyring.create("a")
    assert keyring.count() == 1
    assert keyring.erased_at("other") is None


def test_keys_are_wrapped_not_stored(keyring, database):
    key = keyring.create("a")
    assert key not in _bytes_on_disk(database.parent)


def test_a_wrapped_key_does_not_open_under_another_name(keyring, database):
    keyring.create("a")
    keyring.create("b")
    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE key_id = 'a') WHERE key_id = 'b'"
        )
    with pytest.raises(KeyringUnusable, match="record of the key b is damaged"):
        keyring.get("b")


def test_after_erasing_no_trace_of_the_wrapped_key_is_left(keyring, database):
    """Many keys, so that pages fill and split; erased in random order, with new ones made in between."""
    chance = random.Random(5)
    live, erased = {}, []
    for turn in range(600):
        key_id = f"recording-{turn}-{'x' * chance.randrange(20)}"
        keyring.create(key_id)
        live[key_id] = _wrapped(database, key_id)
        if chance.random() < 0.5:
            gone = chance.choice(list(live))
            keyring.erase(gone, WHEN)
            erased.append(live.pop(gone))
    on_disk = _bytes_on_disk(database.parent)
    assert not [blob for blob in erased if blob in on_disk or blob[12:44] in on_disk]
    assert all(on_disk.count(blob) == 1 for blob in live.values())
    assert keyring.count() == len(live)


def test_the_files_are_closed_to_others(keyring, database):
    keyring.create("a")
    for path in database.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path.name
    assert database.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("exposed", ["keyring.sqlite", "root.key", "."])
def test_a_keyring_open_to_others_is_refused(keyring, database, exposed):
    path = database.parent / exposed
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(KeyringUnusable, match="chmod"):
        SqliteKeyring(database)


def test_a_missing_root_key_is_never_silently_replaced(keyring, database):
    keyring.create("a")
    root = database.parent / "root.key"
    root.unlink()
    with pytest.raises(KeyringUnusable, match="missing"):
        SqliteKeyring(database)
    assert not root.exists()


def test_a_root_key_of_another_keyring_is_noticed_when_opening(keyring, database, tmp_path):
    keyring.create("a")
    SqliteKeyring(tmp_path / "other" / "keyring.sqlite")
    os.replace(tmp_path / "other" / "root.key", database.parent / "root.key")
    with pytest.raises(KeyringUnusable, match="does not belong"):
        SqliteKeyring(database)


@pytest.mark.parametrize("content", [b"", b"short", b"not base64 \xff", b"AAAA\n"])
def test_a_file_that_is_no_root_key_is_refused(keyring, database, content):
    (database.parent / "root.key").write_bytes(content)
    with pytest.raises(KeyringUnusable, match="not a root key"):
        SqliteKeyring(database)


def test_a_damaged_keyring_file_is_said_in_words(keyring, database):
    keyring.close()
    database.write_bytes(secrets.token_bytes(8192))
    with pytest.raises(KeyringUnusable, match="does not answer"):
        SqliteKeyring(database)


def test_a_keyring_that_vanishes_is_not_replaced_by_an_empty_one(keyring, database):
    keyring.close()
    database.unlink()
    with pytest.raises((KeyringUnusable, FileNotFoundError)):
        keyring.get("a")
    assert not database.exists()


def test_threads_have_connections_of_their_own(keyring):
    made, failures = {}, []

    def work(number):
        try:
            for turn in range(10):
                key_id = f"{number}-{turn}"
                made[key_id] = keyring.create(key_id)
                if turn % 2:
                    keyring.erase(key_id, WHEN)
                    del made[key_id]
        except Exception as error:
            failures.append(error)
        finally:
            keyring.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {key_id: keyring.get(key_id) for key_id in made} == made
    assert keyring.count() == len(made) == 20


def test_many_are_erased_together_or_not_at_all(keyring, database):
    names = [f"recording-{number}" for number in range(500)]
    keyring.create_all(names)
    wrapped = [_wrapped(database, name) for name in names[:400]]
    keyring.erase("recording-7", WHEN)
    keyring.erase_all([*names[:400], "never had a key"], WHEN.replace(year=2027))
    assert keyring.count() == 100
    assert not keyring.has("recording-399")
    assert keyring.has("recording-400")
    moments = keyring.erasures([*names, "never had a key", "unknown"])
    assert set(moments) == {*names[:400], "never had a key"}
    assert (moments.pop("recording-7"), set(moments.values())) == (WHEN, {WHEN.replace(year=2027)})
    on_disk = _bytes_on_disk(database.parent)
    assert not [blob for blob in wrapped if blob in on_disk]
    assert keyring.erasures([]) == {}


def test_of_many_none_is_erased_where_one_cannot_be(keyring):
    keyring.create_all(["a", "b"])
    with pytest.raises(KeyringUnusable):
        keyring.erase_all(["a", object(), "b"], WHEN)
    assert keyring.count() == 2


def _create_in_child(keyring, database, results):
    results.put((keyring.create("inherited"), SqliteKeyring(database).create("opened")))


def test_a_forked_child_and_its_parent_share_the_keyring(keyring, database):
    keyring.create("before")
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_create_in_child, args=(keyring, database, results))
    child.start()
    inherited, opened = results.get(timeout=30)
    child.join()
    assert (keyring.get("inherited"), keyring.get("opened")) == (inherited, opened)


def _open(database, results):
    results.put(SqliteKeyring(database).create(f"process-{os.getpid()}"))


def test_processes_that_start_at_once_agree_on_one_root_key(database):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    children = [context.Process(target=_open, args=(database, results)) for _ in range(6)]
    for child in children:
        child.start()
    keys = {results.get(timeout=30) for _ in children}
    for child in children:
        child.join()
    ring = SqliteKeyring(database)
    assert {ring.get(f"process-{child.pid}") for child in children} == keys
    assert sorted(path.name for path in database.parent.iterdir() if not path.name.endswith("-journal")) == [
        "keyring.sqlite",
        "root.key",
    ]


def test_the_keyring_is_chosen_by_its_url(tmp_path):
    assert isinstance(_keyring(None, tmp_path), SqliteKeyring)
    assert (tmp_path / "keyring" / "keyring.sqlite").is_file()
    assert isinstance(_keyring(f"sqlite://{tmp_path}/apart/keys.sqlite", tmp_path), SqliteKeyring)
    assert (tmp_path / "apart" / "root.key").is_file()
    for url in ["postgresql://host/keys", "sqlite://host/x", "sqlite:", "nonsense"]:
        with pytest.raises(Invalid, match="BLUELAMP_KEYRING_URL"):
            _keyring(url, tmp_path)


def test_a_secret_is_kept_wrapped_and_never_replaced(tmp_path) -> None:
    from bluelamp.vault.errors import KeyExists, KeyUnknown
    from bluelamp.vault.keyring import SqliteKeyring

    folder = tmp_path / "ring"
    keyring = SqliteKeyring(folder / "keyring.sqlite")
    secret = b"a private key of any length" * 40
    keyring.keep_secret("axis/one", secret)
    with pytest.raises(KeyExists):
        keyring.keep_secret("axis/one", b"another")
    assert SqliteKeyring(folder / "keyring.sqlite").secret("axis/one") == secret
    with pytest.raises(KeyUnknown):
        keyring.secret("axis/two")
    assert secret[:20] not in (folder / "keyring.sqlite").read_bytes()
    assert keyring.count() == 0, "it is no footage's key"


def test_keys_that_are_made_at_once_are_each_their_own_and_one_refused_stops_no_other(keyring):
    keyring.create("taken")
    keyring.erase("gone", datetime(2026, 11, 22, tzinfo=UTC))
    names = [*(f"key-{number}" for number in range(8)), "taken", "gone"]
    made: dict[str, object] = {}
    start = threading.Barrier(len(names))

    def make(name: str) -> None:
        start.wait(20)
        try:
            made[name] = keyring.create(name)
        except (KeyErased, KeyExists) as refusal:
            made[name] = type(refusal)

    threads = [threading.Thread(target=make, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (made.pop("taken"), made.pop("gone")) == (KeyExists, KeyErased)
    assert len(set(made.values())) == 8
    assert all(keyring.get(name) == key for name, key in made.items())
