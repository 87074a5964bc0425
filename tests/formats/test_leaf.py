"""The stored form of an event: what is hashed is what is stored, and an erased field leaves the entry as it was."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats import canonical, leaf
from bluelamp.formats.errors import FormatError

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_FIELDS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), _VALUES, max_size=6)


@given(_FIELDS)
def test_a_stored_event_says_what_was_written_under_the_same_entry(fields: dict[str, object]) -> None:
    entry, stored = leaf.write(fields, os.urandom(16 * len(fields)))
    event = leaf.disclosed(stored)
    assert event.fields == fields
    assert leaf.entry_of(stored) == entry == event.entry() == canonical.commit(fields, event.salts)


@given(_FIELDS.filter(bool), st.data())
def test_erasing_fields_keeps_the_entry_and_everything_else(fields: dict[str, object], data: st.DataObject) -> None:
    entry, stored = leaf.write(fields, os.urandom(16 * len(fields)))
    gone = data.draw(st.sets(st.sampled_from(sorted(fields)), min_size=1))
    left = leaf.erase(stored, gone, erased_by=41)
    assert leaf.entry_of(left) == entry == leaf.disclosed(left).entry()
    assert leaf.values(left) == {name: value for name, value in fields.items() if name not in gone}
    assert {field.name for field in leaf.read(left) if field.erased_by == 41} == gone


@given(_FIELDS.filter(bool), st.data())
def test_any_changed_byte_changes_the_entry_or_cannot_be_read(fields: dict[str, object], data: st.DataObject) -> None:
    entry, stored = leaf.write(fields, os.urandom(16 * len(fields)))
    at = data.draw(st.integers(0, len(stored) - 1))
    changed = bytearray(stored)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        assert leaf.entry_of(bytes(changed)) != entry
    except FormatError:
        pass


@pytest.mark.parametrize("cut", [1, 9, 30, -1])
def test_a_stored_event_that_was_cut_is_refused(cut: int) -> None:
    _, stored = leaf.write({"tag": "recording.viewed", "reason": ""}, bytes(32))
    with pytest.raises(FormatError):
        leaf.entry_of(stored[:cut])
    with pytest.raises(FormatError):
        list(leaf.read(stored[:cut]))


def test_a_field_is_erased_once_and_must_exist() -> None:
    _, stored = leaf.write({"reason": "private"}, bytes(16))
    with pytest.raises(leaf.LeafError, match="no field 'actor'"):
        leaf.erase(stored, {"actor"}, 1)
    with pytest.raises(leaf.LeafError, match="erased before"):
        leaf.erase(leaf.erase(stored, {"reason"}, 1), {"reason"}, 2)


def test_the_documented_example_is_what_is_computed() -> None:
    document = (Path(__file__).parents[2] / "docs/protocols/custody-leaf.md").read_text()
    rows = re.findall(r"\| `([\w.]+)` \| `(.+?)` \| `([0-9a-f]{32})` \|", document)
    values = {name: json.loads(value) for name, value, _ in rows}
    salts = b"".join(bytes.fromhex(salt) for _, _, salt in sorted(rows))
    entry, _ = leaf.write(values, salts)
    assert entry.hex() in document


def _said(reader: leaf.Reader, stored: bytes) -> object:
    try:
        return reader.checked(stored, "alike")
    except FormatError as error:
        return str(error)


@given(_FIELDS.filter(bool), st.data())
def test_a_leaf_that_is_read_after_one_like_it_says_what_it_says_alone(
    fields: dict[str, object], data: st.DataObject
) -> None:
    wanted = {canonical.encode(name): name for name in data.draw(st.sets(st.sampled_from(sorted(fields))))}
    reader = leaf.Reader(wanted)
    _, met = leaf.write(fields, os.urandom(16 * len(fields)))
    entry, values, erased = reader.checked(met, "alike")
    assert (entry, erased) == (leaf.entry_of(met), [])
    assert values == {name: canonical.encode(fields[name]) for name in wanted.values()}
    other_values = {name: data.draw(_VALUES) for name in fields}
    _, like = leaf.write(other_values, os.urandom(16 * len(fields)))
    _, unlike = leaf.write({**other_values, "another": 1}, os.urandom(16 * len({*fields, "another"})))
    changed = bytearray(like)
    changed[data.draw(st.integers(0, len(like) - 1))] ^= data.draw(st.integers(1, 255))
    gone = leaf.erase(like, {data.draw(st.sampled_from(sorted(fields)))}, erased_by=41)
    cut = like[: data.draw(st.integers(0, len(like) - 1))]
    for stored in (like, unlike, bytes(changed), gone, cut, like + b"S", b""):
        assert _said(reader, stored) == _said(leaf.Reader(wanted), stored)
