"""Recordings that professional standards should look at: watched by many people, or by one again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bluelamp.custody import words
from bluelamp.footage.models import Recording
from bluelamp.oversight.queries import sql
from bluelamp.oversight.queries.sql import Asked, Shown
from bluelamp.oversight.rules import Thresholds

MOST = 100
"""Alerts that one page lists, the latest opened first."""


@dataclass(frozen=True)
class Alert:
    """One recording whose watching stands out.

    `viewers` and `openings` are of people of the force. `most_by` opened it `most_openings` times, the wearer apart;
    `in_case`: that person has, or had, a role in a case with the recording. `without_reason` None: the reasons went
    with the recording; the ledger still has them.
    """

    recording_id: UUID
    recording: str
    viewers: int
    openings: int
    without_reason: int | None
    most_by: str
    most_openings: int
    in_case: bool
    last_at: datetime
    by_many: bool
    by_one: bool


def alerts(thresholds: Thresholds) -> tuple[list[Alert], Shown]:
    """The alerts now, and the query that found them; names take one query for each kind."""
    asked = Asked()
    with sql.modestly():
        rows = asked.all(sql.ALERTS, viewers=thresholds.viewers, openings_by_one=thresholds.openings_by_one, limit=MOST)
    ids = {f"recording:{row['recording_id']}" for row in rows} | {row["most_by"] for row in rows if row["most_by"]}
    known = words.names(ids)
    found = [
        Alert(
            recording_id=row["recording_id"],
            recording=known[f"recording:{row['recording_id']}"],
            viewers=row["viewers"],
            openings=int(row["openings"]),
            without_reason=None if row["state"] == Recording.State.DELETED else int(row["without_reason"]),
            most_by=known.get(row["most_by"] or "", ""),
            most_openings=row["most_openings"],
            in_case=row["in_case"],
            last_at=row["last_at"],
            by_many=row["viewers"] >= thresholds.viewers,
            by_one=row["most_openings"] >= thresholds.openings_by_one,
        )
        for row in rows
    ]
    return found, asked.shown[0]
