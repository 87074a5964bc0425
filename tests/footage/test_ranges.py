"""Byte ranges as RFC 9110 has them, and as attackers write them."""

from __future__ import annotations

import pytest

from bluelamp.footage.ranges import Stretch, Unsatisfiable, asked, still_the_same


@pytest.mark.parametrize(
    ("header", "stretch"),
    [
        ("bytes=0-", Stretch(0, 999)),
        ("bytes=0-0", Stretch(0, 0)),
        ("bytes=100-199", Stretch(100, 199)),
        ("bytes=900-5000", Stretch(900, 999)),
        ("bytes=-1", Stretch(999, 999)),
        ("bytes=-5000", Stretch(0, 999)),
        ("Bytes=10-19", Stretch(10, 19)),
        ("bytes= 10 - 19 ", Stretch(10, 19)),
    ],
)
def test_a_single_range_is_honoured_and_cut_off_at_the_end(header, stretch):
    assert asked(header, 1000) == stretch


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=a-b",
        "bytes=0-1,5-9",
        "lines=0-9",
        "bytes=0x0-0x9",
        "bytes=--5",
        "bytes=１-２",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0-" + "0-" * 1000,
    ],
)
def test_what_is_no_single_byte_range_is_ignored(header):
    assert asked(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_outside_the_file_cannot_be_satisfied(header):
    with pytest.raises(Unsatisfiable):
        asked(header, 1000)


def test_an_empty_file_has_no_range():
    assert asked(None, 0) is None
    for header in ("bytes=0-", "bytes=-5"):
        with pytest.raises(Unsatisfiable):
            asked(header, 0)


def test_if_range_must_name_the_very_same_strong_tag():
    assert still_the_same(None, '"a"')
    assert still_the_same('"a"', '"a"')
    assert not still_the_same('"b"', '"a"')
    assert not still_the_same('W/"a"', '"a"')
    assert not still_the_same("Wed, 21 Oct 2015 07:28:00 GMT", '"a"')
