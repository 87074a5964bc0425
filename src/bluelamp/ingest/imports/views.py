"""Imports: where each stands, what is wrong with which file, and whether the source may be deleted.

Figures and verdict are for whoever sees the fleet. Names of files come from another system and may tell of people:
they are for the body-worn video manager.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from bluelamp.custody import queries as custody
from bluelamp.ingest.imports import listing, queries, rules, services
from bluelamp.ingest.imports.forms import ItemFilter
from bluelamp.ingest.models import ImportRun
from bluelamp.kernel.errors import NotFound
from bluelamp.people.access import allows, request_actor, require, signed_in
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_RUNS_A_PAGE = 20
_FILES_A_PAGE = 50


@signed_in
@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """All imports, the latest first."""
    require(request, Action.VIEW_FLEET)
    page = Paginator(queries.runs(), _RUNS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "imports/runs.html", {"page": page, "standings": [queries.standing(each) for each in page.object_list]}
    )


@signed_in
@require_GET
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One import: its verdict, its figures, its files."""
    require(request, Action.VIEW_FLEET)
    found = queries.run(run_id)
    showing = queries.showing(found)
    context: dict[str, Any] = {
        "standing": queries.standing(found),
        "run": found,
        "names": allows(request, Action.MANAGE_FLEET),
        "showing": showing,
        "remarks": rules.remarks(showing),
        "events": custody.history(found.custody_id),
    }
    if context["names"]:
        context |= _files(request, found)
    return render(request, "imports/run.html", context)


@signed_in
@require_GET
def now(request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a running import is, asked for again and again."""
    require(request, Action.VIEW_FLEET)
    found = queries.run(run_id)
    return render(request, "imports/_now.html", {"standing": queries.standing(found), "run": found})


@signed_in
@require_GET
def listing_file(request: HttpRequest, run_id: int) -> StreamingHttpResponse:
    """The list of all its files, as CSV; it names them, so that taking it is in the ledger."""
    require(request, Action.MANAGE_FLEET)
    found = queries.run(run_id)
    services.listing_taken(found, by=request_actor(request).custody_id)
    lines = listing.lines(queries.every(found.items.all()))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}.csv"'
    return response


@signed_in
@require_GET
def report(request: HttpRequest, run_id: int) -> HttpResponse:
    """The signed report."""
    require(request, Action.VIEW_FLEET)
    found = queries.run(run_id)
    if not found.report:
        raise NotFound("This import has no report yet.", "It has not come to its end.", "Run the import to its end.")
    text = json.dumps(found.report, indent=2, ensure_ascii=False) + "\n"
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}.json"'
    return response


def _files(request: HttpRequest, found: ImportRun) -> dict[str, Any]:
    form = ItemFilter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    state, words = asked.get("state", ""), asked.get("words", "")
    shown = "" if state == "all" else state or "problems"
    page = Paginator(queries.items(found, state=shown, words=words), _FILES_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    base = reverse("imports:run", args=[found.pk])
    applied = []
    for name, value in (
        ("state", dict(form.fields["state"].choices).get(state, "") if state else ""),
        ("words", words),
    ):
        if value:
            without = query.copy()
            without.pop(name, None)
            applied.append((value, f"{base}?{without.urlencode()}"))
    why = queries.reasons(page.object_list)
    return {"form": form, "page": page, "why": why, "query": query.urlencode(), "applied": applied}
