"""Reading cases, their people, and why they keep footage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from bluelamp.cases.models import Case, CaseMember, CaseRecording, Subject
from bluelamp.footage.models import Recording
from bluelamp.kernel.among import among
from bluelamp.people.policy import Action, Actor, may
from bluelamp.retention.hooks import Reason
from bluelamp.retention.rules import RetentionReason


def members(recording: Recording) -> set[int]:
    """Ids of people with a role in an open case that the recording belongs to."""
    return set(
        CaseMember.objects.filter(case__links__recording=recording, left_at=None, case__closed_at=None).values_list(
            "person_id", flat=True
        )
    )


def visible_to(actor: Actor) -> QuerySet[Case]:
    """Cases that `actor` has a role in; professional standards and whoever may read the audit trail see all."""
    cases = Case.objects.annotate(
        recording_count=Count("links", distinct=True),
        member_count=Count("members", filter=Q(members__left_at=None), distinct=True),
    )
    if may(actor, Action.VIEW_AUDIT).allowed:
        return cases
    return cases.filter(members__person_id=actor.id, members__left_at=None)


def is_member(case: Case, actor: Actor) -> bool:
    """Whether `actor` has a role in the case today."""
    return case.members.filter(person_id=actor.id, left_at=None).exists()


def people_of(case: Case) -> frozenset[int]:
    """Ids of people with a role in the case today, whether it is open or closed."""
    return frozenset(case.members.filter(left_at=None).values_list("person_id", flat=True))


def open_cases_of(recording: Recording) -> QuerySet[Case]:
    """Open cases that a recording belongs to."""
    return Case.objects.filter(links__recording=recording, closed_at=None)


def retention_reasons(recordings: Sequence[Recording]) -> dict[UUID, list[Reason]]:
    """Why retention must keep recordings on account of cases.

    Each open case keeps them until it is closed. In a closed case too they are kept by the clocks of each person whom
    it is about: proceedings (CPIA 1996 code of practice, paragraphs 5.7 to 5.10) and MoPI review group. A case that was
    closed without a person in it ended without proceedings.
    """
    links = list(
        CaseRecording.objects.filter(recording__in=among(recording.pk for recording in recordings))
        .order_by("pk")
        .values_list("recording_id", "case_id")
    )
    of_cases = reasons_of_cases({case_id for _, case_id in links})
    found: dict[UUID, list[Reason]] = defaultdict(list)
    for recording_id, case_id in links:
        found[recording_id] += of_cases[case_id]
    return found


def reasons_of_cases(ids: Collection[UUID]) -> dict[UUID, list[Reason]]:
    """The reasons that each case gives for keeping what belongs to it."""
    found: dict[UUID, list[Reason]] = {case_id: [] for case_id in ids}
    if not ids:
        return found
    for case_id in Case.objects.filter(pk__in=ids, closed_at=None).values_list("pk", flat=True):
        found[case_id].append(reason_of_open_case(case_id))
    subjects = Subject.objects.filter(case__in=ids).prefetch_related("appeals", "reviews")
    for subject in subjects:
        known = subject.known
        found[subject.case_id].append(known.proceedings)
        if known.mopi is not None:
            found[subject.case_id].append(known.mopi)
    return found


def reason_of_open_case(case_id: UUID) -> RetentionReason:
    """That a case is open keeps its recordings."""
    return RetentionReason(
        code=f"case:{case_id}",
        title="Open case",
        why="it belongs to an open case",
        basis="CPIA 1996 code of practice, paragraph 5",
    )


def recordings_of_member(person_id: int) -> set[UUID]:
    """Ids of recordings that a person may see through a role in an open case."""
    return set(
        CaseRecording.objects.filter(
            case__closed_at=None, case__members__person_id=person_id, case__members__left_at=None
        ).values_list("recording_id", flat=True)
    )
