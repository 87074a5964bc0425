"""Cameras and docks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from bluelamp.fleet import queries, rules, services
from bluelamp.fleet.forms import CameraFilter, CameraForm, DockForm, IssueForm, ReturnForm, StateForm
from bluelamp.fleet.models import Camera
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Invalid
from bluelamp.people.access import allows, request_actor, require, signed_in
from bluelamp.people.forms import ReasonForm
from bluelamp.people.policy import Action
from bluelamp.web.chips import chips, without
from bluelamp.web.responses import render

_PER_PAGE = 50


@signed_in
def cameras(request: HttpRequest) -> HttpResponse:
    """All cameras, with filters."""
    require(request, Action.VIEW_FLEET)
    form = CameraFilter(request.GET or None)
    asked: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = queries.cameras(
        words=asked.get("q", ""),
        model=asked.get("model", ""),
        mount=asked.get("mount", ""),
        unit=asked.get("unit"),
        state=asked.get("state", ""),
    )
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    shown, now = list(page.object_list), clock.now()
    context = {
        "form": form,
        "page": page,
        "cameras": [(camera, queries.problems_of(camera, now)) for camera in shown],
        "wearers": queries.wearers(shown),
        "query": without(request.GET, "page"),
        "applied": _applied(request.GET, asked),
        "may_manage": allows(request, Action.MANAGE_FLEET),
    }
    return render(request, "fleet/cameras.html", context)


@signed_in
def camera(request: HttpRequest, serial: str) -> HttpResponse:
    """One camera: facts, who had it, its dockings, and what may be done with it."""
    require(request, Action.VIEW_FLEET)
    return _camera_page(request, queries.camera_or_404(serial))


@signed_in
def new_camera(request: HttpRequest) -> HttpResponse:
    """Register a camera."""
    require(request, Action.MANAGE_FLEET)
    form = CameraForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.register_camera(actor=_actor(request), **form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
        else:
            messages.success(request, f"Camera {made.serial} is in stock. Its key is pinned when it is first docked.")
            return redirect("fleet:camera", serial=made.serial)
    return _form_page(request, form, "fleet/new_camera.html")


@signed_in
def issue(request: HttpRequest, serial: str) -> HttpResponse:
    """Hand a camera to somebody."""
    return _change(request, serial, Action.ISSUE_CAMERA, IssueForm, _issue)


@signed_in
def return_camera(request: HttpRequest, serial: str) -> HttpResponse:
    """Take a camera back."""
    return _change(request, serial, Action.ISSUE_CAMERA, ReturnForm, _return)


@signed_in
def change_state(request: HttpRequest, serial: str) -> HttpResponse:
    """Put a camera that nobody has into stock, repair, lost or retired."""
    return _change(request, serial, Action.MANAGE_FLEET, StateForm, _change_state)


@signed_in
def forget_key(request: HttpRequest, serial: str) -> HttpResponse:
    """Ask why, then give up a camera's key, as after a repair."""
    require(request, Action.MANAGE_FLEET)
    found, form = queries.camera_or_404(serial), ReasonForm(request)
    problem = form.problem
    if form.is_valid():
        try:
            services.forget_key(found, actor=_actor(request), reason=form.given)
        except Invalid as error:
            problem = error.what_happened
        else:
            messages.success(request, f"The next docking of {found.serial} pins its new key.")
            return redirect("fleet:camera", serial=found.serial)
    context = {"camera": found, "fingerprint": _fingerprint(found), "problem": problem, "reason": form.typed}
    return render(request, "fleet/forget_key.html", context, status=422 if problem else 200)


@signed_in
def docks(request: HttpRequest) -> HttpResponse:
    """All docks."""
    require(request, Action.VIEW_FLEET)
    context = {"docks": queries.docks(), "may_manage": allows(request, Action.MANAGE_FLEET)}
    return render(request, "fleet/docks.html", context)


