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
    """One leaf as stored: its index, its 32-byte entry, and the values and salts (hex) that the entry commits to."""

    index: int
    entry: bytes
    fields: Mapping[str, Any]
    salts: Mapping[str, str]


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
    """
    problems: list[str] = []
    # 1
    try:
        checkpoint = Checkpoint.parse(signed_note.verify_note(note, verifier_key))
    except FormatError as error:
        return LedgerReport(0, (f"The checkpoint cannot be trusted: {error}",))
    tree = merkle.CompactRange()
    for leaf in leaves:
        if tree.size == checkpoint.size:
            break
        # 2
        if not _commits(leaf):
            problems.append(f"Leaf {leaf.index} does not match what the ledger says the event was.")
        # 3
        if leaf.index != tree.size:
            problems.append(f"Leaf {tree.size} is missing; leaf {leaf.index} stands in its place.")
            break
        tree.append(merkle.leaf_hash(leaf.entry))
    if tree.size != checkpoint.size:
        problems.append(f"The checkpoint counts {checkpoint.size} leaves, the ledger has {tree.size}.")
    elif tree.root() != checkpoint.root:
        problems.append("The leaves do not hash to the checkpoint's root.")
    return LedgerReport(tree.size, tuple(problems))


def _commits(leaf: Leaf) -> bool:
    try:
        salts = {name: bytes.fromhex(salt) for name, salt in leaf.salts.items()}
        return canonical.commit(leaf.fields, salts) == leaf.entry
    except (FormatError, ValueError, KeyError):
        return False
