"""What this room puts into the frame, the start page and the navigation."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

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


def _own_account(request: HttpRequest) -> SafeString | None:
    if request_actor(request).id is None:
        return None
    return render_to_string("people/own_account_link.html", {}, request)


def _accounts_waiting(request: HttpRequest) -> SafeString | None:
    if not allows(request, Action.MANAGE_PEOPLE):
        return None
    waiting = queries.without_second_factor()
    return render_to_string("people/home_accounts.html", {"waiting": waiting}, request) if waiting else None