@signed_in
def new_dock(request: HttpRequest) -> HttpResponse:
    """Add a dock; its token is on the answer and nowhere else, so there is no redirect."""
    require(request, Action.MANAGE_FLEET)
    form = DockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            dock, token = services.add_dock(actor=_actor(request), **form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
        else:
            return render(request, "fleet/dock_token.html", {"dock": dock, "token": token})
    return _form_page(request, form, "fleet/new_dock.html")


@signed_in
def revoke_dock(request: HttpRequest, dock_id: int) -> HttpResponse:
    """Ask why, then end a dock's access."""
    require(request, Action.MANAGE_FLEET)
    dock, form = queries.dock(dock_id), ReasonForm(request, required=False)
    if form.is_valid():
        services.revoke_dock(dock, actor=_actor(request), reason=form.given)
        messages.success(request, f"{dock.name} can no longer upload.")
        return redirect("fleet:docks")
    context = {"dock": dock, "problem": form.problem, "reason": form.typed}
    return render(request, "fleet/revoke_dock.html", context, status=422 if form.problem else 200)


def _issue(camera: Camera, actor: str, given: dict[str, Any]) -> str:
    services.issue(camera, given["person"], actor=actor)
    return f"{given['person'].name} has {camera.serial} from now on."


def _return(camera: Camera, actor: str, given: dict[str, Any]) -> str:
    ended = services.return_camera(camera, actor=actor, state=given["state"], reason=given["reason"])
    return f"{ended.person.name} no longer has {camera.serial}."


def _change_state(camera: Camera, actor: str, given: dict[str, Any]) -> str:
    services.change_state(camera, given["state"], actor=actor, reason=given["reason"])
    return f"{camera.serial}: {camera.get_state_display().lower()}."


def _change(
    request: HttpRequest,
    serial: str,
    action: Action,
    form_class: type[forms.Form],
    change: Callable[[Camera, str, dict[str, Any]], str],
) -> HttpResponse:
    """Carry out one of the camera page's forms; show the page again with what must be put right."""
    found = queries.camera_or_404(serial)
    require(request, action, queries.thing(found))
    if request.method != "POST":
        return redirect("fleet:camera", serial=serial)
    form = form_class(request.POST)
    if form.is_valid():
        try:
            done = change(found, _actor(request), form.cleaned_data)
        except BluelampError as error:
            _add_to(form, error)
            found.refresh_from_db()
        else:
            messages.success(request, done)
            return redirect("fleet:camera", serial=serial)
    return _camera_page(request, found, form)


def _camera_page(request: HttpRequest, found: Camera, failed: forms.Form | None = None) -> HttpResponse:
    past = queries.assignments(camera=found)
    current = next((assignment for assignment in past if assignment.period.upper is None), None)
    may_issue = allows(request, Action.ISSUE_CAMERA, queries.thing(found))

    def form(kind: type[forms.Form], **initial: Any) -> forms.Form:
        return failed if isinstance(failed, kind) else kind(initial=initial, auto_id=f"{kind.__name__.lower()}_%s")

    context = {
        "camera": found,
        "problems": queries.problems_of(found, clock.now()),
        "current": current,
        "assignments": past,
        "dockings": queries.dockings(found),
        "recordings": queries.recording_count(found),
        "fingerprint": _fingerprint(found),
        "may_issue": may_issue,
        "may_manage": allows(request, Action.MANAGE_FLEET),
        "issue_form": form(IssueForm),
        "return_form": form(ReturnForm, state=Camera.State.STOCK),
        "state_form": form(StateForm, state=found.state),
        "failed": failed,
    }
    return render(request, "fleet/camera.html", context, status=422 if failed else 200)


def _fingerprint(camera: Camera) -> str:
    return rules.fingerprint(camera.public_key) if camera.public_key else ""


def _actor(request: HttpRequest) -> str:
    return request_actor(request).custody_id


def _form_page(request: HttpRequest, form: forms.Form, template: str, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


def _add_to(form: forms.Form, error: BluelampError) -> None:
    form.add_error(None, " ".join(part for part in (error.what_happened, error.next_step) if part))


def _applied(query: QueryDict, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """The filters in use, each with the address of the page without it."""
    shown = {
        "q": asked.get("q") and f"“{asked['q']}”",
        "model": asked.get("model"),
        "mount": asked.get("mount") and Camera.Mount(asked["mount"]).label,
        "unit": asked.get("unit") and asked["unit"].name,
        "state": asked.get("state") and Camera.State(asked["state"]).label,
    }
    return chips(reverse("fleet:cameras"), query, shown)
