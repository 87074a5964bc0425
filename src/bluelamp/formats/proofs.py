"""Merkle inclusion and consistency proofs (RFC 6962 section 2.1, verified as in RFC 9162 sections 2.1.3 and 2.1.4).

A proof is a list of 32-byte hashes. Making one needs the hashes of *nodes*: the node `(level, index)` is the root of
the perfect subtree over the leaves `index * 2**level` to `(index + 1) * 2**level`, so it never changes once full.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from bluelamp.formats.errors import FormatError
from bluelamp.formats.merkle import EMPTY_ROOT, HASH_SIZE, node_hash

Node: TypeAlias = tuple[int, int]
"""(level, index)."""
Span: TypeAlias = tuple[int, int]
"""The leaves from the first number up to, not including, the second."""
Nodes: TypeAlias = Callable[[Sequence[Node]], Sequence[bytes]]
"""Whoever holds the tree: the hashes of nodes, in the order asked."""

MOST_HASHES = 63


class ProofError(FormatError):
    """A proof is malformed or does not prove what it is said to; the message says which."""


class HistoryRewritten(ProofError):
    """The proof leads to the new root, from another old one: whoever signed both roots signed two histories."""


def prove_inclusion(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, the leaf's sibling first.

    Raises ProofError where there is no such leaf.
    """
    return _hashes(inclusion_spans(index, size), nodes)


def prove_consistency(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Proof that the tree of `old` leaves is the beginning of the one of `new`; empty for 0 and for equal sizes.

    Raises ProofError where `old` is larger than `new`.
    """
    return _hashes(consistency_spans(old, new), nodes)


def tree_root(size: int, nodes: Nodes) -> bytes:
    """The root of the tree of `size` leaves."""
    return _hashes([(0, size)], nodes)[0] if size else EMPTY_ROOT


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Which leaves each hash of an inclusion proof stands for. Raises ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"A tree of {size} leaves has no leaf {index}.")
    spans, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """Which leaves each hash of a consistency proof stands for (RFC 6962 section 2.1.2). Raises ProofError."""
    if not 0 <= old <= new:
        raise ProofError(f"A tree of {new} leaves cannot continue one of {old}.")
    if old in (0, new):
        return []
    spans, low, high, whole = [], 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low, whole = middle, False
    # The old root itself is known to the reader; any other last subtree is not.
    return ([] if whole else [(low, high)]) + spans[::-1]


def perfect_nodes(span: Span) -> list[Node]:
    """The perfect subtrees that make up a span, largest (leftmost) first; spans of proofs begin where one may."""
    low, high = span
    found = []
    while low < high:
        level = (high - low).bit_length() - 1
        found.append((level, low >> level))
        low += 1 << level
    return found


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash stands at `index` in the tree of `size` leaves with this root.

    Raises ProofError. The algorithm is that of RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofError(f"A tree of {size} leaves has no leaf {index}.")
    _check(leaf, *proof, root)
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("The inclusion proof is longer than the tree is high.")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("The inclusion proof is shorter than the tree is high.")
    if node != root:
        raise ProofError(f"The proof does not lead from leaf {index} to the checkpoint's root.")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree of `new` leaves continues the one of `old`: nothing in it was changed or left out.

    Raises ProofError; of it HistoryRewritten only where the two roots contradict each other, whoever made the proof
    (which cannot be told where `old` is a power of two: such a proof does not lead to the old root). The algorithm is
    that of RFC 9162 section 2.1.4.2; a tree of no leaves is continued by any.
    """
    if not 0 <= old <= new:
        raise ProofError(f"A tree of {new} leaves cannot continue one of {old}.")
    _check(*proof, old_root, new_root)
    if old in (0, new):
        if proof:
            raise ProofError("A consistency proof from nothing, or between equal sizes, is empty.")
        if old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise HistoryRewritten(f"Two different trees of {old} leaves were signed.")
        return
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    path = list(proof) if position else [old_root, *proof]
    if not path:
        raise ProofError("The consistency proof is empty.")
    of_old = of_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("The consistency proof is longer than the tree is high.")
        if position & 1 or position == last:
            of_old, of_new = node_hash(sibling, of_old), node_hash(sibling, of_new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            of_new = node_hash(of_new, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("The consistency proof is shorter than the tree is high.")
    # A proof that leads nowhere says nothing about the trees, so this is looked at first.
    if of_new != new_root:
        raise ProofError(f"The proof does not lead to the root of the tree of {new} leaves.")
    if of_old != old_root:
        raise HistoryRewritten(f"The first {old} leaves are not those of the earlier tree: history was rewritten.")


def _hashes(spans: Sequence[Span], nodes: Nodes) -> list[bytes]:
    wanted = [perfect_nodes(span) for span in spans]
    found = iter(nodes([node for group in wanted for node in group]))
    hashes = []
    for group in wanted:
        parts = [next(found) for _ in group]
        value = parts.pop()
        while parts:
            value = node_hash(parts.pop(), value)
        hashes.append(value)
    return hashes


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _check(*hashes: bytes) -> None:
    if len(hashes) > MOST_HASHES + 2 or any(len(value) != HASH_SIZE for value in hashes):
        raise ProofError(f"A proof is made of at most {MOST_HASHES} hashes of {HASH_SIZE} bytes.")
