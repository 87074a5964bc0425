"""What this room puts into the navigation, the start page and a person's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.fleet import queries
from bluelamp.people.access import allows, request_actor
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Role
from bluelamp.web import navigation
from bluelamp.web.slots import register_panel

_SHOWN = 5


def register() -> None:
    """Called once, when the app is ready."""
    navigation.register("Fleet", "fleet:cameras", lambda request: allows(request, Action.VIEW_FLEET), order=50)
    register_panel("home", _own_camera, order=10)
    register_panel("home", _needs_attention, order=50)
    register_panel("people.person", _cameras_of)


def _own_camera(request: HttpRequest) -> Markup | None:
    assignment = queries.standing_assignment(request.user) if isinstance(request.user, Person) else None
    if assignment is None:
        return None
    context = {"camera": assignment.camera, "since": assignment.period.lower}
    return _panel(request, "fleet/home_own_camera.html", context)


def _needs_attention(request: HttpRequest) -> Markup | None:
    actor = request_actor(request)
    if allows(request, Action.MANAGE_FLEET):
        found = queries.attention()
    elif Role.SUPERVISOR in actor.roles:
        found = queries.attention(actor.units)
    else:
        return None
    if not found:
        return None
    context = {"cameras": found[:_SHOWN], "count": len(found)}
    return _panel(request, "fleet/home_attention.html", context)


def _cameras_of(request: HttpRequest, person: Person) -> Markup | None:
    if not allows(request, Action.VIEW_FLEET):
        return None
    return _panel(request, "fleet/person_cameras.html", {"assignments": queries.assignments(person=person)})


def _panel(request: HttpRequest, template: str, context: dict[str, Any]) -> Markup:
    return Markup(render_to_string(template, context, request))  # noqa: S704  # a template escaped it
