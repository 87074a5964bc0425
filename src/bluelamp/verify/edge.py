"""The right edge of a tiled tree (C2SP tlog-tiles): the hashes of its incomplete tiles, level by level.

That is enough to continue the tree, to know its root, and to say byte for byte what each further tile must hold; at
most 255 hashes a level.
"""

from collections.abc import Iterator, Sequence

from bluelamp.formats.merkle import EMPTY_ROOT, HASH_SIZE, node_hash
from bluelamp.formats.tiles import HEIGHT, WIDTH, Tile, TileError, split_hashes


class Edge:
    """A tree as far as it is known; empty at first."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """Number of leaves."""
        return sum(len(row) << (HEIGHT * level) for level, row in enumerate(self._levels))

    @property
    def leaves(self) -> list[bytes]:
        """The leaf hashes that are in no complete tile yet."""
        return list(self._levels[0])

    def extend(self, leaves: Sequence[bytes]) -> Iterator[tuple[Tile, bytes]]:
        """Add leaf hashes; yields each tile that is complete now, with what it must hold."""
        for leaf in leaves:
            self._levels[0].append(leaf)
            level = 0
            while len(self._levels[level]) == WIDTH:
                row = self._levels[level]
                self._levels[level] = []
                if level + 1 == len(self._levels):
                    self._levels.append([])
                self._levels[level + 1].append(_root(row))
                yield Tile(level, self._complete(level) - 1), b"".join(row)
                level += 1

    def partial(self) -> list[tuple[Tile, bytes]]:
        """The incomplete tiles of the tree as it stands, with what they must hold."""
        return [
            (Tile(level, self._complete(level), len(row)), b"".join(row))
            for level, row in enumerate(self._levels)
            if row
        ]

    def root(self) -> bytes:
        """The root of the tree."""
        peaks = []
        for row in reversed(self._levels):
            at = 0
            for bit in range(HEIGHT - 1, -1, -1):
                if len(row) & 1 << bit:
                    peaks.append(_root(row[at : at + (1 << bit)]))
                    at += 1 << bit
        if not peaks:
            return EMPTY_ROOT
        value = peaks.pop()
        while peaks:
            value = node_hash(peaks.pop(), value)
        return value

    def copy(self) -> "Edge":
        """The same tree, to be continued apart from this one."""
        return Edge.from_rows([b"".join(row) for row in self._levels])

    def rows(self) -> list[bytes]:
        """The hashes level by level, for `from_rows`."""
        return [b"".join(row) for row in self._levels]

    @classmethod
    def from_rows(cls, rows: Sequence[bytes]) -> "Edge":
        """Raises TileError."""
        if any(len(row) >= WIDTH * HASH_SIZE for row in rows):
            raise TileError("A tree's edge holds at most 255 hashes a level.")
        edge = cls()
        edge._levels = [split_hashes(row) for row in rows] or [[]]
        return edge

    def _complete(self, level: int) -> int:
        """How many complete tiles there are at a level: each gave one hash to the level above."""
        return sum(len(row) << (HEIGHT * above) for above, row in enumerate(self._levels[level + 1 :]))


def _root(row: Sequence[bytes]) -> bytes:
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
