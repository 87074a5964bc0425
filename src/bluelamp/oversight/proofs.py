"""The mathematics of one event, step by step, so that a page can show each; and of all events about a recording.

1. What the event says, with its salts, has one fingerprint: the leaf entry (docs/protocols/custody-leaf.md).
2. That fingerprint and the hashes beside its path give the tree's root (RFC 9162 section 2.1.3).
3. The log's key signed this root, and witnesses cosigned it (C2SP tlog-checkpoint, tlog-cosignature).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from bluelamp.custody import keys, proving
from bluelamp.custody.models import CustodyCheckpoint
from bluelamp.formats import leaf, merkle, proofs, tiles
from bluelamp.formats.cosignature import cosignatures
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import LogProof, verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel.errors import NotFound

_MOST_RECOMPUTED = 65_536
"""Leaves under a hash of the path that are hashed again to tell whether it is that hash which is wrong."""

_EVENT = "SELECT e.entry, d.stored FROM custody_event e JOIN custody_detail d ON d.event_id = e.id WHERE e.id = %s"
_LEAVES = """
SELECT e.entry FROM custody_leaf l JOIN custody_event e ON e.id = l.event_id
WHERE l.index >= %s AND l.index < %s ORDER BY l.index
"""
_ABOUT = """
SELECT e.id, e.entry, d.stored, l.index
FROM custody_detail d JOIN custody_event e ON e.id = d.event_id LEFT JOIN custody_leaf l ON l.event_id = e.id
WHERE d.subject = %(subject)s OR (d.also @> ARRAY[%(subject)s] AND d.also <> '{}')
ORDER BY e.id
"""


@dataclass(frozen=True)
class Level:
    """One step up the tree: the hash that is reached and, below the root, the one beside it.

    `first` to `last` are the leaves under the hash beside. `right`: the path is the right child here. `wrong`: the hash
    beside is not what its leaves give.
    """

    number: int
    hash: bytes
    beside: bytes | None = None
    right: bool = False
    first: int = 0
    last: int = 0
    wrong: bool = False


@dataclass(frozen=True)
class Signature:
    """Somebody's signature under the checkpoint. `at` is the signer's clock, None where the signature has no time."""

    name: str
    good: bool
    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class Steps:
    """All that was computed for one event. `damaged`: why what it says cannot be read at all."""

    event_id: int
    event: DisclosedEvent | None
    damaged: str
    entry: bytes
    stored_entry: bytes
    proof: LogProof
    size: int
    root: bytes
    levels: tuple[Level, ...]
    log: Signature
    witnesses: tuple[Signature, ...]
    verdict: str

    @property
    def says_good(self) -> bool:
        """Step 1: what it says has the fingerprint that was recorded."""
        return not self.damaged and self.entry == self.stored_entry

    @property
    def path_good(self) -> bool:
        """Step 2: from that fingerprint the path leads to the root."""
        return self.levels[-1].hash == self.root

    @property
    def signed_good(self) -> bool:
        """Step 3: the root is signed, and no cosignature is forged."""
        return self.log.good and all(item.good for item in self.witnesses)

    @property
    def good(self) -> bool:
        """All three, and `LogProof.verify`, which anybody runs offline, agrees."""
        return self.says_good and self.path_good and self.signed_good and not self.verdict

    @property
    def breaks_at(self) -> int | None:
        """The first step that does not hold."""
        steps = (self.says_good, self.path_good, self.signed_good)
        return next((number for number, good in enumerate(steps, 1) if not good), None)


def steps(event_id: int) -> Steps:
    """Prove one event under the latest checkpoint. Raises NotFound for an unknown event, or one not in the tree yet."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENT, [event_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no event of this number in the ledger.", "", "Look it up in the list of events.")
    stored_entry, stored = map(bytes, row)
    under = proving.latest()
    proof = proving.log_proof(event_id, under)
    event, damaged, entry = _read(stored)
    root = bytes(under.root)
    levels = _climb(merkle.leaf_hash(entry), proof, under.size)
    if entry == stored_entry and levels[-1].hash != root:
        levels = tuple(_with_fault(level) for level in levels)
    return Steps(
        event_id=event_id,
        event=event,
        damaged=damaged,
        entry=entry,
        stored_entry=stored_entry,
        proof=proof,
        size=under.size,
        root=root,
        levels=levels,
        log=_log_signature(proof.note),
        witnesses=tuple(_cosignatures(proof.note)),
        verdict=_verdict(proof, entry),
    )


