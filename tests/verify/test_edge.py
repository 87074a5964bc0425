"""The edge of a tiled tree, against trees that keep every hash."""

import pytest

from bluelamp.formats.merkle import EMPTY_ROOT, leaf_hash
from bluelamp.formats.tiles import WIDTH, Tile, TileError
from bluelamp.verify.edge import Edge
from tests.verify.static_log import StaticLog, entry

SIZES = (0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return StaticLog(tmp_path_factory.mktemp("log")).append(entry(number) for number in range(SIZES[-1]))


def test_the_root_is_right_at_every_size_and_the_tiles_are_those_that_the_log_has(log):
    edge = Edge()
    full = {}
    for size in SIZES:
        full |= dict(edge.extend([leaf_hash(each) for each in log.entries[edge.size : size]]))
        assert (edge.size, edge.root()) == (size, log.root(size) if size else EMPTY_ROOT)
        for tile, content in edge.partial():
            assert content == b"".join(log.nodes([(8 * tile.level, number) for number in range(*_span(tile))]))
        widths = {tile.level: tile.width for tile, _ in edge.partial()}
        assert widths == {level: size >> 8 * level & 255 for level in range(3) if size >> 8 * level & 255}
    assert set(full) == {Tile(0, index) for index in range(273)} | {Tile(1, 0)}
    for tile, content in full.items():
        assert content == b"".join(log.nodes([(8 * tile.level, number) for number in range(*_span(tile))]))


def _span(tile):
    return tile.index * WIDTH, tile.index * WIDTH + tile.width


def test_a_copy_goes_its_own_way_and_what_was_written_down_continues(log):
    edge = Edge()
    list(edge.extend([leaf_hash(each) for each in log.entries[:300]]))
    copy = Edge.from_rows(edge.rows())
    list(edge.copy().extend([leaf_hash(b"other")]))
    list(copy.extend([leaf_hash(each) for each in log.entries[300:600]]))
    assert (edge.root(), copy.root()) == (log.root(300), log.root(600))
    assert len(edge.leaves) == 300 - 256


def test_rows_that_no_tree_has_are_refused():
    for row in (b"h" * 33, b"h" * 32 * 256):
        with pytest.raises(TileError):
            Edge.from_rows([row])
