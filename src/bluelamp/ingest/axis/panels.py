"""What this part puts on the start page and on a recording's page."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.footage.models import Recording
from bluelamp.ingest.axis import queries
from bluelamp.ingest.models import AxisAlert, AxisContainer
from bluelamp.people.access import allows
from bluelamp.people.policy import Action


def attention(request: HttpRequest) -> Markup | None:
    """What waits for the body-worn video manager."""
    if not allows(request, Action.MANAGE_FLEET):
        return None
    context = {
        "alerts": sum(alert.kind != AxisAlert.Kind.REJECTED for alert in queries.standing_alerts()),
        "rejected": queries.undecided_count(),
        "unlinked": queries.unlinked_users(),
    }
    return _panel(request, "axis/home_attention.html", context) if any(context.values()) else None


def rejected(request: HttpRequest, recording: Recording) -> Markup | None:
    """That a recording is rejected content, and what was decided."""
    item = queries.object_of_recording(recording)
    if item is None or item.container.kind != AxisContainer.Kind.REJECTED:
        return None
    context = {"rejected": queries.rejected(item.container_id), "may_decide": allows(request, Action.MANAGE_FLEET)}
    return _panel(request, "axis/recording_rejected.html", context)


def _panel(request: HttpRequest, template: str, context: dict[str, object]) -> Markup:
    return Markup(render_to_string(template, context, request))  # noqa: S704  # a template escaped it