def verify_all(subject: str) -> tuple[CustodyCheckpoint, dict[int, str]]:
    """Every event about `subject` under the latest checkpoint: by number, what is wrong with it; "" for nothing.

    Events that are not in the tree yet are left out. Raises NotFound while there is no checkpoint.
    """
    under = proving.latest()
    nodes = tiles.TileNodes(under.size, proving.read)
    unsigned = _log_signature(proving.published(under)).why
    with connection.cursor() as cursor:
        cursor.execute(_ABOUT, {"subject": subject})
        rows = cursor.fetchall()
    found = {}
    for event_id, entry, stored, index in rows:
        if index is not None and index < under.size:
            found[event_id] = unsigned or _wrong(bytes(entry), bytes(stored), index, under, nodes)
    return under, found


def _wrong(entry: bytes, stored: bytes, index: int, under: CustodyCheckpoint, nodes: proofs.Nodes) -> str:
    try:
        if leaf.entry_of(stored) != entry:
            return "What it says is not what was recorded."
        path = proofs.prove_inclusion(index, under.size, nodes)
        proofs.verify_inclusion(merkle.leaf_hash(entry), index, under.size, path, bytes(under.root))
    except FormatError as error:
        return str(error)
    return ""


def _read(stored: bytes) -> tuple[DisclosedEvent | None, str, bytes]:
    """The event, why it cannot be read, and its entry; of a damaged one the entry is that of nothing."""
    try:
        event = leaf.disclosed(stored)
        return event, "", event.entry()
    except FormatError as error:
        return None, str(error), b""


def _climb(digest: bytes, proof: LogProof, size: int) -> tuple[Level, ...]:
    """From the leaf to whatever root its path gives, the leaf first."""
    spans = proofs.inclusion_spans(proof.index, size)
    low, levels = proof.index, []
    for number, (beside, span) in enumerate(zip(proof.path, spans, strict=True)):
        right = span[0] < low
        levels.append(Level(number, digest, beside, right, span[0], span[1] - 1))
        digest = merkle.node_hash(beside, digest) if right else merkle.node_hash(digest, beside)
        low = min(low, span[0])
    return (*levels, Level(len(levels), digest))


def _with_fault(level: Level) -> Level:
    if level.beside is None or level.last - level.first >= _MOST_RECOMPUTED:
        return level
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES, [level.first, level.last + 1])
        leaves = [merkle.leaf_hash(bytes(entry)) for (entry,) in cursor.fetchall()]
    given = merkle.root(leaves) if leaves else b""
    return Level(level.number, level.hash, level.beside, level.right, level.first, level.last, given != level.beside)


def _log_signature(note: str) -> Signature:
    vkeys = [VerifierKey.parse(vkey) for vkey in keys.log_vkeys()]
    try:
        checkpoint = verify_checkpoint(note, vkeys)
    except FormatError as error:
        return Signature(vkeys[-1].name, False, None, str(error))
    return Signature(checkpoint.origin, True)


def _cosignatures(note: str) -> Iterable[Signature]:
    for witness in settings.BLUELAMP.witnesses:
        try:
            found = cosignatures(note, [witness.key])
        except FormatError as error:
            yield Signature(witness.key.name, False, None, str(error))
            continue
        for item in found:
            yield Signature(item.witness, True, datetime.fromtimestamp(item.time, UTC))


def _verdict(proof: LogProof, entry: bytes) -> str:
    """What is wrong by the rules of `formats.log_proof`; nothing where the proof holds."""
    try:
        proof.verify(entry, [VerifierKey.parse(vkey) for vkey in keys.log_vkeys()])
    except FormatError as error:
        return str(error)
    return ""
