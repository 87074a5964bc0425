import dataclasses
import io
import random
import tracemalloc
from datetime import UTC, datetime

import pytest

from bluelamp.formats import sealed
from bluelamp.formats.sealed import FIRST_FULL, FULL, SEGMENT
from bluelamp.vault import objects
from bluelamp.vault.errors import KeyErased, KeyUnknown, ObjectDamaged, ObjectMissing
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import LocalStore, get_store
from tests.formats import tink_oracle

NAME = "recordings/0190a6c0-0000-7000-8000-000000000000/original"
SIZES = [0, 1, FIRST_FULL - 1, FIRST_FULL, FIRST_FULL + 1, FIRST_FULL + FULL, FIRST_FULL + FULL + 1, 4 * SEGMENT + 5]
MATERIAL = random.Random(2).randbytes(max(SIZES))


class CountingStore(LocalStore):
    """A real store that remembers which ranges were fetched."""

    def __init__(self, root):
        super().__init__(root)
        self.fetched = []

    def get_range(self, name, start, length):
        self.fetched.append((start, length))
        return super().get_range(name, start, length)


@pytest.fixture
def vault(store, keyring):
    keyring.create("key")
    return {"store": store, "keyring": keyring}


@pytest.fixture
def counted(tmp_path, keyring):
    keyring.create("key")
    return {"store": CountingStore(tmp_path / "counted"), "keyring": keyring}


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_is_read_back(vault, size):
    objects.seal_bytes(NAME, "key", MATERIAL[:size], **vault)
    reader = SealedReader(NAME, "key", **vault)
    assert reader.size == size
    assert reader.read(0, size) == MATERIAL[:size]


@pytest.mark.parametrize("size", SIZES)
def test_tink_opens_what_the_vault_sealed_and_the_vault_what_tink_sealed(vault, size):
    key = vault["keyring"].get("key")
    objects.seal_bytes(NAME, "key", MATERIAL[:size], **vault)
    stored = vault["store"].get_range(NAME, 0, 10 * SEGMENT)
    assert tink_oracle.open_sealed(key, stored, NAME.encode()) == MATERIAL[:size]

    vault["store"].put_stream(NAME, [tink_oracle.seal(key, MATERIAL[:size], NAME.encode())])
    assert SealedReader(NAME, "key", **vault).read(0, size) == MATERIAL[:size]


def test_any_range_is_the_plaintexts(vault):
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    reader = SealedReader(NAME, "key", **vault)
    chance = random.Random(3)
    edges = [0, 1, FIRST_FULL - 1, FIRST_FULL, FIRST_FULL + 1, FIRST_FULL + FULL, len(MATERIAL) - 1, len(MATERIAL)]
    for _ in range(60):
        start, length = chance.choice([*edges, len(MATERIAL) + 9]), chance.choice([0, 1, 1000, SEGMENT, len(MATERIAL)])
        assert reader.read(start, length) == MATERIAL[start : start + length]


def test_a_piece_is_never_longer_than_asked(vault):
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    pieces = [bytes(piece) for piece in SealedReader(NAME, "key", **vault).iter(5, len(MATERIAL), chunk=300_000)]
    assert max(map(len, pieces)) == 300_000
    assert b"".join(pieces) == MATERIAL[5:]


def test_a_range_fetches_only_the_segments_that_hold_it(counted):
    objects.seal_bytes(NAME, "key", MATERIAL, **counted)
    store = counted["store"]
    reader = SealedReader(NAME, "key", **counted)
    assert store.fetched == [(0, sealed.HEADER_SIZE)]

    store.fetched.clear()
    reader.read(FIRST_FULL + FULL + 10, 100)
    assert store.fetched == [(2 * SEGMENT, SEGMENT)]

    store.fetched.clear()
    reader.read(FIRST_FULL + FULL + 500, 100)
    assert store.fetched == []

    store.fetched.clear()
    reader.read(FIRST_FULL - 1, 2)
    assert store.fetched == [(sealed.HEADER_SIZE, SEGMENT - sealed.HEADER_SIZE), (SEGMENT, SEGMENT)]

    store.fetched.clear()
    assert reader.read(len(MATERIAL), 100) == b""
    assert store.fetched == []


def test_a_stream_is_sealed_piece_by_piece_and_its_size_told(vault):
    pieces = (MATERIAL[at : at + 77_777] for at in range(0, len(MATERIAL), 77_777))
    assert objects.seal_stream(NAME, "key", pieces, **vault) == len(MATERIAL)
    assert SealedReader(NAME, "key", **vault).read(0, len(MATERIAL)) == MATERIAL


def test_sealing_and_reading_a_long_stream_needs_little_memory(counted):
    tracemalloc.start()
    try:
        size = objects.seal_stream(NAME, "key", (bytes(SEGMENT) for _ in range(64)), **counted)
        read = sum(len(piece) for piece in SealedReader(NAME, "key", **counted).iter(0, size))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == size == 64 * SEGMENT
    assert peak < 8 * SEGMENT


