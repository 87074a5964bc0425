"""Who gets to a case's pages: whoever has a role in it, and those who may read the audit trail."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from bluelamp.cases import queries
from bluelamp.cases.models import Case, Subject
from bluelamp.kernel.errors import NotAllowed, NotFound
from bluelamp.people import access
from bluelamp.people.policy import Action, Thing


def visible(request: HttpRequest, case_id: UUID) -> Case:
    """The case, for whoever has a role in it or may read the audit trail; a refusal is recorded."""
    found = Case.objects.filter(pk=case_id).first()
    if found is None:
        raise NotFound("There is no such case.", "", "Look for it in your list of cases.")
    actor = access.request_actor(request)
    if not queries.visible_to(actor).filter(pk=case_id).exists():
        why = "You have no role in this case."
        access.refuse(actor, Action.MANAGE_CASES, Thing(subject=found.custody_id), request.path, why)
        raise NotAllowed(why, "Nothing was changed. The attempt was logged.", "Ask the officer in the case to add you.")
    return found


def own(request: HttpRequest, case_id: UUID) -> Case:
    """The case, for its members only."""
    found = visible(request, case_id)
    actor = access.request_actor(request)
    if not queries.is_member(found, actor):
        why = "Only people with a role in this case may change it."
        access.refuse(actor, Action.MANAGE_CASES, Thing(subject=found.custody_id), request.path, why)
        raise NotAllowed(why, "Nothing was changed. The attempt was logged.", "Ask the officer in the case.")
    return found


def subject_of(case: Case, subject_id: UUID) -> Subject:
    """A person whom the case is about. Raises NotFound."""
    found = case.subjects.filter(pk=subject_id).first()
    if found is None:
        raise NotFound("There is no such person in this case.", "", "Look at the persons on the case's page.")
    return found
