"""All that bears on a recording's retention, read for the pure rules, and their decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from bluelamp.footage import queries as footage
from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.retention import hooks, rules
from bluelamp.retention.models import Extension, Hold, RetentionPolicy

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
