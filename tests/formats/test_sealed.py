import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluelamp.formats import sealed
from bluelamp.formats.sealed import FIRST_FULL, FULL, HEADER_SIZE, SEGMENT, SealBroken, SealingWriter
from tests.formats import tink_oracle

KEY = bytes(range(32))
NAME = b"recordings/0190a6c0-0000-7000-8000-000000000000/original"
SIZES = {
    "nothing": 0,
    "one byte": 1,
    "segment-1": FIRST_FULL - 1,
    "segment": FIRST_FULL,
    "segment+1": FIRST_FULL + 1,
    "two segments-1": FIRST_FULL + FULL - 1,
    "two segments": FIRST_FULL + FULL,
    "two segments+1": FIRST_FULL + FULL + 1,
    "MiB": SEGMENT,
    "many": 5 * SEGMENT + 12_345,
}
MATERIAL = random.Random(1).randbytes(max(SIZES.values()))

all_sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
both_bindings = pytest.mark.parametrize("associated_data", [b"", NAME], ids=["unbound", "bound to a name"])


def seal(plaintext, associated_data=NAME, **fixed):
    writer = SealingWriter(KEY, associated_data, **fixed)
    return writer.header + b"".join(writer.update(plaintext)) + writer.finish()


def open_all(data, associated_data=NAME, key=KEY):
    """Open every segment the way a reader does: by geometry, in order."""
    opener = sealed.SegmentOpener(key, data[:HEADER_SIZE], associated_data)
    last = sealed.segment_count(len(data)) - 1
    parts = []
    for segment in range(last + 1):
        offset, length = sealed.segment_place(segment, len(data))
        parts.append(opener.open(segment, segment == last, data[offset : offset + length]))
    return b"".join(parts)


@both_bindings
@all_sizes
def test_tink_opens_what_we_seal(size, associated_data):
    plaintext = MATERIAL[:size]
    assert tink_oracle.open_sealed(KEY, seal(plaintext, associated_data), associated_data) == plaintext


@both_bindings
@all_sizes
def test_we_open_what_tink_seals(size, associated_data):
    plaintext = MATERIAL[:size]
    assert open_all(tink_oracle.seal(KEY, plaintext, associated_data), associated_data) == plaintext


@all_sizes
def test_sizes_are_foreseen_both_ways(size):
    length = len(seal(MATERIAL[:size]))
    assert sealed.sealed_size(size) == length
    assert sealed.plaintext_size(length) == size


def _in_pieces(seed, total):
    chance, at = random.Random(seed), 0
    while at < total:
        piece = chance.choice([0, 1, 7, 4096, 65_536, 999_999, SEGMENT, 2 * SEGMENT + 5])
        yield at, min(at + piece, total)
        at += piece


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_a_writer_resumed_between_pieces_of_any_size_makes_what_tink_opens(seed):
    chance = random.Random(seed)
    total = chance.choice(list(SIZES.values()))
    writer = SealingWriter(KEY, NAME)
    written = bytearray(writer.header)
    for begin, end in _in_pieces(seed, total):
        for segment in writer.update(memoryview(MATERIAL)[begin:end]):
            written += segment
        assert writer.size == end
        if chance.random() < 0.4:
            assert len(writer.tail) == writer.tail_length
            writer = SealingWriter.resume(KEY, writer.header, writer.segment, writer.tail, NAME)
            assert writer.size == end
    written += writer.finish()
    assert writer.size == total
    assert tink_oracle.open_sealed(KEY, bytes(written), NAME) == MATERIAL[:total]


@all_sizes
def test_sealing_into_a_reused_buffer_gives_the_same_bytes(size):
    fixed = {"salt": b"s" * 32, "prefix": b"p" * 7}
    writer = SealingWriter(KEY, NAME, **fixed)
    written, buffer = bytearray(writer.header), bytearray(SEGMENT)
    for begin in range(0, size, 700_000):
        writer.update_into(MATERIAL[begin : min(begin + 700_000, size)], written.extend, buffer)
    assert bytes(written + writer.finish()) == seal(MATERIAL[:size], **fixed)


def test_a_full_segment_is_held_back_until_it_is_known_whether_it_is_the_last():
    writer = SealingWriter(KEY)
    assert writer.update(MATERIAL[:FIRST_FULL]) == []
    assert (writer.segment, writer.tail) == (0, MATERIAL[:FIRST_FULL])
    assert len(writer.update(b"x")) == 1
    assert (writer.segment, writer.tail) == (1, b"x")


def test_a_writer_whose_destination_failed_cannot_seal_the_same_place_again():
    def fail(_segment):
        raise OSError("disk")

    writer = SealingWriter(KEY)
    with pytest.raises(OSError, match="disk"):
        writer.update_into(MATERIAL[: 2 * SEGMENT], fail, bytearray(SEGMENT))
    with pytest.raises(ValueError, match="closed"):
        writer.update(b"more")
    with pytest.raises(ValueError, match="closed"):
        writer.finish()


