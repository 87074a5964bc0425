"""The desk's entry in the navigation."""

from __future__ import annotations

from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web import navigation


def register() -> None:
    """Called once when Django is ready."""
    navigation.register(
        "Requests", "requests:index", lambda request: access.allows(request, Action.VIEW_REQUESTS), order=40
    )
