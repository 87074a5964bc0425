"""The pure parts of encryption, and names, times and what strangers say."""

from __future__ import annotations

import json
import random
import tracemalloc
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from bluelamp.ingest.axis import metadata, moments, naming, saying, wrapping
from bluelamp.ingest.axis.errors import Unstorable

KEY = wrapping.ContentKey(bytes(range(32)), bytes(16))
MKV = bytes.fromhex("1a45dfa3") + b"x" * 60


def _encrypt(plain: bytes, padded: bool = True) -> bytes:
    fill = 16 - len(plain) % 16 if padded else 0
    encryptor = Cipher(algorithms.AES(KEY.key), modes.CBC(KEY.iv)).encryptor()
    return encryptor.update(plain + bytes((fill,)) * fill) + encryptor.finalize()


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(1, 70))
def test_whatever_the_pieces_the_plaintext_comes_back(rest: bytes, size: int) -> None:
    plain = MKV[:12] + rest
    sealed = _encrypt(plain)
    pieces = [sealed[at : at + size] for at in range(0, len(sealed), size)]
    assert b"".join(wrapping.decrypt(pieces, KEY, video=True)) == plain


@pytest.mark.parametrize(
    "sealed",
    [
        b"",
        b"x" * 15,
        _encrypt(MKV)[:-16],
        _encrypt(MKV)[:-1],
        _encrypt(MKV + b"\x00" * 16, padded=False),
        random.Random(64).randbytes(64),
    ],
)
def test_what_does_not_end_as_it_should_is_not_handed_out_whole(sealed: bytes) -> None:
    with pytest.raises(wrapping.WillNotOpen):
        list(wrapping.decrypt([sealed], KEY, video=True))


def test_a_key_that_opens_no_video_is_the_wrong_one() -> None:
    with pytest.raises(wrapping.WillNotOpen, match="no video"):
        list(wrapping.decrypt([_encrypt(b"neither Matroska nor MP4 " * 10)], KEY, video=True))


def test_opening_takes_constant_memory() -> None:
    piece = bytes(1024 * 1024)
    encryptor = Cipher(algorithms.AES(KEY.key), modes.CBC(KEY.iv)).encryptor()
    sealed = (encryptor.update(part) for part in [MKV[:16], *[piece] * 64, b"\x10" * 16])
    tracemalloc.start()
    total = sum(len(part) for part in wrapping.decrypt(sealed, KEY, video=True))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 16 + 64 * len(piece)
    assert peak < 8 * len(piece)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b'{"EncryptedKey": 1}', b"\xff", b"[" * 10_000])
def test_a_key_object_that_is_none_is_told_so(content: bytes) -> None:
    with pytest.raises(wrapping.WillNotOpen):
        wrapping.read_key(content)


def test_a_key_wrapped_for_somebody_else_does_not_open() -> None:
    private = rsa.generate_private_key(65537, 2048)
    with pytest.raises(wrapping.WillNotOpen):
        wrapping.unwrap(wrapping.WrappedKey(b"x" * 256, bytes(16), ""), private)


@given(st.binary(max_size=300))
def test_no_track_of_a_stranger_raises(content: bytes) -> None:
    saying.track(content, None)
    saying.bookmark({"starttime": content.decode("latin-1"), "tags": content.decode("latin-1")}, content)
    saying.location(content.decode("latin-1"))
    assert moments.epoch(content.decode("latin-1")) is None or True


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["CoordinateEntries", "LocationWKT", "SecondsFromStart", "Timestamp"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_no_json_of_a_stranger_raises(value: object) -> None:
    saying.track(json.dumps({"CoordinateEntries": value}).encode(), moments.EARLIEST)
    saying.track(json.dumps({"CoordinateEntries": [value]}).encode(), moments.EARLIEST)


def test_a_point_has_its_longitude_first() -> None:
    content = b'{"CoordinateEntries": [{"LocationWKT": "POINT(13.2 55.7)", "SecondsFromStart": 64.0}]}'
    ((at, lat, lon),) = saying.track(content, moments.EARLIEST) or []
    assert (lat, lon) == ("55.7", "13.2")
    assert (at - moments.EARLIEST).total_seconds() == 64


def test_metadata_is_decoded_and_its_keys_do_not_care_for_case() -> None:
    raw = [
        (b"X-Container-Meta-BWCSerialNumber", b"B8A%2044"),
        (b"x-container-meta-userid", b"Zo%C3%AB"),
        (b"host", b"x"),
    ]
    assert metadata.read(raw, metadata.CONTAINER) == {"bwcserialnumber": "B8A 44", "userid": "Zoë"}


@pytest.mark.parametrize(
    "raw",
    [
        [(b"x-object-meta-a", b"%00")],
        [(b"x-object-meta-a", b"line%0Abreak")],
        [(b"x-object-meta-a", b"x" * 1025)],
        [(b"x-object-meta-" + b"k" * 129, b"x")],
        [(b"x-object-meta-%d" % number, b"x") for number in range(91)],
        [(b"x-object-meta-%d" % number, b"x" * 1000) for number in range(20)],
    ],
)
def test_metadata_that_no_container_can_hold_is_refused(raw: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Unstorable):
        metadata.read(raw, metadata.OBJECT)


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("20261122T071905Z_a1.mkv", {}, "clip"),
        ("20261122T071905Z_a1.MP4", {}, "clip"),
        ("anything", {"starttime": "1", "stoptime": "2"}, "clip"),
        ("anything", {"containertype": "mkv"}, "clip"),
        ("20261122T071905Z_a1.key", {}, "key"),
        ("20261122T071905Z_a1.mkv.key", {}, "key"),
        ("odd", {"filetype": "key"}, "key"),
        ("bookmark_1_2", {"starttime": "1", "stoptime": "2"}, "bookmark"),
        ("20261122_071905_a1_B8_gpstrail.json", {}, "track"),
        ("odd", {"filetype": "json"}, "track"),
        ("odd.txt", {}, "other"),
    ],
)
def test_what_an_object_is(name: str, said: dict[str, str], kind: str) -> None:
    assert naming.object_kind(name, said) == kind


@pytest.mark.parametrize("text", ["1763795945", "1763795945.5", "1763795945000"])
def test_an_epoch_may_be_in_seconds_or_milliseconds(text: str) -> None:
    assert str(moments.epoch(text)).startswith("2025-11-22 07:19:05")


def test_what_a_rejected_clip_says_of_its_time_is_taken_and_doubted() -> None:
    now = moments.EARLIEST + timedelta(days=1000)
    said = {"starttime": str((now - timedelta(hours=2)).timestamp())}
    times = moments.rejected_times(said, {}, now)
    assert (times.started_at, times.status) == (now - timedelta(hours=2), "doubtful")
    for nothing in ({}, {"starttime": "5"}, {"starttime": str((now + timedelta(days=9)).timestamp())}):
        assert (
            moments.rejected_times(nothing, {}, now).started_at,
            moments.rejected_times(nothing, {}, now).status,
        ) == (
            now,
            "unset",
        )
