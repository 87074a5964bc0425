"""Tiles of a transparency log (C2SP tlog-tiles): the Merkle tree as static files of up to 256 hashes.

The tile `index` at `level` holds the roots of 256 subtrees of 256**level leaves each, from leaf
`index * 256**(level + 1)` on. A tile at the tree's right edge is partial: its `width` is 1 to 255. Entry bundles are
cut in the same way and hold the entries themselves, each after its length (2 bytes, big-endian).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bluelamp.formats.errors import FormatError
from bluelamp.formats.merkle import HASH_SIZE, node_hash
from bluelamp.formats.proofs import Node

HEIGHT = 8
WIDTH = 1 << HEIGHT
MOST_LEVEL = 7  # 256**8 leaves are more than any size that a checkpoint can say

_NUMBER = re.compile(r"((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LEVEL = re.compile(r"0|[1-9][0-9]?")


class TileError(FormatError):
    """A tile's path or content is not what tlog-tiles says."""


@dataclass(frozen=True, order=True)
class Tile:
    """Where a tile stands. `level` -1 names the entry bundle below the tile of level 0."""

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not (-1 <= self.level <= MOST_LEVEL and 0 <= self.index < 2**56 and 1 <= self.width <= WIDTH):
            raise TileError("There is no such tile.")

    @property
    def path(self) -> str:
        """Its address below the log's prefix, such as `tile/0/x001/x234/067.p/12`."""
        level = "entries" if self.level < 0 else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_number(self.index)}{partial}"

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """From its path. Raises TileError; an index or width has one spelling only."""
        kind, _, rest = path.removeprefix("tile/").partition("/")
        found = _NUMBER.fullmatch(rest)
        if not path.startswith("tile/") or not found or not (kind == "entries" or _LEVEL.fullmatch(kind)):
            raise TileError(f"{path[:200]!r} is not the path of a tile.")
        high, low, partial = found.groups()
        tile = cls(
            -1 if kind == "entries" else int(kind),
            int(high.replace("x", "").replace("/", "") + low),
            int(partial) if partial else WIDTH,
        )
        if tile.path != path:
            raise TileError(f"{path[:200]!r} is not how the path of a tile is written.")
        return tile

    @property
    def full(self) -> "Tile":
        """The same tile once it is full."""
        return Tile(self.level, self.index)

    def exists_in(self, size: int) -> bool:
        """Whether a tree of `size` leaves has this tile: a full one wholly, a partial one up to its width."""
        return (self.index * WIDTH + self.width) << (HEIGHT * max(self.level, 0)) <= size


def tile_of(node: Node, size: int) -> tuple[Tile, int, int]:
    """In which tile of a tree of `size` leaves a node's hash is found: the tile, and the first and end of its hashes.

    The node is the root over these hashes. Raises TileError where the tree does not have the node.
    """
    level, index = node
    if (index + 1) << level > size:
        raise TileError(f"A tree of {size} leaves has no node {index} at level {level}.")
    tile_level, height = divmod(level, HEIGHT)
    number, first = divmod(index << height, WIDTH)
    at_level = size >> (HEIGHT * tile_level)
    tile = Tile(tile_level, number, min(WIDTH, at_level - number * WIDTH))
    return tile, first, first + (1 << height)


def node_in(hashes: bytes, first: int, end: int) -> bytes:
    """The root over the hashes `first` to `end` (a power of two of them) of a tile's content. Raises TileError."""
    row = split_hashes(hashes[first * HASH_SIZE : end * HASH_SIZE])
    if len(row) != end - first:
        raise TileError("The tile is shorter than the tree says.")
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def split_hashes(content: bytes) -> list[bytes]:
    """A tile's content as hashes. Raises TileError."""
    if len(content) % HASH_SIZE or len(content) > WIDTH * HASH_SIZE:
        raise TileError("A tile is made of up to 256 hashes of 32 bytes.")
    return [content[at : at + HASH_SIZE] for at in range(0, len(content), HASH_SIZE)]


def write_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle's content."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(content: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle. Raises TileError where it holds more, fewer or half of one."""
    entries, at = [], 0
    while at < len(content):
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if end > len(content) or at + 2 > len(content):
            raise TileError("An entry bundle ends in the middle of an entry.")
        entries.append(content[at + 2 : end])
        at = end
    if len(entries) != width:
        raise TileError(f"An entry bundle holds {len(entries)} entries where {width} belong.")
    return entries


class TileNodes:
    """The nodes of a tree of `size` leaves, read from its tiles: what proofs are made from (`proofs.Nodes`).

    `fetch` returns a tile's content. Tiles are fetched once each. What they hold is not trusted: a proof that is made
    from them is verified against a signed root by whoever uses it. Raises TileError for content of the wrong length,
    and whatever `fetch` raises.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._fetch = fetch
        self._known: dict[Tile, bytes] = {}

    def __call__(self, nodes: Sequence[Node]) -> list[bytes]:
        return [self._node(node) for node in nodes]

    def _node(self, node: Node) -> bytes:
        tile, first, end = tile_of(node, self._size)
        if tile not in self._known:
            content = self._fetch(tile)
            if len(content) != tile.width * HASH_SIZE:
                raise TileError(f"{tile.path} holds {len(content)} bytes, not {tile.width * HASH_SIZE}.")
            self._known[tile] = content
        return node_in(self._known[tile], first, end)


def _number(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
