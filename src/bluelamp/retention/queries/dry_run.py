"""What a change of the policy would make due, and when, compared with the dates as they stand. Nothing is changed.

The dates of all recordings are reckoned in one statement, which says in SQL what `rules` says in Python (a test holds
the two together). Reasons of other rooms are not in it: recordings that such a reason may keep are decided by the rules
themselves, up to a number of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import hooks, rules
from bluelamp.retention.queries.cooling import policy_of
from bluelamp.retention.queries.decisions import decisions_under, policy
from bluelamp.retention.queries.dry_run_result import Bucket, Drawn, DryRun
from bluelamp.retention.terms import Terms

MOST_BY_RULES = 20_000
"""Recordings with a reason of another room that are decided by the rules themselves; of more, some are over-counted."""

SOON = timedelta(days=7)
_MONTHS = 12
_DRAWN = 300
_BATCH = 500
_LONG = ("manifest", "events", "track", "waveform", "storyboard", "search")  # columns that no rule looks at

# Rules that the statement knows. A recording under any other one has a reason of another room.
_IN_SQL = ["", "default", "late_arrival", "review", "evidence", "incident", "hold", "lock", "extension", "held_back"]

# Rules whose dates, or whether they have one, a change of the policy may bear on.
_BY_POLICY = [*_IN_SQL, "cooling"]
_BY_MOPI_PERIODS = ["mopi", "mopi_open"]

_RECKON = """
WITH period AS (
    SELECT c.id, CASE WHEN p.code IS NULL THEN c.keep_days ELSE p.keep END AS keep,
           coalesce(CASE WHEN p.code IS NULL THEN c.special_days ELSE p.special END, %(default)s) AS unreserved
    FROM footage_category c
    LEFT JOIN jsonb_to_recordset(%(categories)s) AS p(code text, keep int, special int) ON p.code = c.code
), flagged AS (
    SELECT f.recording_id, p.keep IS NULL AS endless,
           greatest(r.started_at + make_interval(hours => 24 * p.keep),
                    (r.started_at AT TIME ZONE 'Europe/London' + make_interval(days => p.keep))
                        AT TIME ZONE 'Europe/London') + %(quarantine)s AS gone_by
    FROM footage_evidence_flag f JOIN footage_recording r ON r.id = f.recording_id JOIN period p ON p.id = f.category_id
    WHERE f.released_at IS NULL AND r.state <> 'deleted'
), held AS (
    SELECT DISTINCT recording_id FROM retention_hold WHERE released_at IS NULL
), together AS (
    SELECT r.incident_id, max(f.gone_by) AS gone_by,
           bool_or(r.locked_at IS NOT NULL OR h.recording_id IS NOT NULL OR coalesce(f.endless, false)) AS endless
    FROM footage_recording r
    LEFT JOIN held h ON h.recording_id = r.id LEFT JOIN flagged f ON f.recording_id = r.id
    WHERE r.incident_id IS NOT NULL AND r.state <> 'deleted' GROUP BY r.incident_id
), extended AS (
    SELECT recording_id, max(until) + %(quarantine)s AS gone_by FROM retention_extension GROUP BY recording_id
), edited AS (
    SELECT recording_id,
           max(CASE WHEN state = 'approved' THEN not_before ELSE former_due_at END
               -- What stands in the place of a limit begins to go as early as that.
               - CASE WHEN cause IN ('date', 'category') THEN %(margin)s ELSE interval '0' END) AS gone_by,
           bool_or(state <> 'approved' AND former_due_at IS NULL) AS endless
    FROM retention_shortening WHERE state <> 'undone' GROUP BY recording_id
), attached AS (
    {attached}
), reckoned AS (
    SELECT r.id, r.size, r.due_at, f.recording_id IS NOT NULL AS flagged,
           a.recording_id IS NOT NULL OR NOT split_part(r.due_rule, ':', 1) = ANY(%(in_sql)s) AS elsewhere,
           CASE WHEN r.locked_at IS NOT NULL OR h.recording_id IS NOT NULL OR f.endless OR t.endless OR e.endless
                  OR (r.due_at IS NULL AND NOT split_part(r.due_rule, ':', 1) = ANY(%(by_policy)s)) THEN NULL
           ELSE greatest(l.due,
                         -- No period bears on what another room's reason says, but for the quarantine that follows it.
                         CASE WHEN %(same_quarantine)s AND NOT split_part(r.due_rule, ':', 1) = ANY(%(by_policy)s)
                              THEN r.due_at END,
                         CASE WHEN r.received_at + %(grace)s > l.due THEN r.received_at + %(grace)s END,
                         r.review_until, f.gone_by, t.gone_by, x.gone_by, e.gone_by) END AS reckoned_at
    FROM footage_recording r LEFT JOIN period own ON own.id = r.category_id
    CROSS JOIN LATERAL (
        SELECT least(r.started_at + make_interval(hours => 24 * coalesce(own.unreserved, %(default)s)),
                     (r.started_at AT TIME ZONE 'Europe/London'
                          + make_interval(days => coalesce(own.unreserved, %(default)s)))
                         AT TIME ZONE 'Europe/London') AS due
        OFFSET 0  -- reckoned once a row
    ) AS l
    LEFT JOIN flagged f ON f.recording_id = r.id LEFT JOIN held h ON h.recording_id = r.id
    LEFT JOIN together t ON t.incident_id = r.incident_id LEFT JOIN extended x ON x.recording_id = r.id
    LEFT JOIN edited e ON e.recording_id = r.id LEFT JOIN attached a ON a.recording_id = r.id
    WHERE r.state <> 'deleted'
), moved AS MATERIALIZED (
    SELECT id, size, due_at, flagged, elsewhere,
           CASE WHEN reckoned_at < coalesce(due_at, 'infinity')
                THEN greatest(reckoned_at, least(due_at, %(not_before)s)) ELSE reckoned_at END AS new_at
    FROM reckoned WHERE reckoned_at IS DISTINCT FROM due_at
), picked AS MATERIALIZED (
    SELECT id, size, due_at, flagged, new_at FROM moved WHERE elsewhere ORDER BY id LIMIT %(most)s
), changed AS (
    SELECT id, size, due_at, flagged, elsewhere, new_at,
           coalesce(new_at, 'infinity') < coalesce(due_at, 'infinity') AS earlier
    FROM moved WHERE (NOT elsewhere OR id NOT IN (SELECT id FROM picked)) AND new_at IS DISTINCT FROM due_at
), times AS (
    SELECT due_at AS at, 1 AS today, 0 AS moved, size FROM footage_recording
    WHERE state <> 'deleted' AND due_at < %(until)s
    UNION ALL SELECT due_at, 0, -1, size FROM changed WHERE due_at < %(until)s
    UNION ALL SELECT new_at, 0, 1, size FROM changed WHERE new_at < %(until)s
)
SELECT
    (SELECT to_json(t) FROM (
        SELECT count(*) FILTER (WHERE earlier) AS earlier, coalesce(sum(size) FILTER (WHERE earlier), 0) AS bytes,
               count(*) FILTER (WHERE NOT earlier) AS later,
               coalesce(sum(size) FILTER (WHERE NOT earlier), 0) AS later_bytes,
               count(*) FILTER (WHERE earlier AND new_at <= %(soon)s) AS soon,
               count(*) FILTER (WHERE earlier AND flagged) AS flagged,
               count(*) FILTER (WHERE earlier AND elsewhere) AS elsewhere,
               count(*) FILTER (WHERE earlier AND due_at IS NULL) AS endless
        FROM changed) AS t),
    (SELECT json_agg(t) FROM (
        SELECT (greatest(at, %(now)s) AT TIME ZONE 'Europe/London')::date AS day, sum(today) AS today,
               sum(moved) AS moved, sum(today * size) AS today_bytes, sum(moved * size) AS moved_bytes
        FROM times GROUP BY 1) AS t),
    (SELECT json_agg(t) FROM (
        SELECT id, due_at, new_at FROM changed WHERE earlier ORDER BY uuid_hash(id) LIMIT %(drawn)s) AS t),
    (SELECT json_agg(t) FROM picked AS t),
    (SELECT count(*) FROM moved WHERE elsewhere)
