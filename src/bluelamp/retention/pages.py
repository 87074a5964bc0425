"""The pages under /policy/ that a person may open, in the order of their subnavigation."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from bluelamp.people import access
from bluelamp.people.policy import Action

_PAGES = (
    ("policy", "Policy", Action.VIEW_POLICY),
    ("versions", "Versions", Action.VIEW_POLICY),
    ("held_back", "Edits held back", Action.REVIEW_RETENTION),
    ("holds", "Holds", Action.REVIEW_RETENTION),
    ("reviews", "Reviews", Action.REVIEW_RETENTION),
    ("deletions", "Deletions", Action.VIEW_POLICY),
)


def subnav(request: HttpRequest, here: str) -> list[tuple[str, str, bool]]:
    """Text, address, and whether it is the page that asks (`here`, by its URL name)."""
    return [
        (text, reverse(f"retention:{name}"), name == here)
        for name, text, action in _PAGES
        if access.allows(request, action)
    ]
