"""All that bears on a recording's retention, read for the pure rules, and their decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.kernel.among import among
from bluelamp.kernel.statements import Kept
from bluelamp.retention import hooks, rules
from bluelamp.retention.models import Extension, Hold, RetentionPolicy
from bluelamp.retention.queries import cooling
from bluelamp.retention.queries.held_back import reasons_of_shortenings
from bluelamp.retention.terms import PERIOD_NAMES, Terms

_Kind = TypeVar("_Kind")

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
    # What a court or an inquiry wants kept is not for everybody to learn either.
    Hold.Kind.LEGAL: rules.Hold("details restricted", "Force policy: holds with restricted details"),
    Hold.Kind.OTHER: rules.Hold("details restricted", "Force policy: holds with restricted details"),
}


_POLICY = Kept(lambda: RetentionPolicy.objects.filter(pk=1))


def policy() -> rules.Policy:
    """The force's periods now."""
    row = _POLICY.get()
    terms = Terms(**{name: getattr(row, name) for name in PERIOD_NAMES})
    return cooling.policy_of(terms, rules.Policy(version=row.version))


def facts(recordings: Iterable[Recording], *, without_holds: Collection[int] = ()) -> dict[UUID, rules.Facts]:
    """All that bears on each recording's retention, read now: the same few questions for any number of recordings.

    As if the holds of the ids `without_holds` did not stand.
    """
    listed, read = list(recordings), partial(_facts, without_holds=without_holds)
    return dict(cooling.with_cooling(read(listed), partial(read, listed), policy))


def decisions_under(recordings: Iterable[Recording], terms: Terms) -> dict[UUID, rules.Decision]:
    """What would be decided about each from today's facts if `terms` were the policy, and always had been."""
    periods = cooling.policy_of(terms, policy())
    return {recording_id: rules.decide(each, periods) for recording_id, each in _facts(list(recordings), terms).items()}


def former_decisions(recording: Recording) -> list[rules.Decision]:
    """What former versions of the policy would decide that newer ones shortened lately; often none."""
    return cooling.former_decisions(recording.pk, partial(_facts, [recording]), policy)


def _facts(
    listed: Sequence[Recording], terms: Terms | None = None, without_holds: Collection[int] = ()
) -> dict[UUID, rules.Facts]:
    """The facts, categories' periods as in `terms`; None: as they stand."""
    ids = [recording.pk for recording in listed]
    periods = policy() if terms is None else cooling.policy_of(terms, policy())
    flags = {
        flag.recording_id: _flag(flag.category, terms)
        for flag in EvidenceFlag.objects.filter(recording__in=among(ids), released_at=None).select_related("category")
    }
    holds: dict[UUID, list[rules.Hold]] = defaultdict(list)
    for recording_id, kind in (
        Hold.objects.filter(recording__in=among(ids), released_at=None)
        .exclude(pk__in=without_holds)
        .order_by("pk")
        .values_list("recording_id", "kind")
    ):
        holds[recording_id].append(_HOLDS[kind])
    extensions: dict[UUID, list[datetime]] = defaultdict(list)
    for recording_id, until in Extension.objects.filter(recording__in=among(ids)).values_list("recording_id", "until"):
        extensions[recording_id].append(until)
    of_incidents = reasons_of_incidents(listed, terms, without_holds)
    of_rooms = hooks.reasons_for(listed)
    of_edits = reasons_of_shortenings(ids, periods)
    special = special_periods(terms)
    return {
        recording.pk: rules.Facts(
            started_at=recording.started_at,
            received_at=recording.received_at,
            flag=flags.get(recording.pk),
            holds=tuple(holds[recording.pk]),
            extensions=tuple(extensions[recording.pk]),
            reasons=(
                *of_incidents.get(recording.pk, ()),
                *_of(rules.RetentionReason, of_rooms.get(recording.pk, ())),
                *of_edits.get(recording.pk, ()),
            ),
            review_until=recording.review_until,
            locked=recording.locked_at is not None,
            proceedings=_of(rules.Proceedings, of_rooms.get(recording.pk, ())),
            mopi=_of(rules.Mopi, of_rooms.get(recording.pk, ())),
            special=special.get(recording.category_id),
        )
        for recording in listed
    }


