"""Data folders of a test's own; root's clusters below /var/lib/bluelamp go with them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import clusters


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that does not exist yet, inside a folder closed to others; its cluster goes with it."""
    with _closed_folder() as folder:
        yield folder / "data"


@pytest.fixture(scope="module")
def kept_data() -> Iterator[Path]:
    """The same for all tests of a module: its database is made once, by whichever test starts first."""
    with _closed_folder() as folder:
        yield folder / "data"


@contextmanager
def _closed_folder() -> Iterator[Path]:
    closed = Path(tempfile.mkdtemp(prefix="bluelamp-"))
    yield closed
    clusters.remove_below(closed)
    shutil.rmtree(closed)
