"""What oversight puts into the navigation and onto the start page."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.custody import words
from bluelamp.footage import queries as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.oversight import queries
from bluelamp.oversight.queries import watched
from bluelamp.oversight.rules import Thresholds
from bluelamp.people import access
from bluelamp.people.policy import Action, Role
from bluelamp.web import navigation, slots

_KEPT_SECONDS = 60  # the start page opens all day long; the oversight page itself computes anew each time


def register() -> None:
    """Called once when Django is ready."""
    slots.register_panel("custody_history", words.history_panel)
    slots.register_panel("home", home, order=80)
    slots.register_panel("home", own_footage, order=30)
    slots.register_panel("recording_panels", recording_story, order=90)
    navigation.register("Oversight", "oversight:index", _may_see_figures, order=80)
    navigation.register("Audit", "audit:index", _may_audit, order=90)


def home(request: HttpRequest, **_: object) -> Markup | None:
    """Where the footage stands, in four lines, for those who oversee it."""
    if not _may_see_figures(request):
        return None
    standing: dict[str, Any] | None = cache.get("oversight.home")
    if standing is None:
        found, _shown = queries.alerts(Thresholds())
        standing = {
            "figures": queries.figures(),
            "alerts": len(found),
            "failing": [state.title for state in watched.watched(clock.now()) if state.good is False],
        }
        cache.set("oversight.home", standing, _KEPT_SECONDS)
    context = {**standing, "may_audit": _may_audit(request)}
    return _panel("oversight/home.html", context, request)


def own_footage(request: HttpRequest, **_: object) -> Markup | None:
    """Where officers see who looked at what they recorded."""
    if Role.OFFICER not in access.request_actor(request).roles:
        return None
    return _panel("oversight/home_own.html", {}, request)


def recording_story(request: HttpRequest, *, recording: Recording, **_: object) -> Markup | None:
    """The way from a recording's page to its history day by day."""
    if not access.allows(request, Action.VIEW_HISTORY, footage.thing(recording)):
        return None
    return _panel("oversight/story_panel.html", {"recording": recording}, request)


def _panel(template: str, context: dict[str, Any], request: HttpRequest) -> Markup:
    return Markup(render_to_string(template, context, request))  # noqa: S704  # a template escaped it


def _may_see_figures(request: HttpRequest) -> bool:
    return access.allows(request, Action.VIEW_OVERSIGHT)


def _may_audit(request: HttpRequest) -> bool:
    return access.allows(request, Action.VIEW_AUDIT)
