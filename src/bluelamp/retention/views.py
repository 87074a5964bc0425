"""The policy's pages, the record of deletions, and the forms that keep a recording longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.footage import queries as footage
from bluelamp.footage import services as footage_services
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import BluelampError, Conflict
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.retention import pages, panels, queries, services
from bluelamp.retention.forms import ExtendForm, HoldForm, ReleaseForm
from bluelamp.retention.terms import Terms
from bluelamp.web.responses import render

_PAGE = 50


@require_GET
@access.signed_in
def policy(request: HttpRequest) -> HttpResponse:
    """The force's periods, the categories, and what the sweep will do next."""
    access.require(request, Action.VIEW_POLICY)
    version = queries.version_in_force()
    context = {
        "policy": queries.policy(),
        "categories": queries.categories(),
        "outlook": queries.outlook(),
        "projection": queries.projection(),
        "deletions": queries.certificates().count(),
        "version": version,
        "holds_reviewed": Terms.from_json(version.terms).hold_review_days,
        "waiting": len(queries.proposals()),
        "may_propose": access.allows(request, Action.MANAGE_POLICY),
        "pages": pages.subnav(request, "policy"),
    }
    return render(request, "retention/policy.html", context)


@require_GET
@access.signed_in
def deletions(request: HttpRequest) -> HttpResponse:
    """Every deletion certificate, the latest first."""
    access.require(request, Action.VIEW_POLICY)
    page = Paginator(queries.certificates(), _PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "pages": pages.subnav(request, "deletions")}
    return render(request, "retention/deletions.html", context)


@require_GET
@access.signed_in
def certificate(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """One certificate, to read or print."""
    access.require(request, Action.VIEW_POLICY)
    found = queries.certificate(certificate_id)
    return render(request, "retention/certificate.html", {"certificate": panels.readable(found)})


@require_GET
@access.signed_in
def certificate_json(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """One certificate as it was signed."""
    access.require(request, Action.VIEW_POLICY)
    found = queries.certificate(certificate_id)
    response = JsonResponse(found.body, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="deletion-certificate-{found.pk}.json"'
    return response


@require_http_methods(["GET", "POST"])
@access.signed_in
def place_hold(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Stop a recording's deletion."""
    recording = _allowed(request, Action.HOLD, recording_id)
    form = HoldForm(request.POST or None, queries.roles_that_own())

    def save() -> str:
        given = form.cleaned_data
        services.place_hold(
            recording,
            given["kind"],
            given["reason"],
            "",
            access.request_actor(request).custody_id,
            owner=given["owner"],
            review_at=form.review_at,
        )
        return "The hold stands: this recording cannot be deleted until it is released."

    return _form(request, form, recording, save, "retention/hold.html")


@require_http_methods(["GET", "POST"])
@access.signed_in
def extend(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Keep a recording longer."""
    recording = _allowed(request, Action.EXTEND, recording_id)
    form = ExtendForm(request.POST or None)

    def save() -> str:
        services.extend(
            recording,
            until=form.until,
            reason=form.cleaned_data["reason"],
            actor=access.request_actor(request).custody_id,
        )
        return "The recording is kept longer."

    return _form(request, form, recording, save, "retention/extend.html")


@require_http_methods(["GET", "POST"])
@access.signed_in
def release_hold(request: HttpRequest, hold_id: int) -> HttpResponse:
    """End a hold that a person placed."""
    hold = queries.hold(hold_id)
    recording = _allowed(request, Action.RELEASE, hold.recording_id)
    if hold.source:
        raise Conflict(
            "This hold was placed by a request, a case or a share.",
            "It stands for as long as that is open.",
            "Close what placed it, and the hold ends with it.",
        )
    form = ReleaseForm(request.POST or None)

    def save() -> str:
        services.release_hold(hold, form.cleaned_data["reason"], access.request_actor(request).custody_id)
        return "The hold is released."

    return _form(request, form, recording, save, "retention/release.html", hold=panels.readable_hold(hold))


def _allowed(request: HttpRequest, action: Action, recording_id: UUID) -> Recording:
    recording = footage.recording(recording_id)
    access.require(request, action, footage.thing(recording))
    return recording


def _form(
    request: HttpRequest, form: forms.Form, recording: Recording, save: Callable[[], str], template: str, **more: Any
) -> HttpResponse:
    """Ask, or do it and go back to the recording; a refusal stands in the form with what was typed."""
    status = 200
    back = reverse("footage:recording", args=[recording.pk])
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                done = save()
            except BluelampError as refusal:
                form.add_error(None, str(refusal))
                status = refusal.status
            else:
                messages.success(request, done)
                return HttpResponseRedirect(back)
    footage_services.log_consultation(cast(Person, request.user), recording)
    # Read again: a refused change may have found the recording in another state than it was shown in.
    recording.refresh_from_db()
    context = {"form": form, "recording": recording, "back": back, "decision": queries.decision(recording), **more}
    return render(request, template, context, status=status)
