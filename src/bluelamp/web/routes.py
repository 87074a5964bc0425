"""How logs name what was asked for: by the route, never by the path, which can carry the secret of a link."""

from __future__ import annotations

from django.http import HttpRequest


def route_of(request: HttpRequest) -> str:
    """The pattern of the page that was asked for, for instance `share/invitation/<str:token>/`."""
    return str(getattr(getattr(request, "resolver_match", None), "route", "(no such page)"))
