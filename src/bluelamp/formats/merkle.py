"""Merkle tree hashes of RFC 6962 section 2.1 (RFC 9162 section 2.1.1), over SHA-256.

Leaves and nodes are hashed under different prefixes (00 and 01), so that no node can pass for a leaf.
"""

import hashlib
from collections.abc import Sequence

from bluelamp.formats.errors import FormatError

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_SIZE = 32


class MerkleError(FormatError):
    """A serialised tree frontier or a hash has the wrong shape."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(00 || entry), 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 || left || right), 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The tree's root over leaf hashes (not entries), in time linear in their number."""
    frontier = CompactRange()
    for leaf in leaf_hashes:
        frontier.append(leaf)
    return frontier.root()


class CompactRange:
    """The append-only frontier of a tree: enough to add leaves and know the root, in 32 * log2(size) bytes.

    `_peaks` are the roots of the perfect subtrees that make up the tree, largest (leftmost) first: one for
    each bit that is set in `size`.
    """

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash (32 bytes)."""
        if len(leaf) != HASH_SIZE:
            raise MerkleError(f"A leaf hash has {HASH_SIZE} bytes, not {len(leaf)}.")
        self._push(leaf, 0)

    def joined(self, after: "CompactRange") -> "CompactRange":
        """This tree followed by the leaves of `after`, in time logarithmic in their numbers.

        Raises MerkleError unless `after` begins where a subtree of its size may begin in the whole.
        """
        lowest = self._size & -self._size
        if self._size and after._size > lowest:
            raise MerkleError(f"{after._size} leaves cannot be joined to a tree of {self._size} as they are.")
        whole = CompactRange()
        whole._size, whole._peaks = self._size, list(self._peaks)
        done = 0
        for peak in after._peaks:
            height = (after._size - done).bit_length() - 1
            whole._push(peak, height)
            done += 1 << height
        return whole

    def _push(self, node: bytes, height: int) -> None:
        size = self._size >> height
        while size & 1:
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self._size += 1 << height

    def root(self) -> bytes:
        """The Merkle tree hash of everything appended so far; SHA-256 of nothing for an empty tree."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node

    def to_bytes(self) -> bytes:
        """Size (8 bytes, big-endian) followed by the peaks, largest subtree first."""
        return self._size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> "CompactRange":
        """The inverse of `to_bytes`. Raises MerkleError when the number of hashes does not fit the size."""
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + HASH_SIZE * size.bit_count():
            raise MerkleError("The tree frontier is damaged: its number of hashes does not fit its size.")
        frontier = cls()
        frontier._size = size
        frontier._peaks = [bytes(data[at : at + HASH_SIZE]) for at in range(8, len(data), HASH_SIZE)]
        return frontier
