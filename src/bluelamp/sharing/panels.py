"""What sharing adds to other rooms' pages, and its entry in the navigation."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.cases.models import Case
from bluelamp.footage import queries as footage_queries
from bluelamp.footage.models import Recording
from bluelamp.people import access
from bluelamp.people.policy import Action, Role
from bluelamp.sharing import queries
from bluelamp.web import navigation, slots

_SHARERS = {Role.INVESTIGATOR, Role.BWV_MANAGER, Role.PROFESSIONAL_STANDARDS, Role.AUDITOR}


def register() -> None:
    """Called once when Django is ready."""
    slots.register_panel("recording_panels", recording_panel, order=20)
    slots.register_panel("case_panels", case_panel, order=10)
    navigation.register("Shares", "shares:index", _sees_shares, order=30)


def recording_panel(request: HttpRequest, *, recording: Recording, **_: object) -> Markup | None:
    """With whom a recording is shared, and a button to share it."""
    may_share = access.allows(request, Action.SHARE, footage_queries.thing(recording))
    shares = queries.visible_to(access.request_actor(request)).filter(recording=recording)
    if not may_share and not shares:
        return None
    return _panel(
        request,
        {
            "recording": recording,
            "shares": [(share, queries.standing(share).value) for share in shares],
            "may_share": may_share and recording.state == Recording.State.LIVE,
            "flagged": recording.flags.filter(released_at=None).exists(),
        },
    )


def case_panel(request: HttpRequest, *, case: Case, **_: object) -> Markup | None:
    """What of a case is shared, and with whom."""
    shares = queries.visible_to(access.request_actor(request)).filter(case=case)
    return _panel(request, {"shares": [(share, queries.standing(share).value) for share in shares], "may_share": False})


def _panel(request: HttpRequest, context: dict[str, object]) -> Markup:
    return Markup(render_to_string("sharing/panel.html", context, request))  # noqa: S704  a rendered template


def _sees_shares(request: HttpRequest) -> bool:
    actor = access.request_actor(request)
    return actor.id is not None and bool(actor.roles & _SHARERS or queries.visible_to(actor).exists())