def facts_on_arrival(recordings: Iterable[Recording], met: Collection[UUID]) -> dict[UUID, rules.Facts]:
    """The same of recordings that are just being accepted and have no row yet.

    So nobody can have flagged, held or extended them, and no room can have attached a reason. `met` are the incidents
    that had files before.
    """
    listed = list(recordings)
    of_incidents = reasons_of_incidents([recording for recording in listed if recording.incident_id in met])
    of_rooms = hooks.reasons_on_arrival(listed)
    special = special_periods() if any(recording.category_id for recording in listed) else {}
    return {
        recording.pk: rules.Facts(
            started_at=recording.started_at,
            received_at=recording.received_at,
            reasons=(
                *of_incidents.get(recording.pk, ()),
                *_of(rules.RetentionReason, of_rooms.get(recording.pk, ())),
            ),
            review_until=recording.review_until,
            locked=recording.locked_at is not None,
            special=special.get(recording.category_id),
        )
        for recording in listed
    }


def _of(kind: type[_Kind], answers: Iterable[object]) -> tuple[_Kind, ...]:
    """What rooms answered of one kind: a reason, or the clock of a person's proceedings or review group."""
    return tuple(answer for answer in answers if isinstance(answer, kind))


def special_periods(terms: Terms | None = None) -> dict[int, rules.SpecialPeriod]:
    """The periods that take the default's place, by the category's id; as they stand, or as in `terms`."""
    found = {}
    for category in Category.objects.all():
        days = category.special_days if terms is None else terms.special.get(category.code)
        if days is not None:
            found[category.pk] = rules.SpecialPeriod(category.name.lower(), timedelta(days=days))
    return found


def _flag(category: Category, terms: Terms | None = None) -> rules.Flag:
    days = category.keep_days if terms is None else terms.keep.get(category.code, category.keep_days)
    keep = None if days is None else timedelta(days=days)
    return rules.Flag(category.name, keep, category.basis)


def decision(recording: Recording) -> rules.Decision:
    """How long `recording` is kept and why, from the facts as they stand now."""
    return decisions([recording])[recording.pk]


def decisions(recordings: Iterable[Recording], *, without_holds: Collection[int] = ()) -> dict[UUID, rules.Decision]:
    """The same of each of many recordings, for the price of one; as if the holds `without_holds` did not stand."""
    periods, found = policy(), facts(recordings, without_holds=without_holds)
    return {recording_id: rules.decide(each, periods) for recording_id, each in found.items()}


def decision_of_flag(recording: Recording, flag: EvidenceFlag | None) -> rules.Decision:
    """How long `flag` would keep `recording` if nothing else did."""
    alone = rules.Facts(
        started_at=recording.started_at,
        received_at=recording.received_at,
        flag=_flag(flag.category) if flag is not None else None,
    )
    return rules.decide(alone, policy())


def decision_of_category(recording: Recording, category: Category | None) -> rules.Decision:
    """How long `recording` would be kept if it were of that category and nothing kept it beyond its limit."""
    special = None if category is None else special_periods().get(category.pk)
    return rules.decide(rules.Facts(recording.started_at, recording.received_at, special=special), policy())


def reasons_of_incidents(
    recordings: Iterable[Recording], terms: Terms | None = None, without_holds: Collection[int] = ()
) -> dict[UUID, tuple[rules.RetentionReason, ...]]:
    """That another file of its incident is held, flagged or locked keeps a recording for as long as that one.

    For it is the files of an incident together that were asked for, or are evidence. Those that no other file keeps
    are missing from the answer.
    """
    together = [recording for recording in recordings if recording.incident_id is not None]
    if not together:
        return {}
    files = Recording.objects.filter(incident__in=among({recording.incident_id for recording in together}))
    files = files.exclude(state=Recording.State.DELETED)
    standing = Hold.objects.filter(recording=OuterRef("pk"), released_at=None)
    held = Exists(standing.exclude(pk__in=without_holds))
    endless: dict[UUID, set[UUID]] = defaultdict(set)
    for incident_id, recording_id in files.filter(Q(locked_at__isnull=False) | held).values_list("incident_id", "pk"):
        endless[incident_id].add(recording_id)
    dated: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    flags = EvidenceFlag.objects.filter(recording__in=files, released_at=None).select_related("category", "recording")
    for flag in flags:
        until = rules.flagged_until(_flag(flag.category, terms), flag.recording.started_at)
        if until is None:
            endless[flag.recording.incident_id].add(flag.recording_id)
        else:
            dated[flag.recording.incident_id][flag.recording_id] = until
    found: dict[UUID, tuple[rules.RetentionReason, ...]] = {}
    for recording in together:
        if endless[recording.incident_id] - {recording.pk}:
            found[recording.pk] = (rules.of_incident(None),)
        elif ends := [end for other, end in dated[recording.incident_id].items() if other != recording.pk]:
            found[recording.pk] = (rules.of_incident(max(ends)),)
    return found
