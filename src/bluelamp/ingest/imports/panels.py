"""What imports put on a recording's page: what the system that it came from said of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.people.access import allows
from bluelamp.people.policy import Action

_LABELS = {
    "reference": "Reference",
    "category": "Category",
    "officer": "Officer",
    "unit": "Unit",
    "serial": "Camera",
    "place": "Place",
    "started": "Start",
    "ended": "End",
    "length": "Length",
    "unread_time": "Start, which could not be read",
    "unread_end": "End, which could not be read",
    "early_end": "End, which lies before the start",
    "lone_end": "End, without a start",
    "unread_length": "Length, which could not be read",
    "path": "File",
}
_MOMENTS = ("started", "ended")


def said(request: HttpRequest, *, recording: Recording, **_: object) -> Markup | None:
    """What the list of an import said of the recording; None of one that came another way, or is deleted.

    A camera's signed manifest is not another system's word: what it says stands among the recording's facts.
    """
    manifest: dict[str, Any] = recording.manifest
    if "import" not in manifest:
        return None
    told = {name: manifest[name] for name in _LABELS if manifest.get(name)}
    if told.get("ended") == told.get("started"):
        told.pop("ended", None)
    context = {
        "run": manifest["import"],
        "may_open": allows(request, Action.VIEW_FLEET),
        "told": [
            (_LABELS[name], iso8601.parse(value) if name in _MOMENTS else value, name in _MOMENTS)
            for name, value in told.items()
        ],
        "has_list": bool(set(told) - {"path"} or manifest.get("other")),
        "others": list(manifest.get("other", {}).items()),
    }
    return Markup(render_to_string("imports/_said.html", context, request))  # noqa: S704  # a template escaped it
