"""Edits that would shorten, which wait for a second person: the list, one edit, and several at once."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.custody import words
from bluelamp.footage import queries as footage
from bluelamp.footage import services as footage_services
from bluelamp.kernel.errors import BluelampError
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.retention import queries, services, work_lists
from bluelamp.retention.forms import ShorteningForm
from bluelamp.retention.models import Shortening
from bluelamp.web.responses import render

_PEOPLE = ("edited_by", "decided_by")


@require_GET
@access.signed_in
def held_back(request: HttpRequest) -> HttpResponse:
    """Edits that would shorten retention, and wait for a second person."""
    access.require(request, Action.REVIEW_RETENTION)
    state = _state(request.GET)
    context = work_lists.page(request, "held_back", "edits held back", queries.shortenings(state), _PEOPLE) | {
        "state": state,
        "states": [(Shortening.State.WAITING, "Waiting"), (Shortening.State.REFUSED, "Refused")],
        "total": queries.held_back(),
    }
    return render(request, "retention/held_back.html", context)


@require_http_methods(["GET", "POST"])
@access.signed_in
def shortening(request: HttpRequest, shortening_id: int) -> HttpResponse:
    """One edit: the former date and the new one, and the decision."""
    access.require(request, Action.REVIEW_RETENTION)
    found = queries.shortening(shortening_id)
    who = cast(Person, request.user)
    form = ShorteningForm(request.POST or None)
    if form.is_valid():
        approve = form.cleaned_data["decision"] == "approve"
        act = services.approve_shortening if approve else services.refuse_shortening
        try:
            act(found.pk, reason=form.cleaned_data["reason"], actor=who)
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Approved; its cooling period begins." if approve else "The former date stays.")
            return redirect("retention:held_back")
    services.look_into(f"shortening:{found.pk}", found.recording, who.custody_id)
    footage_services.log_consultation(who, found.recording)
    found = queries.shortening(shortening_id)
    context = {
        "form": form,
        "found": found,
        "recording": footage.recording(found.recording_id),
        "decision": queries.decision(found.recording),
        "names": words.names({found.edited_by, found.decided_by}),
        "open": found.state in (Shortening.State.WAITING, Shortening.State.REFUSED),
        "mine": queries.made_a_step_of(found, who.custody_id) or found.recording.wearer_id == who.pk,
        # What a case has recorded, and why, is for whoever decides on it; not for whoever wore the camera.
        "told": found.recording.wearer_id != who.pk,
        "cooling": queries.policy().cooling,
    }
    return render(request, "retention/shortening.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@access.signed_in
def decide_held_back(request: HttpRequest) -> HttpResponse:
    """Decide with one reason on all edits of a state, once the sample has been looked at."""
    access.require(request, Action.REVIEW_RETENTION)
    who = cast(Person, request.user)
    # What this person may not decide would only be refused one by one.
    listed = queries.shortenings(_state(request.GET)).exclude(edited_by=who.custody_id)
    found = list(listed.exclude(recording__wearer=who)[: services.MOST_AT_ONCE])
    form = ShorteningForm(request.POST or None)
    ids = [each.pk for each in found]
    if form.is_valid() and work_lists.is_as_shown(request, form, found):
        try:
            done, left = services.decide_shortenings(
                ids,
                approve=form.cleaned_data["decision"] == "approve",
                reason=form.cleaned_data["reason"],
                actor=who,
            )
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
        else:
            work_lists.tell(request, done, left, "edit")
            return redirect("retention:held_back")
    context = work_lists.several(request, "shortening", "edits held back", found, _PEOPLE) | {
        "form": form,
        "bytes": sum(each.recording.size for each in found),
    }
    return render(request, "retention/decide_held_back.html", context, status=422 if form.errors else 200)


def _state(query: QueryDict) -> str:
    asked = query.get("state", "")
    return asked if asked in (Shortening.State.WAITING, Shortening.State.REFUSED) else Shortening.State.WAITING
