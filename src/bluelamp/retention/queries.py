"""Reading what keeps recordings, what goes next, and what has gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from bluelamp.footage import queries as footage
from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import NotFound
from bluelamp.retention import hooks, rules
from bluelamp.retention.models import Certificate, Extension, Hold, RetentionPolicy

# What a hold is called to everybody who may read a recording's facts, and what it rests on. That a complaint stands
# against an officer is not for the officer to learn from the recording's page, so such a hold is named like any other.
_HOLDS: dict[str, rules.Hold] = {
    Hold.Kind.SUBJECT_ACCESS: rules.Hold(
        "request by a member of the public", "Data Protection Act 2018 s.45 and s.173"
    ),
    Hold.Kind.FOI: rules.Hold("freedom of information request", "Freedom of Information Act 2000 s.77"),
    Hold.Kind.COMPLAINT: rules.Hold("details restricted", "Force policy: holds with restricted details"),
    Hold.Kind.INCIDENT_LOCK: rules.Hold("incident lock", "Post-incident procedures after a death or serious injury"),
    Hold.Kind.CASE: rules.Hold("part of a case", "Criminal Procedure and Investigations Act 1996 s.23 (code)"),
    Hold.Kind.SHARE: rules.Hold("shared with a partner", "Force policy: kept while a partner has access"),
    Hold.Kind.OTHER: rules.Hold("details restricted", "Force policy: holds with restricted details"),
}


def policy() -> rules.Policy:
    """The force's periods now."""
    row = RetentionPolicy.objects.get(pk=1)
    return rules.Policy(
        default=timedelta(days=row.default_days),
        quarantine=timedelta(days=row.quarantine_days),
        review_grace=timedelta(days=row.review_grace_days),
        margin=timedelta(minutes=row.margin_minutes),
        longest_extension=timedelta(days=row.longest_extension_days),
    )


def facts(recordings: Iterable[Recording]) -> dict[UUID, rules.Facts]:
    """All that bears on each recording's retention, read now: three questions for any number of recordings."""
    listed = list(recordings)
    ids = [recording.pk for recording in listed]
    flags = {
        flag.recording_id: _flag(flag.category)
        for flag in EvidenceFlag.objects.filter(recording__in=ids, released_at=None).select_related("category")
    }
    holds: dict[UUID, list[rules.Hold]] = defaultdict(list)
    for recording_id, kind in (
        Hold.objects.filter(recording__in=ids, released_at=None).order_by("pk").values_list("recording_id", "kind")
    ):
        holds[recording_id].append(_HOLDS[kind])
    extensions: dict[UUID, list[datetime]] = defaultdict(list)
    for recording_id, until in Extension.objects.filter(recording__in=ids).values_list("recording_id", "until"):
        extensions[recording_id].append(until)
    return {
        recording.pk: rules.Facts(
            started_at=recording.started_at,
            received_at=recording.received_at,
            flag=flags.get(recording.pk),
            holds=tuple(holds[recording.pk]),
            extensions=tuple(extensions[recording.pk]),
            reasons=(*reasons_of_incident(recording), *hooks.reasons_for(recording)),
            review_until=recording.review_until,
            locked=recording.locked_at is not None,
        )
        for recording in listed
    }


def facts_on_arrival(recording: Recording, met: Collection[UUID]) -> rules.Facts:
    """The same of a recording that is just being accepted and has no row yet.

    So nobody can have flagged, held or extended it, and no room can have attached a reason. `met` are the incidents
    that had files before.
    """
    return rules.Facts(
        started_at=recording.started_at,
        received_at=recording.received_at,
        reasons=(
            *(reasons_of_incident(recording) if recording.incident_id in met else ()),
            *hooks.reasons_on_arrival(recording),
        ),
        review_until=recording.review_until,
        locked=recording.locked_at is not None,
    )


def _flag(category: Category) -> rules.Flag:
    keep = None if category.keep_days is None else timedelta(days=category.keep_days)
    return rules.Flag(category.name, keep, category.basis)


def decision(recording: Recording) -> rules.Decision:
    """How long `recording` is kept and why, from the facts as they stand now."""
    return rules.decide(facts([recording])[recording.pk], policy())


def decision_of_flag(recording: Recording, flag: EvidenceFlag | None) -> rules.Decision:
    """How long `flag` would keep `recording` if nothing else did."""
    alone = rules.Facts(
        started_at=recording.started_at,
        received_at=recording.received_at,
        flag=_flag(flag.category) if flag is not None else None,
    )
    return rules.decide(alone, policy())


def decision_of_standing_flag(recording: Recording) -> rules.Decision:
    """How long the flag that stands would keep `recording` if nothing else did."""
    return decision_of_flag(recording, footage.standing_flag(recording))


