"""Reading cases."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q, QuerySet

from bluelamp.cases.models import Case, CaseMember, CaseRecording
from bluelamp.footage.models import Recording
from bluelamp.people.policy import Action, Actor, may
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


def retention_reasons(recording: Recording) -> list[RetentionReason]:
    """Why retention must keep a recording on account of cases: each open case keeps it until it is closed.

    CPIA 1996 code of practice, para 5: relevant material is retained until a decision on proceedings, and then until
    they are over.
    """
    return [
        RetentionReason(
            code=case.custody_id,
            title="Open case",
            why="it belongs to an open case",
            basis="CPIA 1996 code of practice, paragraph 5",
        )
        for case in open_cases_of(recording)
    ]


def recordings_of_member(person_id: int) -> set[UUID]:
    """Ids of recordings that a person may see through a role in an open case."""
    return set(
        CaseRecording.objects.filter(
            case__closed_at=None, case__members__person_id=person_id, case__members__left_at=None
        ).values_list("recording_id", flat=True)
    )