"""


def dry_run(terms: Terms, *, not_before: datetime | None) -> DryRun:
    """What would change if `terms` became the policy, nothing going by them before `not_before`."""
    now = clock.now()
    not_before = not_before or now
    given = _parameters(terms, not_before) | {
        "most": MOST_BY_RULES,
        "now": now,
        "soon": not_before + SOON,
        "until": now + timedelta(days=31 * _MONTHS),
        "drawn": _DRAWN,
    }
    with atomic(), connection.cursor() as cursor:
        # A million rows are joined in memory, or through files on the disk in three times the time.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(_RECKON.format(attached=_attached()), given)
        totals, days, drawn, picked, elsewhere = map(_read, cursor.fetchone())
    tally = _Tally(totals, {row.pop("day"): row for row in days or ()}, given)
    moves = list(_decide(picked or [], terms, not_before))
    for move in moves:
        tally.add(move)
    drawn = [*(drawn or []), *(move for move in moves if _is_earlier(move))][-_DRAWN:]
    return DryRun(
        **tally.totals,
        rough=elsewhere > MOST_BY_RULES,
        days=_buckets(tally.days, lambda day: day, until=_local_date(max(now, not_before) + timedelta(days=14))),
        months=_buckets(tally.days, lambda day: day.replace(day=1), until=date.max),
        drawn=tuple(
            Drawn(UUID(row["id"]), _instant(row["due_at"]), after)
            for row in drawn
            if (after := _instant(row["new_at"])) is not None
        ),
    )


@dataclass
class _Tally:
    """The statement's totals, and its figures by London's date, to which single moves are added."""

    totals: dict[str, int]
    days: dict[str, dict[str, int]]
    given: dict[str, Any]

    def add(self, move: dict[str, Any]) -> None:
        size, before, after = move["size"], move["due_at"], move["new_at"]
        if _is_earlier(move):
            self.totals["earlier"] += 1
            self.totals["bytes"] += size
            self.totals["soon"] += after <= self.given["soon"]
            self.totals["flagged"] += move["flagged"]
            self.totals["elsewhere"] += 1
            self.totals["endless"] += before is None
        else:
            self.totals["later"] += 1
            self.totals["later_bytes"] += size
        for at, by in ((before, -1), (after, 1)):
            if at is not None and at < self.given["until"]:
                day = _local_date(max(at, self.given["now"])).isoformat()
                row = self.days.setdefault(day, dict.fromkeys(("today", "moved", "today_bytes", "moved_bytes"), 0))
                row["moved"] += by
                row["moved_bytes"] += by * size


def _parameters(terms: Terms, not_before: datetime) -> dict[str, Any]:
    now = policy()
    new = policy_of(terms, now)
    categories = [{"code": code, "keep": keep, "special": terms.special.get(code)} for code, keep in terms.keep.items()]
    return {
        "categories": json.dumps(categories),
        "default": terms.default_days,
        "quarantine": timedelta(days=terms.quarantine_days),
        "grace": timedelta(days=terms.review_grace_days),
        "margin": timedelta(minutes=terms.margin_minutes),
        "not_before": not_before,
        "in_sql": _IN_SQL,
        "by_policy": _BY_POLICY if new.mopi == now.mopi else [*_BY_POLICY, *_BY_MOPI_PERIODS],
        "same_quarantine": new.quarantine == now.quarantine,
    }


def _attached() -> str:
    """The recordings to which a reason of another room may be attached, as SQL of those rooms."""
    return " UNION ".join(["SELECT NULL::uuid AS recording_id WHERE false", *hooks.attached_to.call()])


def _decide(picked: list[dict[str, Any]], terms: Terms, not_before: datetime) -> Iterator[dict[str, Any]]:
    """Let the rules decide what another room may keep; those that move, with their instants read."""
    for first in range(0, len(picked), _BATCH):
        rows = {UUID(row["id"]): row for row in picked[first : first + _BATCH]}
        listed = list(Recording.objects.filter(pk__in=list(rows)).defer(*_LONG))
        for recording_id, decision in decisions_under(listed, terms).items():
            before = _instant(rows[recording_id]["due_at"])
            after = _cooled(decision.due_at, before, not_before)
            if after != before:
                yield {**rows[recording_id], "due_at": before, "new_at": after}


def _is_earlier(move: dict[str, Any]) -> bool:
    before, after = move["due_at"], move["new_at"]
    return after is not None and (before is None or after < before)


def _cooled(decided: datetime | None, before: datetime | None, not_before: datetime) -> datetime | None:
    if decided is None or (before is not None and decided >= before):
        return decided
    return max(decided, not_before if before is None else min(before, not_before))


def _read(column: Any) -> Any:
    return json.loads(column) if isinstance(column, str) else column


def _buckets(days: dict[str, dict[str, int]], first_of: Callable[[date], date], *, until: date) -> tuple[Bucket, ...]:
    found: dict[date, list[int]] = {}
    for day, row in days.items():
        first = first_of(date.fromisoformat(day))
        if first <= until:
            sums = found.setdefault(first, [0, 0, 0, 0])
            for place, name in enumerate(("today", "moved", "today_bytes", "moved_bytes")):
                sums[place] += row[name]
    return tuple(
        Bucket(first, today, today + moved, today_bytes, today_bytes + moved_bytes)
        for first, (today, moved, today_bytes, moved_bytes) in sorted(found.items())
    )


def _instant(given: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(given) if isinstance(given, str) else given


def _local_date(at: datetime) -> date:
    return at.astimezone(rules.LONDON).date()
