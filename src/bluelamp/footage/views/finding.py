"""The results page."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bluelamp.footage import queries, services
from bluelamp.footage.filters import address
from bluelamp.footage.forms import NewsForm, SearchForm
from bluelamp.footage.queries.listing import MOST_ARRIVED, MOST_COUNTED, Listing
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_OVERLAP = timedelta(minutes=1)
_MORE = ("reference", "unit", "category", "flagged", "event", "state")
"""Filters that stand folded away until they are used."""


@require_GET
@access.signed_in
def index(request: HttpRequest) -> HttpResponse:
    """/footage/: recordings that the person may see the facts of, filtered; a page of others' footage is logged."""
    access.require(request, Action.SEARCH)
    form = SearchForm(request.GET)
    given = {name: str(value) for name, value in request.GET.items() if name in form.fields and value}
    if form.is_valid():
        filters = form.filters()
        found = queries.page(access.request_actor(request), filters)
        services.log_listing(cast(Person, request.user), [row.recording for row in found.rows], filters.logged())
    else:
        found = Listing(rows=[], count=0)
    applied = form.applied() if form.is_valid() else []
    first_page = form.is_valid() and not ("before" in request.GET or "after" in request.GET)
    context = {
        "form": form,
        "listing": found,
        "most_counted": MOST_COUNTED,
        "applied": [(text, address(given, **dict.fromkeys(names))) for text, names in applied],
        "earlier": address(given, before=found.earlier) if found.earlier else "",
        "later": address(given, after=found.later) if found.later else "",
        "more": any(name in given or name in form.errors for name in _MORE),
        "now": clock.now(),
        "news": _news(request, form, given) if first_page else None,
    }
    return render(request, "footage/index.html", context, 200 if form.is_valid() else 422)


@require_GET
@access.signed_in
def new(request: HttpRequest) -> HttpResponse:
    """How many recordings came into a list since it was shown, and nothing else of them; its page asks now and then."""
    access.require(request, Action.SEARCH)
    form, asked = SearchForm(request.GET), NewsForm(request.GET)
    if not form.is_valid() or not asked.is_valid():
        raise Invalid("This is not the list that the page was made from.", "", "Reload the page.")
    since, known = asked.cleaned_data["shown_at"], asked.cleaned_data["known"]
    found = queries.arrived(access.request_actor(request), form.filters(), since) - known
    given = {name: str(value) for name, value in request.GET.items() if name in form.fields and value}
    news = {"count": max(found, 0), "ask": request.GET.urlencode(), "show": address(given)}
    return render(request, "footage/_news.html", {"news": news, "most": MOST_ARRIVED})


def _news(request: HttpRequest, form: SearchForm, given: dict[str, str]) -> dict[str, object]:
    """What the line about new recordings needs. What is received now may be committed a moment later."""
    since = clock.now() - _OVERLAP
    known = queries.arrived(access.request_actor(request), form.filters(), since)
    ask = address(given, shown_at=since.isoformat(), known=known).removeprefix("?")
    return {"count": 0, "ask": ask, "show": address(given)}
