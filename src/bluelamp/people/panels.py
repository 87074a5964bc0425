"""What this room puts into the frame, the start page and the navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.people import queries
from bluelamp.people.access import allows, request_actor
from bluelamp.people.policy import Action
from bluelamp.web import navigation
from bluelamp.web.slots import register_panel


def register() -> None:
    """Called once, when the app is ready."""
    navigation.register("People", "people:index", lambda request: allows(request, Action.VIEW_PEOPLE), order=70)
    register_panel("header.person", _own_account)
    register_panel("home", _accounts_waiting, order=60)


def _own_account(request: HttpRequest) -> Markup | None:
    if request_actor(request).id is None:
        return None
    return _panel(request, "people/own_account_link.html", {})


def _accounts_waiting(request: HttpRequest) -> Markup | None:
    if not allows(request, Action.MANAGE_PEOPLE):
        return None
    waiting = queries.without_second_factor()
    return _panel(request, "people/home_accounts.html", {"waiting": waiting}) if waiting else None


def _panel(request: HttpRequest, template: str, context: dict[str, Any]) -> Markup:
    return Markup(render_to_string(template, context, request))  # noqa: S704  # a template escaped it