def test_a_stream_that_fails_stores_nothing(vault):
    def failing():
        yield MATERIAL[: 2 * SEGMENT]
        raise RuntimeError("the dock went away")

    with pytest.raises(RuntimeError):
        objects.seal_stream(NAME, "key", failing(), **vault)
    assert list(vault["store"].list()) == []


def test_nothing_is_sealed_without_a_key(vault):
    with pytest.raises(KeyUnknown):
        objects.seal_bytes(NAME, "no key", b"x", **vault)
    assert list(vault["store"].list()) == []


def test_an_erased_key_opens_nothing_even_if_the_object_is_still_there(vault):
    objects.seal_bytes(NAME, "key", b"footage", **vault)
    vault["keyring"].erase("key", datetime(2026, 11, 22, tzinfo=UTC))
    with pytest.raises(KeyErased, match="cannot be opened again"):
        SealedReader(NAME, "key", **vault)


def test_an_object_put_under_another_name_is_refused(vault):
    store = vault["store"]
    objects.seal_bytes(NAME, "key", b"footage of one incident", **vault)
    store.put_stream("recordings/other/original", [store.get_range(NAME, 0, 1000)])
    with pytest.raises(ObjectDamaged, match="recordings/other/original"):
        SealedReader("recordings/other/original", "key", **vault).read(0, 10)


def test_damage_is_named_and_undamaged_segments_still_open(vault):
    store = vault["store"]
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    stored = bytearray(store.get_range(NAME, 0, 10 * SEGMENT))
    stored[SEGMENT + 5] ^= 1
    store.put_stream(NAME, [stored])
    reader = SealedReader(NAME, "key", **vault)
    assert reader.read(0, 1000) == MATERIAL[:1000]
    with pytest.raises(ObjectDamaged, match="segment 1"):
        reader.read(FIRST_FULL, 10)
    handed_out = []
    with pytest.raises(ObjectDamaged):
        handed_out.extend(bytes(piece) for piece in reader.iter(0, len(MATERIAL)))
    assert b"".join(handed_out) == MATERIAL[:FIRST_FULL]


@pytest.mark.parametrize("cut", [0, 30, 40, 55, SEGMENT + 16])
def test_an_object_cut_to_an_impossible_size_is_refused_at_once(vault, cut):
    store = vault["store"]
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    store.put_stream(NAME, [store.get_range(NAME, 0, cut)])
    with pytest.raises(ObjectDamaged):
        SealedReader(NAME, "key", **vault)


def test_an_object_cut_at_a_segments_edge_is_refused_when_its_end_is_read(vault):
    store = vault["store"]
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    store.put_stream(NAME, [store.get_range(NAME, 0, 2 * SEGMENT)])
    reader = SealedReader(NAME, "key", **vault)
    with pytest.raises(ObjectDamaged, match="segment 1, the last"):
        reader.read(0, reader.size)


def test_an_object_that_vanishes_while_being_read_is_said_to_be_missing(vault):
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    reader = SealedReader(NAME, "key", **vault)
    objects.delete(NAME, store=vault["store"])
    objects.delete(NAME, store=vault["store"])
    with pytest.raises(ObjectMissing):
        reader.read(0, 10)
    with pytest.raises(ObjectMissing):
        SealedReader(NAME, "key", **vault)


def test_libraries_can_read_the_plaintext_as_a_file(vault):
    objects.seal_bytes(NAME, "key", MATERIAL, **vault)
    file, plain = SealedReader(NAME, "key", **vault).file(), io.BytesIO(MATERIAL)
    chance = random.Random(4)
    for _ in range(40):
        place, whence = chance.choice([(0, 0), (FIRST_FULL - 5, 0), (-9, 2), (3, 1), (len(MATERIAL) + 5, 0)])
        assert file.seek(place, whence) == plain.seek(place, whence)
        length = chance.choice([0, 10, 100_000, SEGMENT + 3])
        assert file.read(length) == plain.read(length)
        assert file.tell() == plain.tell()
    with pytest.raises(ValueError, match="negative"):
        file.seek(-1)


def test_two_seals_of_the_same_bytes_have_nothing_in_common(vault):
    store = vault["store"]
    objects.seal_bytes(NAME, "key", bytes(1000), **vault)
    first = store.get_range(NAME, 0, 2000)
    objects.seal_bytes(NAME, "key", bytes(1000), **vault)
    assert first[1:40] != store.get_range(NAME, 0, 2000)[1:40]
    assert first[40:] != store.get_range(NAME, 40, 2000)


def test_without_being_told_the_installations_own_store_and_keyring_are_used(settings, tmp_path):
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, data=tmp_path, store_url=None, keyring_url=None)
    get_keyring().create("key")
    objects.seal_bytes(NAME, "key", b"footage")
    assert SealedReader(NAME, "key").read(0, 7) == b"footage"
    assert (tmp_path / "store" / NAME).is_file()
    assert get_keyring() is get_keyring()
    objects.delete(NAME)
    assert not get_store().exists(NAME)
