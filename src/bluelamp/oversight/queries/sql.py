"""Every query behind the figures of oversight. The page prints these very texts: what is shown is what was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.kernel.transaction import atomic


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
        return [(f"%({name})s", _text(value)) for name, value in self.parameters.items()]


@contextmanager
def modestly() -> Iterator[None]:
    """Queries inside take one processor and leave the others to uploads; on a busy machine that is quicker, too."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        yield


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


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
    "All recordings there ever were, and those that are there: what is not there was deleted under policy. A receipt "
    "is given only together with an event recording.collected, which nobody can remove: each must have its row.",
    """
SELECT (SELECT count(*) FROM custody_event WHERE tag = 'recording.collected') AS acknowledged,
       (SELECT count(*) FROM footage_recording) AS recorded,
       (SELECT min(started_at) FROM footage_recording) AS first_at,
       (SELECT count(*) FROM footage_recording WHERE started_at >= %(lately)s) AS recorded_lately,
       count(*) AS kept,
       count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
       count(*) FILTER (WHERE processing = 'waiting') AS waiting,
       count(*) FILTER (WHERE processing = 'failed') AS failed
FROM footage_recording
WHERE state <> 'deleted'
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
    "Recordings without flag, hold, lock, extension, review, open case or one with persons, standing share or fresh "
    "request, reckoned anew from those facts and not from the stored day of deletion: the oldest, and how many are "
    "past the limit. What has just ended still counts for the days of quarantine that follow it, an edit held back or "
    "cooling is a reason, and while a shortened policy cools the former one counts too.",
    """
WITH quarantine AS (
    SELECT make_interval(days => quarantine_days) FROM retention_policy
), cooling AS (
    SELECT former.terms FROM retention_policy p
    JOIN retention_version_in_force v ON v.version_id <= p.version AND v.cooled_at > %(now)s
    JOIN retention_policy_version former ON former.number = v.version_id - 1
), unreserved AS (
    SELECT r.started_at,
           r.started_at < %(now)s - make_interval(days => coalesce(own.special_days, p.default_days)) AS past,
           -- Looked at only for the few past the default: arrived late, or kept with another file of its incident.
           r.started_at < %(now)s - make_interval(days => coalesce(own.special_days, p.default_days)) AND (
               EXISTS (
                   SELECT FROM cooling WHERE r.started_at >= %(now)s - make_interval(
                       days => coalesce(terms->'special'->>own.code, terms->>'default_days')::int
                   )
               )
               OR r.received_at + make_interval(days => p.review_grace_days) > %(now)s
               OR EXISTS (
                   SELECT FROM footage_recording o
                   WHERE o.incident_id = r.incident_id AND o.id <> r.id AND (
                       o.locked_at IS NOT NULL
                       OR EXISTS (SELECT FROM retention_hold h WHERE h.recording_id = o.id AND h.released_at IS NULL)
                       OR EXISTS (
                           SELECT FROM footage_evidence_flag f WHERE f.recording_id = o.id AND f.released_at IS NULL
                       )
                   )
               )
           ) AS excused
    FROM retention_policy p, footage_recording r LEFT JOIN footage_category own ON own.id = r.category_id
    WHERE r.state <> 'deleted'
      AND r.locked_at IS NULL
      AND (r.review_until IS NULL OR r.review_until <= %(now)s)
      AND NOT EXISTS (
          SELECT FROM (
              SELECT f.recording_id
              FROM footage_evidence_flag f
              JOIN footage_category c ON c.id = f.category_id
              JOIN footage_recording m ON m.id = f.recording_id
              WHERE f.released_at IS NULL AND (
                  c.keep_days IS NULL
                  OR m.started_at + make_interval(days => c.keep_days) + (TABLE quarantine) > %(now)s
                  OR EXISTS (
                      SELECT FROM cooling WHERE terms->'keep'->>c.code IS NULL OR %(now)s
                          < m.started_at + make_interval(days => (terms->'keep'->>c.code)::int) + (TABLE quarantine)
                  )
              )
              UNION ALL
              SELECT recording_id FROM retention_shortening
              WHERE state <> 'undone'
                AND coalesce(CASE WHEN state = 'approved' THEN not_before ELSE former_due_at END, 'infinity') > %(now)s
              UNION ALL
              SELECT recording_id FROM retention_hold WHERE released_at IS NULL
              UNION ALL
              SELECT recording_id FROM retention_extension WHERE until + (TABLE quarantine) > %(now)s
              UNION ALL
              -- Of a closed case the law's clocks run on for whom it is about: reckoned by the rules, not here.
              SELECT l.recording_id FROM cases_recording l JOIN cases_case c ON c.id = l.case_id
              WHERE c.closed_at IS NULL OR EXISTS (SELECT FROM cases_subject s WHERE s.case_id = c.id)
              UNION ALL
              SELECT recording_id FROM sharing_share
              WHERE revoked_at IS NULL AND expires_at + (TABLE quarantine) > %(now)s
              UNION ALL
              SELECT recording_id FROM rights_match WHERE provisional_until + (TABLE quarantine) > %(now)s
          ) AS reason
          WHERE reason.recording_id = r.id
      )
)
SELECT min(started_at) FILTER (WHERE NOT excused) AS oldest_at,
       count(*) FILTER (WHERE past AND NOT excused) AS past_limit,
       (SELECT default_days FROM retention_policy) AS limit_days
