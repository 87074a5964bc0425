"""A recording's custody history as a story, the proof of its events, and who looked at one's own footage."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.footage import queries as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, NotFound
from bluelamp.oversight import proofs, services
from bluelamp.oversight.queries import checks, history
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

MOST_READ_AT_ONCE = 256_000_000
"""Bytes of a stored file that are read while somebody waits for the page; a larger one is read by the check."""


@access.signed_in
@require_http_methods(["GET", "POST"])
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """The story, for whoever may see the history; POST verifies each event that it is told from."""
    found = footage.recording(recording_id)
    thing = footage.thing(found)
    access.require(request, Action.VIEW_HISTORY, thing)
    reader = access.request_actor(request)
    told = history.tell(found, reader, thing)
    services.note_consultation(actor=reader.custody_id, page="story", shown=told.steps, subject=found.custody_id)
    context = {
        "recording": found,
        "story": told,
        "may_audit": access.allows(request, Action.VIEW_AUDIT),
        "reader": reader.custody_id,
        "problem": None,
    }
    if request.method == "POST":
        context |= _stored(found)
        try:
            under, result = proofs.verify_all(found.custody_id)
        except NotFound as error:
            context["problem"] = error
        else:
            seen = {event: wrong for event, wrong in result.items() if event in set(told.events)}
            wrong = [(event, problem) for event, problem in seen.items() if problem]
            services.note_verification(
                actor=reader.custody_id, subject=found.custody_id, size=len(seen), problems=len(wrong)
            )
            context |= {
                "verified": seen,
                "wrong": wrong,
                "waiting": len(told.events) - len(seen),
                "checkpoint": under,
            }
    return render(request, "oversight/story.html", context)


def _stored(recording: Recording) -> dict[str, object]:
    """Whether the stored file is what was sealed: read now, or, of a large one, when it was read last."""
    if recording.state == Recording.State.DELETED:
        return {}
    if recording.size > MOST_READ_AT_ONCE:
        return {"read_at": checks.last_read(recording.pk), "faults": checks.faults(recording.pk)}
    try:
        wrong = services.recheck(recording.pk)
    except BluelampError as error:
        return {"unread": error}
    return {"read_now": wrong is not None, "faults": [item.detail for item in wrong or ()]}


@access.signed_in
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """Who else opened footage that the signed-in person recorded (decision 013)."""
    person = cast(Person, request.user)
    looks = history.looked_at_mine(person, clock.now())
    services.note_consultation(actor=person.custody_id, page="who looked at mine", shown=len(looks))
    context = {"looks": looks, "days": history.LOOKED_DAYS, "most": history.MOST_LOOKS}
    return render(request, "oversight/mine.html", context)
