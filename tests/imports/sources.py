"""Sources to import from: folders, exports with lists, bags; and the import itself, as the command runs it."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
OLD = 1_600_000_000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files below the folder, each last written in 2020."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (OLD, OLD))


def export(folder: Path, files: Mapping[str, bytes], name: str = "manifest.csv", **columns: Mapping[str, str]) -> Path:
    """A list of the files as an export's CSV; `columns` gives further columns by file."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["File Path", "SHA-256", "Size (bytes)", *columns])
        for each, data in files.items():
            rows.writerow([each, sha256(data), len(data), *(values.get(each, "") for values in columns.values())])
    return path


def run_import(given: Path, *, anew: bool = False, manifest: Path | None = None, **options: Any) -> Any:
    """Import as the command does, in this process. Returns its standing."""
    from bluelamp.ingest.imports import queries, services, sources

    source = sources.look(given, manifest, None, LONDON)
    run = services.import_source(source, services.Options(**options), by="a test", anew=anew)
    return queries.standing(run)


def states(standing: Any) -> dict[str, int]:
    """How many files are in each state."""
    return {state: count.files for state, count in standing.figures.states.items()}


def named(standing: Any, state: str) -> set[str]:
    """The files in a state."""
    return set(standing.run.items.filter(state=state).values_list("path", flat=True))
