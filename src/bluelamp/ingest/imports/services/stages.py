"""How far an import is, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

from bluelamp import custody
from bluelamp.ingest.models import ImportRun
from bluelamp.kernel import clock

Progress = Callable[[str, int, int], None]
"""Told (what is done, files done, files in all), often."""


@custody.unrecorded("how far an import is; its end is recorded")
def note_state(run: ImportRun, state: str) -> None:
    """Note what a run is doing."""
    run.state, run.moved_at = state, clock.now()
    run.save(update_fields=["state", "moved_at"])


@custody.unrecorded("how far an import is; its end is recorded")
def note_alive(run: ImportRun) -> None:
    """Note that a run moves."""
    ImportRun.objects.filter(pk=run.pk).update(moved_at=clock.now())
