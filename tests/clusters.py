"""Root's PostgreSQL clusters stand outside the data folder (`bluelamp.cli.supervisor.cluster`): a test's go with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from bluelamp.cli.supervisor import cluster
from bluelamp.cli.supervisor.instance import read_json


def remove_below(folder: Path) -> None:
    """Remove the clusters of all data folders at or below `folder`, real ones too; no PostgreSQL runs on them now."""
    top = folder.resolve()
    for marker in cluster._CLUSTERS.glob("*/cluster.json"):
        if Path(read_json(marker).get("origin", "/")).is_relative_to(top):
            shutil.rmtree(marker.parent, ignore_errors=True)
            shutil.rmtree(cluster._SOCKETS / marker.parent.name, ignore_errors=True)
