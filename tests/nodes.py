"""Node, as the machine has it or as the wheel brought it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def node() -> list[str]:
    """The command that runs a script; packages come from the project's node_modules."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    assert found is not None, "make test sets Node up"
    return [found]
