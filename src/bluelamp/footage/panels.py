"""What footage puts onto the start page: for a wearer the own recordings, for a supervisor what waits in the unit."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.footage import queries, services
from bluelamp.kernel import clock
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Role
from bluelamp.web.slots import register_panel


def register() -> None:
    """Called once, when the app is ready."""
    register_panel("home", _own, order=5)
    register_panel("home", _of_the_unit, order=7)


def _own(request: HttpRequest) -> Markup | None:
    if Role.OFFICER not in access.request_actor(request).roles:
        return None
    person = cast(Person, request.user)
    waiting = queries.undecided(wearer=person)
    latest = queries.lately_by(person)
    shown = {recording.pk for recording in waiting.recordings}
    context = {
        "latest": [recording for recording in latest if recording.pk not in shown],
        "any": bool(latest),
        "waiting": waiting,
        "now": clock.now(),
    }
    return _panel(request, "footage/home_own.html", context)


def _of_the_unit(request: HttpRequest) -> Markup | None:
    actor = access.request_actor(request)
    if Role.SUPERVISOR not in actor.roles:
        return None
    waiting, review = queries.undecided(units=actor.units), queries.in_review(units=actor.units)
    shown = {recording.pk: recording for recording in [*waiting.recordings, *review.recordings]}
    services.log_listing(cast(Person, request.user), shown.values(), {"page": "home"})
    return _panel(request, "footage/home_unit.html", {"waiting": waiting, "review": review, "now": clock.now()})


def _panel(request: HttpRequest, template: str, context: dict[str, Any]) -> Markup:
    return Markup(render_to_string(template, context, request))  # noqa: S704  # a template escaped it
