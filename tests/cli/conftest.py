"""Data folders of a test's own; root's clusters below /var/lib/bluelamp go with them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that does not exist yet, inside a folder closed to others; demonstrations' clusters go with it."""
    from bluelamp.cli.supervisor.cluster import remove_vanished_demonstrations

    closed = Path(tempfile.mkdtemp(prefix="bluelamp-"))
    yield closed / "data"
    shutil.rmtree(closed)
    remove_vanished_demonstrations()
