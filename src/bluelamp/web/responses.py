"""How a view answers with a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """The Jinja2 template as a response."""
    return HttpResponse(render_to_string(template, dict(context or {}), request), status=status)
