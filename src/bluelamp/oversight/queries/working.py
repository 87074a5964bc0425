"""Whether a worker lives: without one nothing is deleted, prepared, checked, sent, or put under a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from bluelamp.oversight import rules
from bluelamp.oversight.queries.watched import Watched
from bluelamp.web.filters import duration

# In real time, by the database's clock alone, whatever clock a demonstration shows.
_SEEN = "SELECT max(last_heartbeat), now() FROM procrastinate_workers"


WHAT, TITLE = "worker", "Background work"
ALIVE = Watched(WHAT, TITLE, "Good: a worker runs again.", good=True, mark=0)


@dataclass(frozen=True)
class Standing:
    """`alive`: a worker gave a sign of life of late. `silent_for`: since the last one; None after an orderly end."""

    alive: bool
    silent_for: timedelta | None

    @property
    def note(self) -> str:
        """What that means, in words."""
        if self.alive:
            return "A worker runs."
        since = "" if self.silent_for is None else f" The last one was heard of {duration(self.silent_for)} ago."
        return (
            f"No worker runs.{since} Uploads are taken in and footage can be watched, but nothing is deleted when "
            "it is due, prepared for viewing, checked, sent, or put under a checkpoint until one runs. Nothing is lost."
        )


def standing() -> Standing:
    """How it stands now."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN)
        seen_at, now = cursor.fetchone()
    silent_for = None if seen_at is None else now - seen_at
    return Standing(silent_for is not None and silent_for < rules.WORKER_SILENT, silent_for)


def silent(stands: Standing) -> Watched:
    """That no worker lives, as it is told."""
    return Watched(WHAT, TITLE, f"Bad. {stands.note}", good=False, mark=0)