def reasons_of_incident(recording: Recording) -> tuple[rules.RetentionReason, ...]:
    """That another file of the incident is held, flagged or locked keeps this one for as long as that one.

    For it is the files of an incident together that were asked for, or are evidence.
    """
    if recording.incident_id is None:
        return ()
    siblings = Recording.objects.filter(incident=recording.incident_id).exclude(pk=recording.pk)
    siblings = siblings.exclude(state=Recording.State.DELETED)
    held = Exists(Hold.objects.filter(recording=OuterRef("pk"), released_at=None))
    if siblings.filter(Q(locked_at__isnull=False) | held).exists():
        return (rules.of_incident(None),)
    flags = EvidenceFlag.objects.filter(recording__in=siblings, released_at=None).select_related(
        "category", "recording"
    )
    ends = [rules.flagged_until(_flag(flag.category), flag.recording.started_at) for flag in flags]
    if not ends:
        return ()
    dated = [end for end in ends if end is not None]
    return (rules.of_incident(max(dated) if len(dated) == len(ends) else None),)


def standing_holds(recording: Recording) -> list[Hold]:
    """The holds that stop its deletion now, oldest first."""
    return list(Hold.objects.filter(recording=recording, released_at=None).order_by("placed_at", "pk"))


def hold(hold_id: int) -> Hold:
    """One hold with its recording. Raises NotFound."""
    found = Hold.objects.select_related("recording").filter(pk=hold_id).first()
    if found is None:
        raise NotFound("There is no hold at this address.", "Nothing was changed.", "Look at the recording's page.")
    return found


def certificates() -> QuerySet[Certificate]:
    """Every deletion certificate, the latest first."""
    return Certificate.objects.all()


def certificate(certificate_id: UUID) -> Certificate:
    """One certificate. Raises NotFound."""
    found = Certificate.objects.filter(pk=certificate_id).first()
    if found is None:
        raise NotFound("There is no certificate at this address.", next_step="Look in the list of deletions.")
    return found


def certificate_of(recording: Recording) -> Certificate | None:
    """The certificate of a deleted recording; None while its deletion is still under way."""
    return Certificate.objects.filter(recording=recording).first()


@dataclass(frozen=True)
class CategoryLine:
    """A category as the policy's page lists it."""

    name: str
    kept: str
    basis: str


def categories() -> list[CategoryLine]:
    """Every category with its period in words and its basis, in order."""
    default = policy().default.days

    def kept(days: int | None) -> str:
        if days is None:
            return "Until somebody decides"
        return "The default period" if days <= default else f"{rules.period(timedelta(days=days))} from recording"

    return [CategoryLine(found.name, kept(found.keep_days), found.basis) for found in Category.objects.all()]


@dataclass(frozen=True)
class Day:
    """What the sweep will do on one London day, as things stand."""

    day: date
    quarantined: int
    deleted: int


@dataclass(frozen=True)
class Outlook:
    """The next days of the sweep. What is overdue counts under today. `later` lies beyond the last day."""

    days: tuple[Day, ...]
    later: int
    without_end: int
    in_quarantine: int
    in_review: int

    @property
    def quarantined(self) -> int:
        return sum(day.quarantined for day in self.days)

    @property
    def deleted(self) -> int:
        return sum(day.deleted for day in self.days)


# The default's deletion begins a margin before its limit (rules.decide); London's days, as the force counts them.
_OUTLOOK = """
WITH going AS (
    SELECT state, due_at - CASE WHEN due_rule = 'default' THEN %(margin)s ELSE interval '0' END AS delete_at
    FROM footage_recording WHERE state <> 'deleted' AND due_at IS NOT NULL
), steps AS (
    SELECT 'deleted' AS step, delete_at AS at FROM going
    UNION ALL
    SELECT 'quarantined', delete_at - %(quarantine)s FROM going WHERE state = 'live'
)
SELECT step, greatest((at AT TIME ZONE 'Europe/London')::date, %(today)s) AS day, count(*) FROM steps GROUP BY 1, 2
"""
_STANDING = """
SELECT count(*) FILTER (WHERE state = 'quarantined'), count(*) FILTER (WHERE due_at IS NULL),
       count(*) FILTER (WHERE state = 'live' AND review_until > %(now)s AND review_until >= due_at)
FROM footage_recording WHERE state <> 'deleted'
"""


def outlook(days: int = 31) -> Outlook:
    """What the sweep will do today and on the `days` that follow, if nothing changes."""
    periods = policy()
    now = clock.now()
    today = now.astimezone(rules.LONDON).date()
    with connection.cursor() as cursor:
        cursor.execute(_OUTLOOK, {"margin": periods.margin, "quarantine": periods.quarantine, "today": today})
        found = {(step, day): count for step, day, count in cursor.fetchall()}
        cursor.execute(_STANDING, {"now": now})
        in_quarantine, without_end, in_review = cursor.fetchone()
    listed = [today + timedelta(days=ahead) for ahead in range(days + 1)]
    return Outlook(
        days=tuple(Day(day, found.get(("quarantined", day), 0), found.get(("deleted", day), 0)) for day in listed),
        later=sum(count for (step, day), count in found.items() if step == "deleted" and day > listed[-1]),
        without_end=without_end,
        in_quarantine=in_quarantine,
        in_review=in_review,
    )
