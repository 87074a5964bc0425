"""What cases add to other rooms' pages, and their entry in the navigation."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.cases import queries
from bluelamp.cases.models import Case
from bluelamp.footage.models import Recording
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web import navigation, slots


def register() -> None:
    """Called once when Django is ready."""
    slots.register_panel("recording_panels", recording_panel, order=10)
    navigation.register("Cases", "cases:index", _sees_cases, order=20)


def recording_panel(request: HttpRequest, *, recording: Recording, **_: object) -> Markup | None:
    """The cases that a recording belongs to, and a form to add it to one of the reader's own."""
    actor = access.request_actor(request)
    mine = Case.objects.filter(closed_at=None, members__person_id=actor.id, members__left_at=None)
    visible = queries.visible_to(actor).filter(links__recording=recording)
    addable = mine.exclude(links__recording=recording) if recording.state != Recording.State.DELETED else mine.none()
    if not visible and not addable:
        return None
    context = {"recording": recording, "cases": visible, "addable": addable}
    return Markup(render_to_string("cases/recording_panel.html", context, request))  # noqa: S704  a rendered template


def _sees_cases(request: HttpRequest) -> bool:
    actor = access.request_actor(request)
    if actor.id is None:
        return False
    return access.allows(request, Action.MANAGE_CASES) or queries.visible_to(actor).exists()
