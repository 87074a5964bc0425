"""The page for somebody whose sign-in is closed for a while after repeated failures (AXES_LOCKOUT_CALLABLE)."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_cool_off
from django.http import HttpRequest, HttpResponse

from bluelamp.web.responses import render


def locked_out(
    request: HttpRequest, original_response: Any = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """429 with how long to wait and whom to ask; the same for a username that nobody has."""
    cool_off = get_cool_off(request)
    seconds = int(cool_off.total_seconds()) if cool_off else 0
    response = render(request, "account/locked_out.html", {"minutes": -(-seconds // 60)}, status=429)
    if seconds:
        response["Retry-After"] = str(seconds)
    return response
