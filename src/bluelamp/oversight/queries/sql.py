"""Every query behind the figures of oversight. The page prints these very texts: what is shown is what was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Query:
    """One named query. `says` tells in plain words what it counts."""

    name: str
    says: str
    sql: str


@dataclass(frozen=True)
class Shown:
    """A query as it was run for one page: its text, and what stood for its parameters."""

    query: Query
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> list[tuple[str, str]]:
        """The parameters as text, in order."""
        return [
            (f"%({name})s", value.isoformat() if isinstance(value, datetime) else str(value))
            for name, value in self.parameters.items()
        ]


class Asked:
    """Runs queries and remembers each as it was run, so that a page can show them."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []

    def all(self, query: Query, **parameters: Any) -> list[dict[str, Any]]:
        """The rows by column name."""
        self.shown.append(Shown(query, parameters))
        with connection.cursor() as cursor:
            cursor.execute(query.sql, parameters)
            columns = [column.name for column in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def one(self, query: Query, **parameters: Any) -> dict[str, Any]:
        """The only row."""
        (row,) = self.all(query, **parameters)
        return row


RECORDINGS = Query(
    "Recordings",
    "All recordings there ever were, deleted ones included, and where they stand.",
    """
SELECT count(*) AS recorded,
       min(started_at) AS first_at,
       count(*) FILTER (WHERE started_at >= %(lately)s) AS recorded_lately,
       count(*) FILTER (WHERE state = 'deleted') AS deleted,
       count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
       count(*) FILTER (WHERE state <> 'deleted' AND processing = 'waiting') AS waiting,
       count(*) FILTER (WHERE state <> 'deleted' AND processing = 'failed') AS failed
FROM footage_recording
""",
)

FLAGGED = Query(
    "Flagged as evidence",
    "Standing evidence flags on recordings that are there.",
    """
SELECT count(*) AS flagged
FROM footage_evidence_flag f
WHERE f.released_at IS NULL
  AND NOT EXISTS (SELECT FROM retention_deletion d WHERE d.recording_id = f.recording_id)
""",
)

UNRESERVED = Query(
    "Footage that nothing keeps",
    "Recordings without flag, hold, lock, extension, review, open case, standing share or fresh request, reckoned anew "
    "from those facts and not from the stored day of deletion: the oldest, and how many are past the limit.",
    """
SELECT min(r.started_at) AS oldest_at,
       count(*) FILTER (WHERE r.started_at < %(now)s - make_interval(days => p.default_days)) AS past_limit,
       min(p.default_days) AS limit_days
FROM footage_recording r, retention_policy p
WHERE r.state <> 'deleted'
  AND r.locked_at IS NULL
  AND (r.review_until IS NULL OR r.review_until <= %(now)s)
  AND NOT EXISTS (SELECT FROM footage_evidence_flag f WHERE f.recording_id = r.id AND f.released_at IS NULL)
  AND NOT EXISTS (SELECT FROM retention_hold h WHERE h.recording_id = r.id AND h.released_at IS NULL)
  AND NOT EXISTS (SELECT FROM retention_extension x WHERE x.recording_id = r.id AND x.until > %(now)s)
  AND NOT EXISTS (SELECT FROM cases_recording l JOIN cases_case c ON c.id = l.case_id
                  WHERE l.recording_id = r.id AND c.closed_at IS NULL)
  AND NOT EXISTS (SELECT FROM sharing_share s
                  WHERE s.recording_id = r.id AND s.revoked_at IS NULL AND s.expires_at > %(now)s)
  AND NOT EXISTS (SELECT FROM rights_match m WHERE m.recording_id = r.id AND m.provisional_until > %(now)s)
""",
)

SHARES = Query(
    "Shares by month",
    "Recordings shared with the Crown Prosecution Service and with everybody, by London month.",
    """
SELECT date_trunc('month', s.created_at AT TIME ZONE 'Europe/London')::date AS month,
       count(*) FILTER (WHERE o.kind = 'cps') AS cps,
       count(*) AS everybody
FROM sharing_share s
JOIN sharing_recipient p ON p.id = s.recipient_id
JOIN people_organisation o ON o.id = p.organisation_id
GROUP BY 1 ORDER BY 1
""",
)

REQUESTS = Query(
    "Requests",
    "Requests by members of the public that are open. Which of them are overdue is reckoned by the law's calendar "
    "(bluelamp.rights.rules.due), since bank holidays are not in the database.",
    """
SELECT count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'unconfirmed') AS unconfirmed
FROM rights_request
""",
)

CAMERAS = Query(
    "Cameras",
    "Cameras planned (a plan covers its unit and all below it), and cameras that were issued at least once, lost and "
    "retired ones left out.",
    """
WITH RECURSIVE covered AS (
    SELECT u.id FROM people_unit u JOIN fleet_rollout_plan p ON p.unit_id = u.parent_id
    UNION
    SELECT u.id FROM people_unit u JOIN covered c ON c.id = u.parent_id
)
SELECT (SELECT coalesce(sum(planned), 0) FROM fleet_rollout_plan
        WHERE unit_id NOT IN (SELECT id FROM covered)) AS planned,
       (SELECT count(*) FROM fleet_camera
        WHERE first_issued_at IS NOT NULL AND state NOT IN ('lost', 'retired')) AS issued
""",
)

HOLDS = Query(
    "Holds",
    "Holds that stand, and the recordings that they keep.",
    """
SELECT count(*) AS standing, count(DISTINCT recording_id) AS recordings
FROM retention_hold WHERE released_at IS NULL
""",
)

REFUSALS = Query(
    "Refusals",
    "Times that somebody was refused something this London month, people of the force and recipients of shares.",
    """
SELECT count(*) AS refused
FROM custody_event
WHERE tag IN ('access.refused', 'recipient.refused') AND at >= %(month)s
""",
)

ACKNOWLEDGED = Query(
    "Promise 1",
    "A receipt is given only together with an event recording.collected, which nobody can remove. Each has its row.",
    """
SELECT (SELECT count(*) FROM custody_event WHERE tag = 'recording.collected') AS acknowledged,
       (SELECT count(*) FROM footage_recording) AS present
""",
)

WRONGLY_GONE = Query(
    "Promise 3",
    "Deletions, and those that were closed while a hold stood or a case with the recording was open, "
    "or before the recording was due.",
    """
SELECT count(*) AS deletions,
       count(*) FILTER (
           WHERE d.closed_at < d.due_at - make_interval(mins => p.margin_minutes)
              OR EXISTS (SELECT FROM retention_hold h WHERE h.recording_id = d.recording_id
                         AND h.placed_at <= d.closed_at AND (h.released_at IS NULL OR h.released_at > d.closed_at))
              OR EXISTS (SELECT FROM cases_recording l JOIN cases_case c ON c.id = l.case_id
                         WHERE l.recording_id = d.recording_id AND l.added_at <= d.closed_at
                         AND (c.closed_at IS NULL OR c.closed_at > d.closed_at))
       ) AS wrongly
FROM retention_deletion d, retention_policy p
""",
)

SEEN = Query(
    "Promise 4",
    "Times that a recording's bytes were opened to somebody, and how many of these the ledger knows of.",
    """
SELECT (SELECT count(*) FROM footage_viewing) AS opened,
       (SELECT count(*) FROM custody_event WHERE tag = 'recording.viewed') AS logged
""",
)

CHECKPOINT = Query(
    "Promise 5",
    "The latest signed checkpoint, and events that do not stand in one yet.",
    """
SELECT c.size, c.created_at, p.pending, p.since
FROM (SELECT count(*) AS pending, min(e.at) AS since
      FROM custody_pending q JOIN custody_event e ON e.id = q.event_id) p
LEFT JOIN (SELECT size, created_at FROM custody_checkpoint ORDER BY size DESC LIMIT 1) c ON true
""",
)

DERIVATIVES = Query(
    "Promise 6",
    "Posters, storyboards and viewing copies, each made from one recording and sealed under its key; "
    "and those whose recording has gone.",
    """
SELECT count(*) AS derivatives, count(d.id) AS orphans
FROM footage_derivative v LEFT JOIN retention_deletion d ON d.recording_id = v.recording_id
""",
)

ALERTS = Query(
    "Watched by many, or again and again",
    "Recordings that at least so many people of the force opened, or that one of them other than the wearer opened so "
    "many times; by whom most often, and how many openings came without a stated reason.",
    """
WITH candidate AS (
    SELECT recording_id, count(*) AS viewers, sum(openings) AS openings, max(last_at) AS last_at
    FROM (
        SELECT recording_id, viewer, count(*) AS openings, max(opened_at) AS last_at
        FROM footage_viewing
        WHERE starts_with(viewer, 'person:')
        GROUP BY recording_id, viewer
    ) AS by_one
    GROUP BY recording_id
    HAVING count(*) >= %(viewers)s OR max(openings) >= %(openings_by_one)s
)
SELECT c.recording_id, c.viewers, c.openings, c.last_at, r.state, r.wearer_id,
       most.viewer AS most_by, coalesce(most.openings, 0) AS most_openings, most.in_case,
       (SELECT count(*) FROM footage_viewing v
        WHERE v.recording_id = c.recording_id AND starts_with(v.viewer, 'person:') AND v.reason = '') AS without_reason
FROM candidate c
JOIN footage_recording r ON r.id = c.recording_id
LEFT JOIN LATERAL (
    SELECT v.viewer, count(*) AS openings,
           EXISTS (SELECT FROM cases_recording l JOIN cases_member m ON m.case_id = l.case_id
                   WHERE l.recording_id = c.recording_id AND 'person:' || m.person_id = v.viewer) AS in_case
    FROM footage_viewing v
    WHERE v.recording_id = c.recording_id AND starts_with(v.viewer, 'person:')
      AND v.viewer IS DISTINCT FROM 'person:' || r.wearer_id
    GROUP BY v.viewer
    ORDER BY openings DESC, v.viewer LIMIT 1
) AS most ON true
WHERE c.viewers >= %(viewers)s OR most.openings >= %(openings_by_one)s
ORDER BY c.last_at DESC, c.recording_id
LIMIT %(limit)s
""",
)
