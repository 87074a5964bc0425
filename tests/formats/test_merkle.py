import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats import merkle
from bluelamp.formats.merkle import CompactRange, MerkleError

# The vectors of the Certificate Transparency project, which RFC 6962 implementations share.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _defined(entries):
    """RFC 9162 section 2.1.1, word for word: MTH(D[n])."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + _defined(entries[:k]) + _defined(entries[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_published_vectors(size):
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:size]]
    assert merkle.root(leaves).hex() == ROOTS[size]


@pytest.mark.parametrize("size", [*range(34), 63, 64, 65, 255, 256, 257])
def test_roots_are_those_of_the_recursive_definition(size):
    entries = [index.to_bytes(4, "big") for index in range(size)]
    assert merkle.root([merkle.leaf_hash(entry) for entry in entries]) == _defined(entries)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_frontier_goes_on_where_it_was_saved(before, after):
    leaves = [merkle.leaf_hash(b"%d" % index) for index in range(before + after)]
    frontier = CompactRange()
    for leaf in leaves[:before]:
        frontier.append(leaf)
    restored = CompactRange.from_bytes(frontier.to_bytes())
    for leaf in leaves[before:]:
        restored.append(leaf)
    assert restored.size == before + after
    assert restored.root() == merkle.root(leaves)


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 7, b"\0" * 7 + b"\x01", b"\0" * 8 + b"x" * 32, b"\0" * 7 + b"\x02" + b"x" * 64]
)
def test_a_damaged_frontier_is_refused(data):
    with pytest.raises(MerkleError):
        CompactRange.from_bytes(data)


def test_a_leaf_hash_of_the_wrong_length_is_refused():
    with pytest.raises(MerkleError, match="32"):
        CompactRange().append(b"entry instead of hash")