FROM unreserved
""",
)

SHARES = Query(
    "Shares by month",
    "Recordings shared with the Crown Prosecution Service and with everybody: month 1 begins at the first of the "
    "instants, the last at the last of them (midnight in London); 0 is whatever lies before.",
    """
SELECT width_bucket(s.created_at, %(months)s::timestamptz[]) AS month,
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

MISSING = Query(
    "Recorded and not here",
    "Recordings that cameras, by the numbers they signed, say they made and that are not here, while nobody has "
    "answered for them; and everything else in which cameras and server do not agree.",
    """
SELECT coalesce(sum(missing), 0)::bigint AS missing, count(*) AS discrepancies,
       min(first_seen_at) FILTER (WHERE missing > 0) AS since
FROM ingest_discrepancy WHERE state = 'open'
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

WRONGLY_GONE = Query(
    "Promise 3",
    "Deletions, and those that were closed before the recording was due, while a hold stood, or while a case with the "
    "recording was open.",
    """
SELECT count(*) AS deletions,
       count(*) FILTER (
           WHERE closed_at < due_at - (SELECT make_interval(mins => margin_minutes) FROM retention_policy)
       ) AS too_early,
       (SELECT count(DISTINCT h.recording_id) FROM retention_hold h
        WHERE EXISTS (SELECT FROM retention_deletion d
                      WHERE d.recording_id = h.recording_id AND h.placed_at <= d.closed_at
                        AND (h.released_at IS NULL OR h.released_at > d.closed_at))) AS under_hold,
       (SELECT count(DISTINCT l.recording_id) FROM cases_recording l JOIN cases_case c ON c.id = l.case_id
        WHERE EXISTS (SELECT FROM retention_deletion d
                      WHERE d.recording_id = l.recording_id AND l.added_at <= d.closed_at
                        AND (c.closed_at IS NULL OR c.closed_at > d.closed_at))) AS in_case
FROM retention_deletion
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
    "and recordings that have gone and left one behind.",
    """
SELECT (SELECT count(*) FROM footage_derivative) AS derivatives,
       (SELECT count(*) FROM (SELECT DISTINCT recording_id FROM footage_derivative) AS v
        JOIN retention_deletion d USING (recording_id)) AS left_behind
""",
)

ALERTS = Query(
    "Watched by many, or again and again",
    "Recordings that at least so many people of the force opened, or that one of them other than the wearer opened so "
    "many times; by whom most often, and how many openings came without a stated reason.",
    """
WITH busy AS (
    SELECT recording_id FROM footage_viewing
    GROUP BY recording_id HAVING count(*) >= least(%(viewers)s, %(openings_by_one)s)
), by_one AS (
    SELECT busy.recording_id, r.state, v.*, v.viewer IS NOT DISTINCT FROM 'person:' || r.wearer_id AS is_wearer
    FROM busy
    CROSS JOIN LATERAL (SELECT state, wearer_id FROM footage_recording WHERE id = busy.recording_id LIMIT 1) AS r
    CROSS JOIN LATERAL (
        SELECT viewer, count(*) AS openings, count(*) FILTER (WHERE reason = '') AS without_reason,
               max(opened_at) AS last_at
        FROM footage_viewing
        WHERE recording_id = busy.recording_id AND starts_with(viewer, 'person:')
        GROUP BY viewer
    ) AS v
), alert AS (
    SELECT recording_id, state, count(*) AS viewers, sum(openings) AS openings, sum(without_reason) AS without_reason,
           max(last_at) AS last_at, coalesce(max(openings) FILTER (WHERE NOT is_wearer), 0) AS most_openings,
           (array_agg(viewer ORDER BY openings DESC, viewer) FILTER (WHERE NOT is_wearer))[1] AS most_by
    FROM by_one
    GROUP BY recording_id, state
)
SELECT *, EXISTS (SELECT FROM cases_recording l JOIN cases_member m ON m.case_id = l.case_id
                  WHERE l.recording_id = alert.recording_id AND 'person:' || m.person_id = most_by) AS in_case
FROM alert
WHERE viewers >= %(viewers)s OR most_openings >= %(openings_by_one)s
ORDER BY last_at DESC, recording_id
LIMIT %(limit)s
""",
)

CHECKS = Query(
    "Findings of the checks",
    "What the checks of stored objects and of keys found wrong and no later one found mended.",
    """
SELECT kind, count(*) AS findings, count(DISTINCT recording_id) AS recordings, min(found_at) AS since
FROM oversight_finding WHERE ended_at IS NULL GROUP BY kind
""",
)

FIXITY = Query(
    "Footage read again",
    "Recordings whose every stored byte is read again and again, and when that which waits longest was last read; at "
    "first, that is when it was received, hashed and sealed.",
    """
SELECT count(*) AS recordings, min(checked_at) AS oldest FROM oversight_fixity
""",
)
