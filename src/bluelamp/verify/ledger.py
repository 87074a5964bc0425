"""Is the ledger what its signed checkpoints say? Recomputes every commitment, every leaf, every tile and every root.

The tree is checked in stretches of 65,536 leaves, each by itself (`check_stretch`), so that several processors share
the work; `conclude` puts them together under the checkpoints.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bluelamp.formats import canonical, leaf, merkle, tiles
from bluelamp.formats.cosignature import WitnessKey, cosignatures
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey

STRETCH = tiles.WIDTH**2
MOST_PROBLEMS = 1000
ERASURE_TAG = "custody.detail_erased"

_LISTED = ("actor", "also", "at", "subject", "tag")
_HEAD = 9  # a frame's tag and length
_NO_MORE = canonical.encode([])
_FRAMES = {canonical.encode(name): name for name in _LISTED}


class Row(NamedTuple):
    """One leaf as stored: its number in the tree, the event's number and entry, what it says, what it is found by.

    `at` is UTC without a zone. Everything after the two numbers is None where the row that should hold it is gone.
    """

    number: int
    event: int
    entry: bytes | None
    tag: str | None
    at: datetime | None
    stored: bytes | None
    actor: str | None
    subject: str | None
    also: Sequence[str] | None


class CheckpointRow(NamedTuple):
    """A checkpoint as stored: the signed note, and beside it size, root, frontier, and the size of the one before.

    The frontier is None for a note that was kept elsewhere.
    """

    size: int
    root: bytes
    frontier: bytes | None
    note: str
    previous: int = 0


class KeyRow(NamedTuple):
    """A key as listed: its vkey, and the size of the first checkpoint that it signed."""

    vkey: str
    since_size: int


class CosignatureRow(NamedTuple):
    """A signature line as stored, with the size of the checkpoint that it is on and the witness's vkey."""

    size: int
    witness: str
    line: str


TileRow = tuple[int, int, bytes, bytes]
"""A full tile as stored: level, index, hashes, and the root over them."""


