import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats import canonical
from bluelamp.formats.canonical import CanonicalError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdé\U0001f600"), inner, max_size=4),
    max_leaves=12,
)
SALTS = {"actor": b"a" * 16, "reason": b"r" * 32}


def _read(data):
    """A reader written from the documentation alone: the encoding is injective if this inverts it."""
    tag, length = data[:1], int.from_bytes(data[1:9], "big")
    payload, rest = data[9 : 9 + length], data[9 + length :]
    assert len(payload) == length
    if tag == b"N":
        return None, rest
    if tag == b"B":
        return payload == b"\x01", rest
    if tag == b"I":
        return int(payload), rest
    if tag == b"S":
        return payload.decode(), rest
    if tag == b"Y":
        return payload, rest
    items = []
    while payload:
        item, payload = _read(payload)
        items.append(item)
    return (items if tag == b"L" else dict(zip(items[::2], items[1::2], strict=True))), rest


def _typed(value):
    """A form in which 1 and True differ, as they must."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    return type(value).__name__, value


@given(values)
def test_what_is_encoded_can_be_read_back_so_no_two_values_share_bytes(value):
    read, rest = _read(canonical.encode(value))
    assert _typed(read) == _typed(value)
    assert rest == b""


@given(values, values)
def test_two_values_have_the_same_bytes_only_if_they_are_the_same(one, other):
    assert (canonical.encode(one) == canonical.encode(other)) == (_typed(one) == _typed(other))


@given(st.dictionaries(st.text("abcé\U0001f600"), st.integers(0, 9), max_size=6))
def test_the_order_in_which_a_map_was_filled_does_not_matter(mapping):
    assert canonical.encode(mapping) == canonical.encode(dict(reversed(mapping.items())))


def test_the_bytes_are_the_documented_ones():
    assert canonical.encode({"b": [None, True], "a": -7}) == (
        b"M\0\0\0\0\0\0\0\x3b"
        b"S\0\0\0\0\0\0\0\x01a" + b"I\0\0\0\0\0\0\0\x02-7"
        b"S\0\0\0\0\0\0\0\x01b"
        b"L\0\0\0\0\0\0\0\x13" + b"N\0\0\0\0\0\0\0\0" + b"B\0\0\0\0\0\0\0\x01\x01"
    )


@pytest.mark.parametrize("value", [1.5, 2**63, "\ud800", {1: "a"}, {"a": {1, 2}}, object], ids=repr)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(CanonicalError):
        canonical.encode(value)


def test_nesting_without_end_is_refused():
    value = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(CanonicalError, match="nested"):
        canonical.encode(value)


def test_an_entry_is_the_hash_over_the_fields_commitments():
    fields = {"actor": "person:7", "reason": "complaint"}

    def frame(tag, payload):
        return tag + len(payload).to_bytes(8, "big") + payload

    def commitment(name):
        parts = frame(b"Y", SALTS[name]) + frame(b"S", name.encode()) + frame(b"S", fields[name].encode())
        return hashlib.sha256(parts).digest()

    mapped = b"".join(frame(b"S", name.encode()) + frame(b"Y", commitment(name)) for name in ("actor", "reason"))
    assert canonical.commit(fields, SALTS) == hashlib.sha256(frame(b"M", mapped)).digest()


def test_an_entry_can_be_checked_after_one_field_was_erased():
    entry = canonical.commit({"actor": "person:7", "reason": "secret"}, SALTS)
    remaining = canonical.commit_field("reason", "secret", SALTS["reason"])
    actor = canonical.commit_field("actor", "person:7", SALTS["actor"])
    assert canonical.commit_digests({"actor": actor, "reason": remaining}) == entry


@pytest.mark.parametrize("change", [{"actor": "person:8"}, {"reason": None}, {"reason": ""}, {"reason": b"x"}])
def test_any_change_of_a_value_or_its_type_changes_the_entry(change):
    fields = {"actor": "person:7", "reason": "x"}
    assert canonical.commit({**fields, **change}, SALTS) != canonical.commit(fields, SALTS)


def test_a_value_moved_to_another_field_changes_the_entry():
    same = {"actor": b"s" * 16, "reason": b"s" * 16}
    assert canonical.commit({"actor": "x", "reason": "y"}, same) != canonical.commit(
        {"actor": "y", "reason": "x"}, same
    )


def test_a_field_without_a_salt_and_a_guessable_salt_are_refused():
    with pytest.raises(CanonicalError, match="'reason'"):
        canonical.commit({"actor": "x", "reason": "y"}, {"actor": b"a" * 16})
    with pytest.raises(CanonicalError, match="16"):
        canonical.commit({"actor": "x"}, {"actor": b"short"})
    with pytest.raises(CanonicalError, match="32"):
        canonical.commit_digests({"actor": b"short"})
