"""The pages about docking: what is uploading now, and what is missing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bluelamp.ingest import live as living
from bluelamp.ingest import missing, services
from bluelamp.ingest.forms import MissingFilter
from bluelamp.ingest.models import Discrepancy
from bluelamp.kernel.errors import Invalid
from bluelamp.people.access import allows, require, signed_in
from bluelamp.people.forms import ReasonForm
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.chips import chips, without
from bluelamp.web.filters import count
from bluelamp.web.responses import render

_PER_PAGE = 50
_AT_ONCE = 500


@signed_in
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """What is uploading now, dock by dock; moves by itself unless it is asked to stand still."""
    require(request, Action.VIEW_FLEET)
    context = {"live": living.live(), "still": "still" in request.GET}
    return render(request, "ingest/live.html", context)


@signed_in
@require_GET
def now(request: HttpRequest) -> HttpResponse:
    """The moving part of that page, asked for again and again."""
    require(request, Action.VIEW_FLEET)
    return render(request, "ingest/_docks.html", {"live": living.live(), "still": False})


@signed_in
@require_GET
def said(request: HttpRequest) -> HttpResponse:
    """The page's one sentence for screen readers; empty (204) while it is what was said last."""
    require(request, Action.VIEW_FLEET)
    sentence = living.live().sentence
    if request.GET.get("said") == sentence:
        return HttpResponse(status=204)
    return render(request, "ingest/_said.html", {"sentence": sentence})


@signed_in
@require_GET
def what_is_missing(request: HttpRequest) -> HttpResponse:
    """What cameras recorded and the server does not have, and whatever else does not agree."""
    require(request, Action.VIEW_FLEET)
    form, asked = _asked(request)
    state = str(asked.get("state") or Discrepancy.State.OPEN)
    found = missing.listing(
        kind=asked.get("kind", ""),
        unit=asked.get("unit"),
        age=asked.get("age", ""),
        state="" if state == "all" else state,
    )
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "recordings": missing.recordings_missing(),
        "awaited": missing.recordings_awaited(),
        "state": state,
        "query": without(request.GET, "page"),
        "applied": _applied(request.GET, form, asked),
        "may_close_several": state == Discrepancy.State.OPEN
        and bool(asked.get("kind"))
        and page.paginator.count > 1
        and allows(request, Action.MANAGE_FLEET),
    }
    return render(request, "ingest/missing.html", context)


@signed_in
def close_several(request: HttpRequest) -> HttpResponse:
    """Answer with one reason for all of one kind that a filter shows; asks again where they are others meanwhile."""
    require(request, Action.MANAGE_FLEET)
    _, asked = _asked(request)
    if not asked.get("kind"):
        messages.info(request, "Choose one kind of discrepancy first.")
        return redirect("ingest:missing")
    found = list(missing.listing(kind=asked["kind"], unit=asked.get("unit"), age=asked.get("age", ""))[:_AT_ONCE])
    form = ReasonForm(request)
    problem = form.problem
    if form.is_valid() and isinstance(request.user, Person):
        if request.POST.get("newest") == _newest(found) and request.POST.get("count") == str(len(found)):
            closed = services.close_discrepancies([one.pk for one in found], by=request.user, reason=form.given)
            messages.success(request, f"Closed: {count(closed, 'discrepancy', 'discrepancies')}.")
            return redirect("ingest:missing")
        problem = "Meanwhile there are others among them. Look at them again."
    context = {
        "found": found,
        "kind": Discrepancy.Kind(asked["kind"]).label,
        "recordings": sum(one.missing for one in found),
        "newest": _newest(found),
        "query": without(request.GET, "page"),
        "problem": problem,
        "reason": form.typed,
    }
    return render(request, "ingest/close_several.html", context, status=422 if problem else 200)


@signed_in
@require_GET
def discrepancy(request: HttpRequest, discrepancy_id: UUID) -> HttpResponse:
    """One discrepancy: what happened, what it means, what to do next."""
    require(request, Action.VIEW_FLEET)
    return _page(request, missing.one(discrepancy_id))


@signed_in
@require_POST
def close(request: HttpRequest, discrepancy_id: UUID) -> HttpResponse:
    """Answer for a discrepancy, with a reason."""
    require(request, Action.MANAGE_FLEET)
    found, form = missing.one(discrepancy_id), ReasonForm(request)
    problem = form.problem
    if form.is_valid() and isinstance(request.user, Person):
        try:
            services.close_discrepancy(found.pk, by=request.user, reason=form.given)
        except Invalid as error:
            problem = error.what_happened
        else:
            messages.success(request, f"Closed: {found.get_kind_display().lower()}, camera {found.camera.serial}.")
            return redirect("ingest:missing")
    return _page(request, found, problem, form.typed)


def _asked(request: HttpRequest) -> tuple[MissingFilter, dict[str, Any]]:
    form = MissingFilter(request.GET or None)
    return form, form.cleaned_data if form.is_bound and form.is_valid() else {}


def _newest(found: list[Discrepancy]) -> str:
    return str(max((one.pk for one in found), default=""))


def _page(request: HttpRequest, found: Discrepancy, problem: str = "", typed: str = "") -> HttpResponse:
    context = {
        "story": missing.story(found),
        "found": found,
        "may_close": found.is_open and allows(request, Action.MANAGE_FLEET),
        "problem": problem,
        "reason": typed,
    }
    return render(request, "ingest/discrepancy.html", context, status=422 if problem else 200)


def _applied(query: QueryDict, form: MissingFilter, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """The filters in use, each with the address of the page without it."""
    shown = {
        name: dict(getattr(form.fields[name], "choices", ())).get(value) if isinstance(value, str) else value.name
        for name, value in asked.items()
        if value
    }
    return chips(reverse("ingest:missing"), query, shown)
