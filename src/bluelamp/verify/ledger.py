"""Is the ledger what its last signed checkpoint says? Recomputes every commitment, every leaf and the root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bluelamp.formats import canonical, merkle, signed_note
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.errors import FormatError


@dataclass(frozen=True)
class Leaf:
    """One leaf as stored: its index, its 32-byte entry, and the values and salts (hex) that the entry commits to.

    `index` is None for an event that stands neither in the tree nor in the queue to it. `listed_as_said`: the type
    and time by which the event is found and sorted are those among its values.
    """

    index: int | None
    entry: bytes
    fields: Mapping[str, Any]
    salts: Mapping[str, str]
    listed_as_said: bool = True


@dataclass(frozen=True)
class LedgerReport:
    """What was found: how many leaves were checked, and each sign of tampering in words."""

    size: int
    problems: tuple[str, ...] = field(default=())

    @property
    def good(self) -> bool:
        return not self.problems


def check_ledger(leaves: Iterable[Leaf], note: str, verifier_key: str) -> LedgerReport:
    """Check `leaves` (in order) against the signed checkpoint `note` under a trusted C2SP verifier key.

    1. The checkpoint is signed by the trusted key.
    2. Each entry is the commitment of its values and salts (docs/protocols/custody-leaf.md).
    3. The leaves are numbered without a gap, and the first `size` of them hash to the checkpoint's root (RFC 9162).
    4. Each event is listed under the type and time that it says.
    5. No event stands outside both the tree and the queue to it.
    """
    problems: list[str] = []
    # 1
    try:
        checkpoint = Checkpoint.parse(signed_note.verify_note(note, verifier_key))
    except FormatError as error:
        return LedgerReport(0, (f"The checkpoint cannot be trusted: {error}",))
    tree = merkle.CompactRange()
    outside = 0
    for leaf in leaves:
        # 5
        if leaf.index is None:
            outside += 1
            continue
        if tree.size == checkpoint.size:
            continue
        # 2
        if not commits(leaf.entry, leaf.fields, leaf.salts):
            problems.append(f"Leaf {leaf.index} does not match what the ledger says the event was.")
        # 4
        if not leaf.listed_as_said:
            problems.append(f"Leaf {leaf.index}: its type or time in the list is not what the event says.")
        # 3
        if leaf.index != tree.size:
            problems.append(f"Leaf {tree.size} is missing; leaf {leaf.index} stands in its place.")
            break
        tree.append(merkle.leaf_hash(leaf.entry))
    if tree.size != checkpoint.size:
        problems.append(f"The checkpoint counts {checkpoint.size} leaves, the ledger has {tree.size}.")
    elif tree.root() != checkpoint.root:
        problems.append("The leaves do not hash to the checkpoint's root.")
    if outside:
        stand = "event stands" if outside == 1 else "events stand"
        problems.append(f"{outside:,} {stand} neither in the tree nor in the queue to it.")
    return LedgerReport(tree.size, tuple(problems))


def commits(entry: bytes, fields: Mapping[str, Any], salts: Mapping[str, str]) -> bool:
    """Whether values and salts (hex) give the 32-byte entry (docs/protocols/custody-leaf.md)."""
    try:
        return canonical.commit(fields, {name: bytes.fromhex(salt) for name, salt in salts.items()}) == entry
    except (FormatError, ValueError, KeyError):
        return False
