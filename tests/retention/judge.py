"""What should become of each recording, kept apart from the rules, and what did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LIMIT, MARGIN, QUARANTINE, GRACE = 31 * DAY, 15 * MINUTE, 3 * DAY, 7 * DAY

_GONE = """
SELECT d.id, d.recording_id, r.started_at, d.closed_at, d.finished_at, d.rule
FROM retention_deletion d JOIN footage_recording r ON r.id = d.recording_id
WHERE d.id > %s AND d.finished_at IS NOT NULL ORDER BY d.id
"""


@dataclass
class Kept:
    """One thing that keeps a recording, and from when on it does not; None: it still does.

    `dated`: it ends by itself, and quarantine follows; otherwise somebody ends it.
    """

    free_from: datetime | None
    dated: bool


class Judge:
    """Knows what people did about recordings, and of nothing else; looks at what went and at what is left.

    `between`: how long after its time something may go that is not bound by the limit: the time between two sweeps.
    """

    def __init__(self, between: timedelta) -> None:
        self.kept: dict[UUID, list[Kept]] = {}
        self.late: list[str] = []
        self.early: list[str] = []
        self.judged = self.by_default = self.reserved = 0
        self._between = between
        self._docked_late: dict[UUID, datetime] = {}
        self._last = 0

    def keeps(self, files: Sequence[UUID], free_from: datetime | None, *, dated: bool) -> list[Kept]:
        """Something keeps these from now on."""
        made = [Kept(free_from, dated) for _ in files]
        for file, kept in zip(files, made, strict=True):
            self.reserved += file not in self.kept
            self.kept.setdefault(file, []).append(kept)
        return made

    def docked_late(self, recording_id: UUID, until: datetime) -> None:
        """It arrived late, and there is time until then to look at it."""
        self._docked_late[recording_id] = until

    def look_at_what_went(self) -> None:
        """Of deletions finished since the last time; what was expected of their recordings is forgotten."""
        with connection.cursor() as cursor:
            cursor.execute(_GONE, [self._last])
            rows = cursor.fetchall()
        for number, recording_id, started, closed, finished, rule in rows:
            self._last = number
            self.judged += 1
            self.by_default += rule == "Default period"
            earliest, latest = self._bounds(recording_id, started)
            if earliest is None or closed < earliest:
                self.early.append(f"{recording_id} went at {closed}, not before {earliest}")
            if latest is not None and finished > latest:
                self.late.append(f"{recording_id} was gone at {finished}, due by {latest}")
            self.kept.pop(recording_id, None)
            self._docked_late.pop(recording_id, None)

    def look_at_what_is_left(self) -> None:
        """Nothing of it may be due by now."""
        now = clock.now()
        left = Recording.objects.exclude(state=Recording.State.DELETED).filter(started_at__lt=now - LIMIT)
        for recording_id, started in left.values_list("pk", "started_at").iterator():
            _, latest = self._bounds(recording_id, started)
            if latest is not None and latest < now:
                self.late.append(f"{recording_id} is still here, due by {latest}")

    def _bounds(self, recording_id: UUID, started: datetime) -> tuple[datetime | None, datetime | None]:
        """When it may go at the earliest, and when it must be gone; None: not while something keeps it."""
        earliest, latest = _limit(started) - MARGIN, _limit(started)
        if until := self._docked_late.get(recording_id):
            earliest, latest = max(earliest, until - MINUTE), max(latest, until + self._between)
        reasons = self.kept.get(recording_id, [])
        for kept in reasons:
            if kept.free_from is None:
                return None, None
            if kept.dated:
                after = kept.free_from + QUARANTINE
            elif len(reasons) == 1 and kept.free_from >= _limit(started) - MARGIN - QUARANTINE:
                # Somebody ended the last of its reasons when it was already due: then there is time for review.
                after = kept.free_from + GRACE - MINUTE
            else:
                after = kept.free_from
            earliest = max(earliest, after)
            latest = max(latest, kept.free_from + GRACE + self._between)
        return earliest, latest


def _limit(started: datetime) -> datetime:
    """31 days later by the clock or on London’s calendar, whichever comes first; over a clock change they differ."""
    london = ZoneInfo("Europe/London")
    wall = started.astimezone(london).replace(tzinfo=None) + LIMIT
    return min(started + LIMIT, *(wall.replace(tzinfo=london, fold=fold).astimezone(UTC) for fold in (0, 1)))
