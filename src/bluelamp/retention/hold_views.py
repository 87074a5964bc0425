"""Holds and what must be looked at again: the lists, one hold, and several at once."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.custody import words
from bluelamp.footage import queries as footage
from bluelamp.footage import services as footage_services
from bluelamp.kernel.errors import BluelampError, Conflict, NotAllowed
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.retention import hooks, queries, services, work_lists
from bluelamp.retention.forms import HoldsFilter, ReviewForm
from bluelamp.retention.models import Hold
from bluelamp.web.chips import chips
from bluelamp.web.responses import render

_PEOPLE = ("owner", "placed_by")


@require_GET
@access.signed_in
def holds(request: HttpRequest) -> HttpResponse:
    """All holds, by state, kind, owner and words of their reason."""
    access.require(request, Action.REVIEW_RETENTION)
    form = HoldsFilter(request.GET, _owners(request))
    asked = form.cleaned_data if form.is_valid() else {}
    state = asked.get("state") or "standing"
    found = queries.holds(state=state, kind=asked.get("kind", ""), owner=asked.get("owner", ""), words=_words(asked))
    labels = {name: dict(form.fields[name].choices) for name in ("state", "kind", "owner")}
    shown = {name: labels[name].get(asked.get(name), "") for name in labels if asked.get(name)}
    if words_ := _words(asked):
        shown["words"] = f"“{words_}”"
    context = work_lists.page(request, "holds", "holds", _of_others(request, found), _PEOPLE) | {
        "form": form,
        "state": state,
        "applied": chips(request.path, request.GET, shown),
        "by_kind": queries.holds_by_kind(),
        "kinds": dict(Hold.Kind.choices),
    }
    return render(request, "retention/holds.html", context)


@require_GET
@access.signed_in
def reviews(request: HttpRequest) -> HttpResponse:
    """What must be looked at again by today: holds, and what other rooms ask to have reviewed."""
    access.require(request, Action.REVIEW_RETENTION)
    due = _of_others(request, queries.holds_due())
    context = work_lists.page(request, "reviews", "reviews", due, _PEOPLE) | {
        "others": hooks.reviews_due(queries.today()),
        "reader": cast(Person, request.user).pk,
        "today": queries.today(),
    }
    return render(request, "retention/reviews.html", context)


@require_http_methods(["GET", "POST"])
@access.signed_in
def hold(request: HttpRequest, hold_id: int) -> HttpResponse:
    """One hold, and what its review finds."""
    access.require(request, Action.REVIEW_RETENTION)
    found, who = queries.hold(hold_id), cast(Person, request.user)
    if found.recording.wearer_id == who.pk:
        raise NotAllowed(
            "You wore the camera.",
            "Why a hold stands, and when it ends, is for others to read and to decide.",
            "On the recording's page you read until when it is kept.",
        )
    form = ReviewForm(request.POST or None)
    if form.is_valid():
        try:
            done = _review(request, found, form)
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect("retention:reviews")
    services.look_into(f"hold:{found.pk}", found.recording, who.custody_id)
    footage_services.log_consultation(who, found.recording)
    context = {
        "form": form,
        "found": queries.hold(hold_id),
        "recording": footage.recording(found.recording_id),
        "decision": queries.decision(found.recording),
        "preview": queries.preview_release(Hold.objects.filter(pk=found.pk)) if not found.released_at else None,
        "names": words.names({found.owner, found.placed_by, found.released_by}),
    }
    return render(request, "retention/review.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@access.signed_in
def decide_reviews(request: HttpRequest) -> HttpResponse:
    """Decide with one reason on all holds that are due, once the sample has been looked at."""
    access.require(request, Action.REVIEW_RETENTION)
    who = cast(Person, request.user)
    found = list(_of_others(request, queries.holds_due())[: services.MOST_AT_ONCE])
    form, ids = ReviewForm(request.POST or None), [each.pk for each in found]
    if form.is_valid() and work_lists.is_as_shown(request, form, found):
        keep = form.cleaned_data["decision"] == "keep"
        try:
            if not keep:
                for each in found:
                    access.require(request, Action.RELEASE, footage.thing(each.recording))
            done, left = services.decide_holds(
                ids, keep=keep, reason=form.cleaned_data["reason"], actor=who.custody_id, review_at=form.review_at
            )
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
        else:
            work_lists.tell(request, done, left, "hold")
            return redirect("retention:reviews")
    context = work_lists.several(request, "hold", "reviews", found, _PEOPLE) | {
        "form": form,
        "preview": queries.preview_release(Hold.objects.filter(pk__in=ids)),
    }
    return render(request, "retention/decide_reviews.html", context, status=422 if form.errors else 200)


def _of_others(request: HttpRequest, holds: QuerySet[Hold]) -> QuerySet[Hold]:
    """Not those on footage that the reader wore the camera for: a complaint may stand behind them."""
    return holds.exclude(recording__wearer=cast(Person, request.user))


def _review(request: HttpRequest, found: Hold, form: ReviewForm) -> str:
    actor, reason = access.request_actor(request).custody_id, form.cleaned_data["reason"]
    if form.cleaned_data["decision"] == "keep":
        services.keep_hold(found, reason, actor, review_at=form.review_at)
        return "The hold stands until its next review."
    access.require(request, Action.RELEASE, footage.thing(found.recording))
    if found.source:
        raise Conflict(
            "This hold was placed by a request, a case or a share.",
            "It stands for as long as that is open.",
            "Close what placed it, and the hold ends with it.",
        )
    services.release_hold(found, reason, actor)
    return "The hold is released."


def _words(asked: dict[str, Any]) -> str:
    return " ".join(str(asked.get("words", "")).split())


def _owners(request: HttpRequest) -> list[tuple[str, str]]:
    return [(access.request_actor(request).custody_id, "Me"), *queries.roles_that_own()]