@dataclass
class Stretch:
    """What was found in the leaves from `first` on: problems in words, the frontier at their end and at each wanted
    size, and what the tree's nodes above it need. Frontiers count from `first`."""

    first: int
    end: bytes = b""
    at_sizes: dict[int, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    erased: list[tuple[int, int, tuple[str, ...], int]] = field(default_factory=list)


@dataclass(frozen=True)
class LedgerReport:
    """What was found: how many leaves were checked, and each sign of tampering in words."""

    size: int
    problems: tuple[str, ...] = field(default=())

    @property
    def good(self) -> bool:
        return not self.problems


def check_stretch(first: int, rows: Iterable[Row], sizes: Sequence[int], stored_tiles: Iterable[TileRow]) -> Stretch:
    """Check the leaves of one stretch, which begins at leaf `first`, a multiple of 65,536.

    1. They are numbered without a gap, and each has its event and what the event says.
    2. Each entry is the commitment of the event's values and salts (docs/protocols/custody-leaf.md).
    3. Each event is listed under the type, time, actor and subjects that it says.
    4. The stored tiles of levels 0 and 1 hold the hashes of these leaves.

    `sizes`: at which sizes of the tree, beyond `first` and up to the stretch's end, a checkpoint stands.
    """
    found = Stretch(first)
    tree = merkle.CompactRange()
    hashes: list[bytes] = []
    reader = leaf.Reader(_FRAMES)
    wanted = {size - first for size in sizes}
    for row in rows:
        # 1
        if row.number != first + len(hashes):
            found.problems.append(f"Leaf {first + len(hashes)} is missing; leaf {row.number} stands in its place.")
            break
        if row.entry is None or row.stored is None:
            gone = "what it says" if row.entry is not None else "its event"
            found.problems.append(f"Leaf {row.number} (event {row.event}): {gone} is missing.")
        else:
            _check_row(row, reader, found)
        digest = merkle.leaf_hash(row.entry or b"")
        hashes.append(digest)
        tree.append(digest)
        if tree.size in wanted:
            found.at_sizes[first + tree.size] = tree.to_bytes()
    found.end = tree.to_bytes()
    _check_tiles(first, hashes, stored_tiles, found.problems)
    return found


def conclude(
    stretches: Sequence[Stretch],
    checkpoints: Iterable[CheckpointRow],
    keys: Iterable[VerifierKey],
    *,
    listed: Iterable[KeyRow] | None = None,
    cosigned: Iterable[CosignatureRow] = (),
    witnesses: Sequence[WitnessKey] = (),
    high_tiles: Iterable[TileRow] = (),
    outside: Sequence[int] = (),
    events: Callable[[Sequence[int]], Mapping[int, bytes]] = lambda numbers: {},
) -> LedgerReport:
    """Put the checked stretches, in order and without a gap, under the signed checkpoints.

    5. Each checkpoint is signed by one of the trusted `keys`, its row says what its note says, it follows the one
       before, and the leaves that it counts hash to its root. Keys are `listed` from the first checkpoint on that each
       signed, and cosignatures of known `witnesses` are on a checkpoint and genuine.
    6. No leaf stands beyond the latest checkpoint, since both are written together; no event stands `outside` both the
       tree and the queue to it.
    7. Tiles above level 1 fit the stretches below.
    8. Each erased field cites an event of the tree that erased it, ordered by one person and done by another.
       `events` returns what such events say, by number, those only that are leaves.
    """
    problems = [problem for stretch in stretches for problem in stretch.problems]
    before, sizes = merkle.CompactRange(), {0: merkle.CompactRange()}
    for stretch in stretches:
        if stretch.first != before.size:
            problems.append(f"The leaves from {before.size} to {stretch.first} were not read.")
            break
        for size, frontier in stretch.at_sizes.items():
            sizes[size] = before.joined(merkle.CompactRange.from_bytes(frontier))
        before = before.joined(merkle.CompactRange.from_bytes(stretch.end))
    rows = list(checkpoints)
    latest = _check_checkpoints(rows, list(keys), sizes, before.size, problems)
    notes = {row.size: row.note for row in rows if row.frontier is not None}
    if listed is not None:
        _check_keys(list(listed), list(keys), notes, problems)
    _check_cosignatures(cosigned, witnesses, notes, problems)
    if before.size > latest:
        problems.append(f"The latest checkpoint counts {latest} leaves, the ledger has {before.size}.")
    if outside:
        shown = ", ".join(str(number) for number in outside[:5]) + (" and more" if len(outside) > 5 else "")
        problems.append(f"{len(outside):,} event(s) stand neither in the tree nor in the queue to it: {shown}.")
    roots = [merkle.CompactRange.from_bytes(stretch.end).root() for stretch in stretches]
    _check_high_tiles(high_tiles, roots[: before.size // STRETCH], problems)
    _check_erasures([erased for stretch in stretches for erased in stretch.erased], events, problems)
    if len(problems) > MOST_PROBLEMS:
        problems = [*problems[:MOST_PROBLEMS], f"{len(problems) - MOST_PROBLEMS:,} more are not listed."]
    return LedgerReport(before.size, tuple(problems))


def _check_row(row: Row, reader: leaf.Reader, found: Stretch) -> None:
    # 2
    try:
        entry, said, erased = reader.checked(row.stored or b"", row.tag or "")
    except FormatError as error:
        found.problems.append(f"Leaf {row.number} (event {row.event}): {error}")
        return
    if entry != row.entry:
        found.problems.append(
            f"Leaf {row.number} (event {row.event}) does not match what the ledger says the event was."
        )
    if erased:
        by_event: dict[int, list[str]] = {}
        for name, number in erased:
            by_event.setdefault(number, []).append(name)
        found.erased += [(row.number, row.event, tuple(names), number) for number, names in by_event.items()]
    # 3
    if not _is_listed(row, said, erased):
        found.problems.append(
            f"Leaf {row.number} (event {row.event}): its type, time, actor or subject in the list is not what the "
            "event says."
        )


def _is_listed(row: Row, said: Mapping[str, bytes], erased: Sequence[tuple[str, int]]) -> bool:
    """Whether the list says what the event says: frames are compared, which is faster than reading them."""
    gone = {name for name, _ in erased}
    for name, value in (("tag", row.tag), ("actor", row.actor), ("subject", row.subject)):
        if name in gone:
            # What the law took out of the event has gone from the list as well.
            if value:
                return False
        elif value is None or said.get(name, b"")[_HEAD:] != value.encode():
            return False
    if said.get("also", _NO_MORE) == _NO_MORE:
        if row.also:
            return False
    elif said["also"] != canonical.encode(list(row.also or ())):
        return False
    at = f"{row.at.isoformat()}Z".encode() if row.at else b""
    return "at" in gone or said.get("at", b"")[_HEAD:] == at


def _check_tiles(first: int, hashes: Sequence[bytes], stored: Iterable[TileRow], problems: list[str]) -> None:
    """4"""
    due = {(0, first // tiles.WIDTH + at) for at in range(len(hashes) // tiles.WIDTH)}
    if len(hashes) == STRETCH:
        due.add((1, first // STRETCH))
    roots = []
    for at in range(0, len(hashes) - tiles.WIDTH + 1, tiles.WIDTH):
        roots.append(merkle.root(hashes[at : at + tiles.WIDTH]))
    for level, index, content, root in stored:
        due.discard((level, index))
        at = index * tiles.WIDTH - (first if level == 0 else first // tiles.WIDTH)
        right = (hashes if level == 0 else roots)[max(at, 0) : max(at, 0) + tiles.WIDTH] if at >= 0 else []
        # The root of a tile of level 0 is known already: it is a hash of the tile above.
        whole = len(right) == tiles.WIDTH
        if (
            not whole
            or content != b"".join(right)
            or root != (merkle.root(right) if level else roots[at // tiles.WIDTH])
        ):
            problems.append(f"The stored tile {tiles.Tile(level, index).path} does not hold the hashes of the leaves.")
    problems += [f"The tile {tiles.Tile(level, index).path} is missing." for level, index in sorted(due)]


def _check_high_tiles(stored: Iterable[TileRow], roots: Sequence[bytes], problems: list[str]) -> None:
    """7. `roots` are those of the full stretches, which are the hashes of the tiles of level 2."""
    levels = {2: list(roots)}
    due = set()
    level = 2
    while len(levels[level]) >= tiles.WIDTH:
        row = levels[level]
        full = range(len(row) // tiles.WIDTH)
        due |= {(level, index) for index in full}
        levels[level + 1] = [merkle.root(row[index * tiles.WIDTH : (index + 1) * tiles.WIDTH]) for index in full]
        level += 1
    for level, index, content, root in stored:
        due.discard((level, index))
        right = levels.get(level, [])[index * tiles.WIDTH : (index + 1) * tiles.WIDTH]
        if len(right) != tiles.WIDTH or content != b"".join(right) or root != levels[level + 1][index]:
            problems.append(f"The stored tile {level}/{index} does not hold the hashes of the tiles below it.")
    problems += [f"The tile {tiles.Tile(level, index).path} is missing." for level, index in sorted(due)]


def _check_checkpoints(
    rows: Iterable[CheckpointRow],
    keys: Sequence[VerifierKey],
    sizes: Mapping[int, merkle.CompactRange],
    leaves: int,
    problems: list[str],
) -> int:
    """5. Returns the size of the latest checkpoint, 0 where there is none."""
    latest = 0
    for row in rows:
        if row.frontier is not None and row.previous != latest:
            problems.append(f"The checkpoint before that of size {row.size}, of size {row.previous}, is missing.")
        latest = max(latest, row.size if row.frontier is not None else 0)
        name = f"The {'checkpoint' if row.frontier is not None else 'note that was kept,'} of size {row.size}"
        try:
            checkpoint = verify_checkpoint(row.note, keys)
        except FormatError as error:
            problems.append(f"{name} cannot be trusted: {error}")
            continue
        if (checkpoint.size, checkpoint.root) != (row.size, row.root):
            problems.append(f"{name}: its row does not say what its signed note says.")
            continue
        if checkpoint.size > leaves:
            problems.append(f"{name} counts {checkpoint.size} leaves, the ledger has {leaves}.")
        elif checkpoint.size not in sizes or sizes[checkpoint.size].root() != checkpoint.root:
            root = base64.b64encode(checkpoint.root).decode()
            problems.append(f"{name}: the leaves do not hash to its root, {root}.")
        elif row.frontier is not None and sizes[checkpoint.size].to_bytes() != row.frontier:
            problems.append(f"{name}: its frontier is not that of the leaves, so the tree cannot be continued.")
    return latest


def _check_keys(
    listed: Sequence[KeyRow], keys: Sequence[VerifierKey], notes: Mapping[int, str], problems: list[str]
) -> None:
    """The list of keys says what the checkpoints say."""
    first: dict[str, int] = {}
    for size, note in notes.items():
        for key in keys:
            if str(key) not in first and _is_signed(note, key):
                first[str(key)] = size
    said = {row.vkey: row.since_size for row in listed}
    for vkey in sorted(first.keys() ^ said.keys()):
        what = "signed checkpoints and is not in the list of keys" if vkey in first else "is listed and signed nothing"
        problems.append(f"The key {vkey} {what}.")
    for vkey in first.keys() & said.keys():
        if first[vkey] != said[vkey]:
            problems.append(f"The key {vkey} is listed from size {said[vkey]}; it signed first at {first[vkey]}.")


def _is_signed(note: str, key: VerifierKey) -> bool:
    try:
        verify_checkpoint(note, key)
    except FormatError:
        return False
    return True


def _check_cosignatures(
    rows: Iterable[CosignatureRow], witnesses: Sequence[WitnessKey], notes: Mapping[int, str], problems: list[str]
) -> None:
    known = {str(witness): witness for witness in witnesses}
    for row in rows:
        name = f"The cosignature of {row.witness} on the checkpoint of size {row.size}"
        if row.size not in notes:
            problems.append(f"{name} is there, the checkpoint is not.")
        elif row.witness in known:
            try:
                genuine = cosignatures(notes[row.size] + row.line, [known[row.witness]])
            except FormatError:
                genuine = []
            if not genuine:
                problems.append(f"{name} is not genuine.")


def _check_erasures(
    erased: Sequence[tuple[int, int, tuple[str, ...], int]],
    events: Callable[[Sequence[int]], Mapping[int, bytes]],
    problems: list[str],
) -> None:
    """8"""
    said = events(sorted({number for *_, number in erased})) if erased else {}
    for index, event, names, number in erased:
        try:
            values = leaf.values(said[number]) if number in said else {}
        except FormatError:
            values = {}
        asked, did = values.get("detail.asked_by"), values.get("actor")
        if (
            values.get("tag") != ERASURE_TAG
            or values.get("subject") != f"event:{event}"
            or not set(names) <= set(values.get("detail.fields") or ())
            or not asked
            or not did
            or asked == did
        ):
            problems.append(
                f"Leaf {index} (event {event}): {', '.join(names)} is gone without a lawful erasure in the ledger."
            )


def commits(entry: bytes, stored: bytes) -> bool:
    """Whether a stored event hashes to the 32-byte entry (docs/protocols/custody-leaf.md)."""
    try:
        return leaf.entry_of(stored) == entry
    except FormatError:
        return False
