"""What intake puts into the pages of the rooms below it, and what its ids are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.fleet.models import Camera
from bluelamp.ingest import discrepancies, missing
from bluelamp.ingest.events import DiscrepancyFound, DiscrepancyResolved, RecordingUnavailable
from bluelamp.ingest.models import Discrepancy
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import on_commit
from bluelamp.people.access import allows
from bluelamp.people.policy import Action
from bluelamp.web import navigation
from bluelamp.web.slots import register_panel

_SHOWN = 5
_STRETCHES = 8


def register() -> None:
    """Called once, when the app is ready."""
    navigation.register_below("fleet", "Docking now", "ingest:live", order=10)
    navigation.register_below("fleet", "What is missing", "ingest:missing", order=20)
    register_panel("fleet.camera", _agreement)
    register_panel("home", _missing, order=45)
    words.resolver("discrepancy", _names)
    words.register(DiscrepancyFound.tag, lambda item: str(item.details.get("detail", "")))
    words.register(RecordingUnavailable.tag, _unavailable)
    words.register(DiscrepancyResolved.tag, lambda item: f"Resolved by itself. {item.details.get('because', '')}")
    clock.on_advance.register(_compare_what_became_due)


def _unavailable(item: HistoryItem) -> str:
    why = discrepancies.UNAVAILABLE.get(str(item.details.get("why")), "")
    return f"Recording {item.details.get('sequence')} cannot be sent. {why}".strip()


def _agreement(request: HttpRequest, camera: Camera) -> Markup | None:
    strip = missing.stretches(camera)
    found = missing.open_of(camera)
    if not strip and not found:
        return None
    context = {
        "discrepancies": found,
        "awaited": _awaited(strip, found),
        "strip_of": strip[-_STRETCHES:],
        "earlier": len(strip) > _STRETCHES,
    }
    return _panel(request, "ingest/camera_panel.html", context)


def _awaited(strip: list[missing.Stretch], found: list[Discrepancy]) -> int:
    """How many of a camera's numbers are not here and no discrepancy tells of them: they may still come."""
    absent = sum(each.count for each in strip if each.state == missing.MISSING)
    return absent - sum(one.missing for one in found if one.kind != Discrepancy.Kind.REFUSED)


def _missing(request: HttpRequest) -> Markup | None:
    if not allows(request, Action.MANAGE_FLEET):
        return None
    found = list(missing.listing()[:_SHOWN])
    if not found:
        return None
    context = {
        "discrepancies": found,
        "recordings": missing.recordings_missing(),
        "others": missing.listing().values("camera").distinct().count(),
    }
    return _panel(request, "ingest/home_missing.html", context)


def _names(ids: set[str]) -> Mapping[str, str]:
    keys = {custody_id.partition(":")[2]: custody_id for custody_id in ids}
    rows = Discrepancy.objects.filter(pk__in=[UUID(key) for key in keys if _is_uuid(key)]).select_related("camera")
    return {keys[str(row.pk)]: f"{row.get_kind_display()}, camera {row.camera.serial}" for row in rows}


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _compare_what_became_due() -> None:
    from bluelamp.ingest import services

    on_commit(services.reconcile_waiting)


def _panel(request: HttpRequest, template: str, context: dict[str, Any]) -> Markup:
    return Markup(render_to_string(template, context, request))  # noqa: S704  # a template escaped it
