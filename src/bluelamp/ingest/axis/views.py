"""Axis body-worn systems: connected, told who is who, and what needs a decision."""

from __future__ import annotations

import base64
from typing import Any, cast
from uuid import UUID

from django import forms as django_forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from bluelamp.fleet import queries as fleet
from bluelamp.ingest.axis import connection_file, forms, queries, services
from bluelamp.ingest.axis.services.connections import Issued, Wanted
from bluelamp.ingest.axis.services.rejected import TAKE
from bluelamp.kernel.errors import BluelampError
from bluelamp.people.access import allows, request_actor, require, signed_in
from bluelamp.people.forms import ReasonForm
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.responses import render


@signed_in
def systems(request: HttpRequest) -> HttpResponse:
    """All systems, and what needs a look."""
    require(request, Action.VIEW_FLEET)
    context = {
        "standings": queries.standings(),
        "alerts": queries.standing_alerts(),
        "rejected": queries.undecided_count(),
        "may_manage": allows(request, Action.MANAGE_FLEET),
    }
    return render(request, "axis/systems.html", context)


@signed_in
def system(request: HttpRequest, connection_id: int) -> HttpResponse:
    """One system: its users and who they are, its cameras, its connection file."""
    require(request, Action.VIEW_FLEET)
    connection = queries.connection(connection_id)
    context = {
        "connection": connection,
        "users": queries.users(connection),
        "devices": connection.devices.select_related("camera__unit").order_by("serial"),
        "may_manage": allows(request, Action.MANAGE_FLEET),
    }
    return render(request, "axis/system.html", context)


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Connect a system; its file is on the answer and nowhere else, so there is no redirect."""
    require(request, Action.MANAGE_FLEET)
    form = forms.NewSystemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        issued = _issue(request, form, **{name: form.cleaned_data[name] for name in ("name", "unit", "container_type")})
        if issued is not None:
            return _file_page(request, issued)
    context = {"form": form, "own_address": _own_address()}
    return render(request, "axis/new.html", context, status=422 if form.errors else 200)


@signed_in
def file(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Issue another connection file; the password of the one before ends."""
    require(request, Action.MANAGE_FLEET)
    connection = queries.connection(connection_id)
    form = forms.NextFileForm(request.POST or None, connection=connection)
    if request.method == "POST" and form.is_valid():
        issued = _issue(request, form, name=connection.name)
        if issued is not None:
            return _file_page(request, issued)
    context = {"form": form, "connection": connection, "own_address": _own_address()}
    return render(request, "axis/file.html", context, status=422 if form.errors else 200)


@signed_in
def revoke(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Ask why, then end a system's access."""
    require(request, Action.MANAGE_FLEET)
    connection, form = queries.connection(connection_id), ReasonForm(request)
    if form.is_valid():
        services.revoke(connection, actor=request_actor(request).custody_id, reason=form.given)
        messages.success(request, f"{connection.name} can no longer send.")
        return redirect("axis:system", connection_id)
    context = {"connection": connection, "problem": form.problem, "reason": form.typed}
    return render(request, "axis/revoke.html", context, status=422 if form.problem else 200)


@signed_in
def link_user(request: HttpRequest, user_id: int) -> HttpResponse:
    """Say which officer a user is."""
    require(request, Action.MANAGE_FLEET)
    user, form = queries.user(user_id), forms.LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = fleet.person_by(form.cleaned_data["person"])
            count = services.link_user(user, person, by=_person(request), reason=form.cleaned_data["reason"])
        except BluelampError as error:
            _add_to(form, error)
        else:
            theirs = f" {count} recordings without a wearer are now theirs." if count else ""
            messages.success(request, f"{user} is {person.name}.{theirs}")
            return redirect("axis:system", user.connection_id)
    return render(request, "axis/user.html", {"user": user, "form": form}, status=422 if form.errors else 200)


@signed_in
def settle_alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Say what was done about an alert."""
    require(request, Action.MANAGE_FLEET)
    alert, form = queries.alert(alert_id), ReasonForm(request)
    if form.is_valid():
        services.settle_alert(alert, by=_person(request), reason=form.given)
        messages.success(request, "The alert is settled.")
        return redirect("axis:systems")
    context = {"alert": alert, "problem": form.problem, "reason": form.typed}
    return render(request, "axis/alert.html", context, status=422 if form.problem else 200)


@signed_in
def rejected(request: HttpRequest) -> HttpResponse:
    """Rejected content that waits for a decision."""
    require(request, Action.MANAGE_FLEET)
    return render(request, "axis/rejected.html", {"found": queries.undecided()})


@signed_in
def decide(request: HttpRequest, container_id: UUID) -> HttpResponse:
    """Decide about rejected content."""
    require(request, Action.MANAGE_FLEET)
    found, form = queries.rejected(container_id), forms.DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            officer = fleet.person_by(given["officer"]) if given["decision"] == TAKE and given["officer"] else None
            services.decide_rejected(
                found.container, given["decision"], by=_person(request), reason=given["reason"], officer=officer
            )
        except BluelampError as error:
            _add_to(form, error)
        else:
            messages.success(request, "Decided. Its hold has ended; the ordinary rules apply from now on.")
            return redirect("axis:rejected")
    return render(request, "axis/decide.html", {"found": found, "form": form}, status=422 if form.errors else 200)


def _issue(request: HttpRequest, form: forms.FileForm, **more: Any) -> Issued | None:
    """The issued file; None where the form now says why there is none."""
    given = form.cleaned_data
    wanted = Wanted(
        site=given["site"],
        uris=given["uris"],
        certificates=given["certificates"],
        ntp_server=given["ntp_server"],
        # A box that is not ticked asks for nothing: what a system has, it keeps.
        want_encryption=True if given["want_encryption"] else None,
        **more,
    )
    try:
        return services.issue(wanted, actor=request_actor(request).custody_id)
    except BluelampError as error:
        _add_to(form, error)
        return None


def _file_page(request: HttpRequest, issued: Issued) -> HttpResponse:
    context = {
        "connection": issued.connection,
        "text": issued.text,
        "download": "data:application/json;base64," + base64.b64encode(issued.text.encode()).decode(),
    }
    return render(request, "axis/issued.html", context)


def _own_address() -> str:
    return connection_file.token_uri(settings.BLUELAMP.base_url)


def _person(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _add_to(form: django_forms.Form, error: BluelampError) -> None:
    form.add_error(None, " ".join(part for part in (error.what_happened, error.next_step) if part))
