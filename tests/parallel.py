"""How several processes (`pytest -n 2`) share the tests: by whole files, and the journeys as one.

Each process has a data folder and a PostgreSQL of its own (conftest.py). What a file's tests share is made once, and so
is the live server of the journeys. All processes collect the tests and must find the same: no name of a parametrised
test may hold what is random, a new UUID say.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_TOGETHER = "tests/journeys/"


class Files(LoadScopeScheduling):
    """Gives a process the next file when it has nearly done with its last."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        # In the order of collection: the number of tests says little of the time that a file takes.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)


def share(nodeid: str) -> str:
    """What is run by one process from beginning to end."""
    return _TOGETHER if nodeid.startswith(_TOGETHER) else nodeid.partition("::")[0]
