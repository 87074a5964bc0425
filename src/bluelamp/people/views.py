"""The start page, and the pages of people, units and organisations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from bluelamp.kernel.errors import BluelampError, Invalid, NotFound
from bluelamp.people import queries, services
from bluelamp.people.access import allows, request_actor, require, signed_in
from bluelamp.people.forms import NewPersonForm, OrganisationForm, PeopleFilter, PersonForm, ReasonForm, UnitForm
from bluelamp.people.policy import Action, Role
from bluelamp.web.chips import chips, without
from bluelamp.web.responses import render

_PER_PAGE = 50


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Where everybody starts: what is waiting, as far as the person's roles go."""
    actor = request_actor(request)
    roles = [role.words for role in Role if role in actor.roles]
    return render(request, "people/home.html", {"person": request.user, "roles": roles})


@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """The tree of units, and the people in it."""
    require(request, Action.VIEW_PEOPLE)
    form = PeopleFilter(request.GET or None)
    asked: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = queries.people(
        words=asked.get("q", ""),
        unit=asked.get("unit"),
        role=asked.get("role", ""),
        state=asked.get("state") or "open",
    )
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "tree": queries.tree(),
        "unit": asked.get("unit"),
        "page": page,
        "query": without(request.GET, "page"),
        "applied": _applied(request.GET, asked),
        "may_manage": allows(request, Action.MANAGE_PEOPLE),
    }
    return render(request, "people/index.html", context)


@signed_in
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person: unit, roles, state of the account, what happened to it."""
    require(request, Action.VIEW_PEOPLE)
    found = queries.person(person_id)
    context = {
        "person": found,
        "history": queries.account_history(found),
        "has_second_factor": queries.has_second_factor(found),
        "locked_out": queries.is_locked_out(found),
        "may_manage": allows(request, Action.MANAGE_PEOPLE),
        "is_self": request_actor(request).id == found.pk,
    }
    return render(request, "people/person.html", context)


@signed_in
def new_person(request: HttpRequest) -> HttpResponse:
    """Make an account; the temporary password is on the answer and nowhere else, so there is no redirect."""
    require(request, Action.MANAGE_PEOPLE)
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, password = services.create_person(actor=request_actor(request).custody_id, **form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
        else:
            return render(request, "people/password.html", {"person": made, "password": password, "new": True})
    return _form_page(request, form, "people/new_person.html")


@signed_in
def edit_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Change name, number, unit and roles, with a reason."""
    require(request, Action.MANAGE_PEOPLE)
    found = queries.person(person_id)
    given = {
        "name": found.name,
        "warrant_number": found.warrant_number,
        "email": found.email,
        "unit": found.unit.code if found.unit else "",
        "roles": found.roles,
    }
    form = PersonForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_person(found, actor=request_actor(request).custody_id, **form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
            found = queries.person(person_id)
        else:
            messages.success(request, f"{found.name}’s account is as you said.")
            return redirect("people:person", person_id=found.pk)
    return _form_page(request, form, "people/edit_person.html", person=found)


@dataclass(frozen=True)
class _Step:
    """Something that is done to an account after a question and a reason."""

    title: str
    meaning: str
    button: str
    done: str
    service: Callable[..., Any]
    kind: str = ""


_STEPS = {
    "close": _Step(
        "Close the account of {}",
        "The person is signed out at once and cannot sign in again. Recordings and the ledger keep the name.",
        "Close the account",
        "{}’s account is closed.",
        services.deactivate,
        "warning",
    ),
    "reopen": _Step(
        "Reopen the account of {}",
        "The person can sign in again with the former password and authenticator app, and has the former roles.",
        "Reopen the account",
        "{}’s account is open again.",
        services.reactivate,
    ),
    "password": _Step(
        "Give {} a temporary password",
        "It is shown once, on the next page. The person is signed out and chooses an own password at the next sign-in; "
        "the authenticator app is still asked for. Make sure that you are speaking to the right person. For a day "
        "after it another manager must remove the app, should that be needed as well.",
        "Make a temporary password",
        "",
        services.reset_password,
    ),
    "second-factor": _Step(
        "Remove the authenticator app of {}",
        "For a lost or new phone. The person is signed out and sets up an app at the next sign-in. Until then the "
        "password alone opens the account: make sure that you are speaking to the right person. For a day after it "
        "another manager must give a temporary password, should that be needed as well.",
        "Remove the authenticator app",
        "{} will be asked to set up an authenticator app at the next sign-in.",
        services.reset_second_factor,
        "warning",
    ),
    "lockout": _Step(
        "Let {} sign in again at once",
        "After several failed attempts sign-in was closed for a while. Ask whether it was the person who tried.",
        "Open sign-in again",
        "{} can sign in again.",
        services.end_lockout,
    ),
}


@signed_in
def step(request: HttpRequest, person_id: int, name: str) -> HttpResponse:
    """Ask for the reason, then do it."""
    require(request, Action.MANAGE_PEOPLE)
    found, doing = queries.person(person_id), _STEPS.get(name)
    if doing is None:
        raise NotFound("There is no such page.", "Nothing was changed.", "Go back to the person’s page.")
    form = ReasonForm(request)
    problem = form.problem
    if form.is_valid():
        try:
            result = doing.service(found, actor=request_actor(request).custody_id, reason=form.given)
        except Invalid as error:
            problem = error.what_happened
        else:
            if name == "password":
                return render(request, "people/password.html", {"person": found, "password": result, "new": False})
            messages.success(request, doing.done.format(found.name))
            return redirect("people:person", person_id=found.pk)
    context = {"person": found, "step": doing, "problem": problem, "reason": form.typed}
    return render(request, "people/step.html", context, status=422 if problem else 200)


@signed_in
def new_unit(request: HttpRequest) -> HttpResponse:
    """Add a unit to the tree."""
    require(request, Action.MANAGE_PEOPLE)
    form = UnitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            unit = services.create_unit(actor=request_actor(request).custody_id, **form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
        else:
            messages.success(request, f"{unit.name} is in the tree.")
            return redirect("people:index")
    return _form_page(request, form, "people/new_unit.html")


@signed_in
def organisations(request: HttpRequest) -> HttpResponse:
    """Whom the force shares with."""
    require(request, Action.VIEW_PEOPLE)
    context = {"organisations": queries.organisations(), "may_manage": allows(request, Action.MANAGE_PEOPLE)}
    return render(request, "people/organisations.html", context)


@signed_in
def new_organisation(request: HttpRequest) -> HttpResponse:
    """Add an organisation."""
    require(request, Action.MANAGE_PEOPLE)
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_organisation(actor=request_actor(request).custody_id, **form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
        else:
            messages.success(request, f"Footage can be shared with {made.name}.")
            return redirect("people:organisations")
    return _form_page(request, form, "people/new_organisation.html")


def _form_page(request: HttpRequest, form: forms.Form, template: str, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


def _add_to(form: forms.Form, error: BluelampError) -> None:
    form.add_error(None, " ".join(part for part in (error.what_happened, error.next_step) if part))


def _applied(query: QueryDict, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """The filters in use, each with the address of the page without it."""
    shown = {
        "q": asked.get("q") and f"“{asked['q']}”",
        "unit": asked.get("unit") and asked["unit"].name,
        "role": asked.get("role") and Role(asked["role"]).words,
        "state": {"closed": "Closed accounts", "all": "All accounts"}.get(asked.get("state", "")),
    }
    return chips(reverse("people:index"), query, shown)
