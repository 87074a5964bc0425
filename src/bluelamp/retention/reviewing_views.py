"""Work lists of a second person: edits held back, holds and their reviews."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.custody import words
from bluelamp.footage import queries as footage
from bluelamp.footage import services as footage_services
from bluelamp.kernel.errors import BluelampError, Conflict, NotAllowed
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.retention import hooks, pages, queries, services
from bluelamp.retention.forms import HoldsFilter, ReviewForm, ShorteningForm
from bluelamp.retention.models import Hold, Shortening
from bluelamp.web.chips import chips, without
from bluelamp.web.filters import count
from bluelamp.web.responses import render

_PAGE = 50


@require_GET
@access.signed_in
def held_back(request: HttpRequest) -> HttpResponse:
    """Edits that would shorten retention, and wait for a second person."""
    access.require(request, Action.REVIEW_RETENTION)
    state = _state(request.GET)
    page = Paginator(queries.shortenings(state), _PAGE).get_page(request.GET.get("page"))
    _log_listing(request, page, "edits held back")
    context = {
        "page": page,
        "state": state,
        "states": [(Shortening.State.WAITING, "Waiting"), (Shortening.State.REFUSED, "Refused")],
        "total": queries.held_back(),
        "names": _names(page, "edited_by", "decided_by"),
        "pages": pages.subnav(request, "held_back"),
        "query": without(request.GET, "page"),
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
        "mine": found.edited_by == who.custody_id or found.recording.wearer_id == who.pk,
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
    if form.is_valid() and _same(request, form, ids):
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
            _tell(request, done, left, "edit")
            return redirect("retention:held_back")
    _log_listing(request, found, "edits held back")
    context = {
        "form": form,
        "found": found,
        "ids": _together(ids),
        "query": without(request.GET, "page"),
        "bytes": sum(each.recording.size for each in found),
        "sample": _sample(found, "shortening", who.custody_id),
        "names": _names(found, "edited_by"),
    }
    return render(request, "retention/decide_held_back.html", context, status=422 if form.errors else 200)


@require_GET
@access.signed_in
def holds(request: HttpRequest) -> HttpResponse:
    """All holds, by state, kind, owner and words of their reason."""
    access.require(request, Action.REVIEW_RETENTION)
    form = HoldsFilter(request.GET, _owners(request))
    asked = form.cleaned_data if form.is_valid() else {}
    state = asked.get("state") or "standing"
    found = queries.holds(state=state, kind=asked.get("kind", ""), owner=asked.get("owner", ""), words=_words(asked))
    page = Paginator(_of_others(request, found), _PAGE).get_page(request.GET.get("page"))
    _log_listing(request, page, "holds")
    labels = {name: dict(form.fields[name].choices) for name in ("state", "kind", "owner")}  # type: ignore[attr-defined]
    shown = {name: labels[name].get(asked.get(name), "") for name in labels if asked.get(name)}
    if words_ := _words(asked):
        shown["words"] = f"“{words_}”"
    context = {
        "form": form,
        "page": page,
        "state": state,
        "names": _names(page, "owner", "placed_by"),
        "applied": chips(request.path, request.GET, shown),
        "by_kind": queries.holds_by_kind(),
        "kinds": dict(Hold.Kind.choices),
        "pages": pages.subnav(request, "holds"),
        "query": without(request.GET, "page"),
    }
    return render(request, "retention/holds.html", context)


@require_GET
@access.signed_in
def reviews(request: HttpRequest) -> HttpResponse:
    """What must be looked at again by today: holds, and what other rooms ask to have reviewed."""
    access.require(request, Action.REVIEW_RETENTION)
    page = Paginator(_of_others(request, queries.holds_due()), _PAGE).get_page(request.GET.get("page"))
    _log_listing(request, page, "reviews")
    context = {
        "page": page,
        "others": hooks.reviews_due(queries.today()),
        "reader": cast(Person, request.user).pk,
        "names": _names(page, "owner"),
        "today": queries.today(),
        "pages": pages.subnav(request, "reviews"),
        "query": without(request.GET, "page"),
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
        "preview": services.preview_release(Hold.objects.filter(pk=found.pk)) if not found.released_at else None,
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
    if form.is_valid() and _same(request, form, ids):
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
            _tell(request, done, left, "hold")
            return redirect("retention:reviews")
    _log_listing(request, found, "reviews")
    context = {
        "form": form,
        "found": found,
        "ids": _together(ids),
        "sample": _sample(found, "hold", who.custody_id),
        "preview": services.preview_release(Hold.objects.filter(pk__in=ids)),
        "names": _names(found, "owner"),
    }
    return render(request, "retention/decide_reviews.html", context, status=422 if form.errors else 200)


def _of_others(request: HttpRequest, holds: QuerySet[Hold]) -> QuerySet[Hold]:
    """Not those on footage that the reader wore the camera for: a complaint may stand behind them."""
    return holds.exclude(recording__wearer=cast(Person, request.user))


def _log_listing(request: HttpRequest, listed: Iterable[Hold | Shortening], page: str) -> None:
    recordings = [each.recording for each in listed]
    footage_services.log_listing(cast(Person, request.user), recordings, {"page": page})


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


def _state(query: QueryDict) -> str:
    asked = query.get("state", "")
    return asked if asked in (Shortening.State.WAITING, Shortening.State.REFUSED) else Shortening.State.WAITING


def _same(request: HttpRequest, form: forms.Form, ids: list[int]) -> bool:
    """Whether the list is still the one that was shown; says so in the form where it is not."""
    if request.POST.get("ids") == _together(ids):
        return True
    form.add_error(None, "Meanwhile there are others among them. Look at them again.")
    return False


def _together(ids: list[int]) -> str:
    return ",".join(map(str, sorted(ids)))


def _sample(found: list[Any], what: str, person: str) -> list[tuple[Any, bool]]:
    """Those that must be looked at, and whether they have been."""
    by_subject = {f"{what}:{each.pk}": each for each in found}
    drawn = queries.sample(by_subject, person)
    seen = queries.looked_at(drawn, person)
    return [(by_subject[subject], subject in seen) for subject in drawn]


def _tell(request: HttpRequest, done: int, left: list[str], what: str) -> None:
    if done:
        messages.success(request, f"Decided on {count(done, what)}.")
    if left:
        messages.warning(request, f"{count(len(left), what)} left as before: {' '.join(sorted(set(left)))}")


def _words(asked: dict[str, Any]) -> str:
    return " ".join(str(asked.get("words", "")).split())


def _owners(request: HttpRequest) -> list[tuple[str, str]]:
    return [(access.request_actor(request).custody_id, "Me"), *queries.roles_that_own()]


def _names(found: Any, *fields: str) -> dict[str, str]:
    """What people, roles and things are called that stand in these fields."""
    ids = {getattr(each, name) for each in found for name in fields}
    return words.names(ids) | dict(queries.roles_that_own())