def test_a_finished_writer_takes_nothing_more():
    writer = SealingWriter(KEY)
    writer.finish()
    with pytest.raises(ValueError, match="closed"):
        writer.update(b"more")


def test_two_objects_never_share_salt_and_prefix():
    assert len({SealingWriter(KEY).header for _ in range(100)}) == 100


def test_a_tail_that_does_not_fit_is_not_resumed():
    with pytest.raises(ValueError, match="longer"):
        SealingWriter.resume(KEY, SealingWriter(KEY).header, 0, bytes(FIRST_FULL + 1))


def test_a_key_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="32"):
        SealingWriter(b"short")


THREE = seal(MATERIAL[: FIRST_FULL + FULL + 1000])


def _flipped(place):
    damaged = bytearray(THREE)
    damaged[place] ^= 0x10
    return bytes(damaged)


HOSTILE = {
    "bit flipped in the header's length": _flipped(0),
    "bit flipped in the salt": _flipped(5),
    "bit flipped in the nonce prefix": _flipped(36),
    "bit flipped in the first segment": _flipped(HEADER_SIZE),
    "bit flipped in the first tag": _flipped(SEGMENT - 1),
    "bit flipped in a middle segment": _flipped(SEGMENT + 500_000),
    "bit flipped in a middle tag": _flipped(2 * SEGMENT - 16),
    "bit flipped in the last segment": _flipped(2 * SEGMENT),
    "bit flipped in the last byte": _flipped(-1),
    "segments swapped": THREE[:HEADER_SIZE]
    + THREE[SEGMENT + HEADER_SIZE : 2 * SEGMENT]
    + THREE[SEGMENT : SEGMENT + HEADER_SIZE]
    + THREE[HEADER_SIZE:SEGMENT]
    + THREE[2 * SEGMENT :],
    "middle segment dropped": THREE[:SEGMENT] + THREE[2 * SEGMENT :],
    "middle segment repeated": THREE[: 2 * SEGMENT] + THREE[SEGMENT:],
    "last segment dropped": THREE[: 2 * SEGMENT],
    "cut to the first segment": THREE[:SEGMENT],
    "cut inside a segment": THREE[: SEGMENT + 77],
    "cut to a lone tag": THREE[: SEGMENT + 16],
    "cut to the header": THREE[:HEADER_SIZE],
    "cut to nothing": b"",
    "one byte appended": THREE + b"\0",
    "a whole segment appended": THREE + bytes(SEGMENT),
    "another object's first segment": seal(MATERIAL[: FIRST_FULL + 9])[:SEGMENT] + THREE[SEGMENT:],
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_changed_object_is_refused(data):
    with pytest.raises(SealBroken) as caught:
        open_all(data)
    assert caught.value.what
    assert caught.value.where


def test_the_same_hostile_objects_are_refused_by_tink():
    for data in HOSTILE.values():
        with pytest.raises(Exception):  # noqa: B017 - Tink's choice of exception varies
            tink_oracle.open_sealed(KEY, data, NAME)


def test_an_object_under_another_name_or_key_is_refused():
    with pytest.raises(SealBroken, match="segment 0"):
        open_all(THREE, associated_data=b"recordings/other/original")
    with pytest.raises(SealBroken, match="segment 0"):
        open_all(THREE, key=bytes(32))


def test_a_single_segment_is_opened_alone():
    offset, length = sealed.segment_place(1, len(THREE))
    plain = sealed.open_segment(KEY, THREE[:HEADER_SIZE], 1, False, THREE[offset : offset + length], NAME)
    assert plain == MATERIAL[FIRST_FULL : FIRST_FULL + FULL]


@given(st.integers(0, 20 * SEGMENT), st.integers(0, 20 * SEGMENT), st.integers(0, 20 * SEGMENT))
def test_a_range_needs_the_segments_that_hold_its_bytes_and_no_others(size, start, length):
    total = sealed.sealed_size(size)
    starts = [sealed.plaintext_start(n) for n in range(sealed.segment_count(total))]
    ends = [*starts[1:], size]
    end = min(start + length, size)
    needed = [n for n in range(len(starts)) if starts[n] < end and start < ends[n] and start < end]
    assert list(sealed.segments_for_range(start, length, total)) == needed


def test_a_size_that_no_object_has_is_refused():
    for size in [0, 39, 55, SEGMENT + 1, SEGMENT + 16, 3 * SEGMENT + 16]:
        with pytest.raises(SealBroken, match="size"):
            sealed.plaintext_size(size)
