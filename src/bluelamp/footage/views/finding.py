"""The results page."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bluelamp.footage import queries, services
from bluelamp.footage.filters import address
from bluelamp.footage.forms import SearchForm
from bluelamp.footage.queries.listing import MOST_COUNTED, Listing
from bluelamp.kernel import clock
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

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
    context = {
        "form": form,
        "listing": found,
        "most_counted": MOST_COUNTED,
        "applied": [(text, address(given, **dict.fromkeys(names))) for text, names in applied],
        "earlier": address(given, before=found.earlier) if found.earlier else "",
        "later": address(given, after=found.later) if found.later else "",
        "more": any(name in given or name in form.errors for name in _MORE),
        "now": clock.now(),
    }
    return render(request, "footage/index.html", context, 200 if form.is_valid() else 422)
