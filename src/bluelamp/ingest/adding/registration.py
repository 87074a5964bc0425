"""Where added footage hangs into the rooms below it, and into acceptance."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from markupsafe import Markup

from bluelamp.custody import words
from bluelamp.footage import hooks as footage_hooks
from bluelamp.ingest import hooks
from bluelamp.ingest.models import Addition
from bluelamp.ingest.services import adding
from bluelamp.people.access import allows
from bluelamp.people.policy import Action
from bluelamp.web import slots

_HISTORY_WORDS = {
    "recording.added": "Footage from elsewhere, added on a page",
    "recording.added_again": "The same file was added again, and not stored twice",
}


def register() -> None:
    """Called once, when intake's application is ready."""
    footage_hooks.accepted.register(adding.accepted)
    footage_hooks.deleted.register(adding.deleted)
    words.sentences(_HISTORY_WORDS)
    hooks.refused.register(adding.refused)
    words.resolver("addition", _names)
    slots.register_panel("footage_actions", _button)


def _button(request: HttpRequest) -> Markup | None:
    """Above the list of footage, for those who may."""
    if not allows(request, Action.ADD_FOOTAGE):
        return None
    return Markup(
        '<a class="govuk-button govuk-button--secondary" href="{}" role="button" draggable="false">Add footage</a>'
    ).format(reverse("adding:begin"))


def _names(ids: set[str]) -> dict[str, str]:
    wanted = []
    for custody_id in ids:
        try:
            wanted.append(UUID(custody_id.partition(":")[2]))
        except ValueError:
            continue
    found = Addition.objects.select_related("maker").filter(pk__in=wanted)
    return {each.custody_id: f"{each.get_kind_display()}, added by {each.maker.name}" for each in found}
