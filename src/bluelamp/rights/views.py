"""The desk of the information rights officers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from bluelamp.custody import queries as custody_queries
from bluelamp.footage import services as footage
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.rights import queries, rules, services
from bluelamp.rights.forms import CloseForm, ExtendForm, ProofsForm, QuestionForm, StopHoldingForm
from bluelamp.rights.models import Request
from bluelamp.web.responses import render

_FORMS: dict[str, type[forms.Form]] = {
    "proofs": ProofsForm,
    "question": QuestionForm,
    "extend": ExtendForm,
    "close": CloseForm,
    "stop_holding": StopHoldingForm,
}
_CLOSED = (Request.State.ANSWERED, Request.State.REFUSED, Request.State.LAPSED)


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    access.require(request, Action.VIEW_REQUESTS)
    closed = request.GET.get("show") == "closed"
    states = _CLOSED if closed else (Request.State.OPEN, Request.State.UNCONFIRMED)
    return render(request, "rights/index.html", {"rows": queries.desk(states), "closed": closed})


@access.signed_in
@require_GET
def desk(request: HttpRequest, request_id: UUID) -> HttpResponse:
    access.require(request, Action.VIEW_REQUESTS)
    return _page(request, get_object_or_404(Request, pk=request_id))


@access.signed_in
@require_POST
def prove_identity(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _act(
        request,
        request_id,
        "proofs",
        lambda found, given: services.prove_identity(found, by=request.user, proofs=given["proofs"]),
        "Recorded. The statutory month runs from today, or from the answer where a question is still open.",
    )


@access.signed_in
@require_POST
def ask_clarification(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _act(
        request,
        request_id,
        "question",
        lambda found, given: services.ask_clarification(found, by=request.user, question=given["question"]),
        "The question goes out now. From its sending the clock stands until you record the answer.",
    )


@access.signed_in
@require_POST
def clarified(request: HttpRequest, request_id: UUID) -> HttpResponse:
    access.require(request, Action.HANDLE_REQUESTS)
    services.clarified(get_object_or_404(Request, pk=request_id), by=request.user)
    messages.success(request, "Recorded. The clock runs again.")
    return redirect("requests:request", request_id)


@access.signed_in
@require_POST
def extend(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _act(
        request,
        request_id,
        "extend",
        lambda found, given: services.extend(found, by=request.user, reason=given["reason"]),
        "Extended by two months. The notice to the requester goes out now.",
    )


@access.signed_in
@require_POST
def close(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _act(
        request,
        request_id,
        "close",
        lambda found, given: services.close(found, by=request.user, **given),
        "The request is closed.",
    )


@access.signed_in
@require_POST
def stop_holding(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _act(
        request,
        request_id,
        "stop_holding",
        lambda found, given: services.stop_holding(found, by=request.user, reason=given["reason"]),
        "The footage is no longer held for this request.",
    )


def _act(
    request: HttpRequest,
    request_id: UUID,
    name: str,
    act: Callable[[Request, dict[str, Any]], None],
    done: str,
) -> HttpResponse:
    access.require(request, Action.HANDLE_REQUESTS)
    found = get_object_or_404(Request, pk=request_id)
    form = _FORMS[name](request.POST, auto_id=f"{name}_%s")
    if not form.is_valid():
        return _page(request, found, {name: form}, status=422)
    act(found, form.cleaned_data)
    messages.success(request, done)
    return redirect("requests:request", found.pk)


def _page(
    request: HttpRequest, found: Request, given: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    matches = list(queries.matches(found))
    footage.log_listing(
        cast(Person, request.user), [match.recording for match in matches], {"request": found.custody_id}
    )
    held = queries.held(found)
    may_handle = access.allows(request, Action.HANDLE_REQUESTS)
    shown = {name: form(auto_id=f"{name}_%s") for name, form in _FORMS.items()} | (given or {})
    return render(
        request,
        "rights/request.html",
        {
            "found": found,
            "due": queries.due(found),
            "today": queries.today(),
            "matches": matches,
            "held": held,
            "unsent": queries.unsent(found),
            "pause": found.pauses.filter(until=None).first(),
            "extension_problem": rules.extension_problem(queries.clock_facts(found), queries.today()),
            "history": custody_queries.history(found.custody_id),
            "forms": shown,
            "may_handle": may_handle and found.state == Request.State.OPEN,
            "may_stop_holding": may_handle and found.closed_at is not None and held > 0,
        },
        status=status,
    )
