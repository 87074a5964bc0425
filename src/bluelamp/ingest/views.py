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
from bluelamp.web.responses import render

_PER_PAGE = 50


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
    form = MissingFilter(request.GET or None)
    asked: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
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
        "state": state,
        "query": _without(request.GET, "page"),
        "applied": _applied(request.GET, form, asked),
    }
    return render(request, "ingest/missing.html", context)


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


def _page(request: HttpRequest, found: Discrepancy, problem: str = "", typed: str = "") -> HttpResponse:
    context = {
        "story": missing.story(found),
        "found": found,
        "may_close": found.is_open and allows(request, Action.MANAGE_FLEET),
        "problem": problem,
        "reason": typed,
    }
    return render(request, "ingest/discrepancy.html", context, status=422 if problem else 200)


def _without(query: QueryDict, *gone: str) -> str:
    rest = query.copy()
    for name in gone:
        rest.pop(name, None)
    return rest.urlencode()


def _applied(query: QueryDict, form: MissingFilter, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """The filters in use, each with the address of the page without it."""
    base = reverse("ingest:missing")
    found = []
    for name, value in asked.items():
        if value:
            words = dict(getattr(form.fields[name], "choices", ())).get(value) if isinstance(value, str) else value.name
            found.append((str(words), f"{base}?{_without(query, name, 'page')}"))
    return found
