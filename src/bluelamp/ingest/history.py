"""Reading what is known of one camera, for the rules of discrepancies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Max

from bluelamp.custody import queries as custody
from bluelamp.fleet.events import CameraKeyRefused
from bluelamp.fleet.models import Camera
from bluelamp.footage.models import Recording
from bluelamp.ingest import inventory
from bluelamp.ingest.discrepancies import Docked, Facts, Offered
from bluelamp.ingest.models import DockingSession, Offer, Upload

_DOCKINGS = 50
"""How many dockings back a clock's trouble is followed."""

_REFUSALS = 100

_FIELDS = (
    *("sequence", "entry_hash", "previous", "signed", "first_session_id", "first_at", "last_session_id", "last_at"),
    *("state", "why", "sha256", "unavailable"),
)
"""Of an offer: as Offered has them, and four more. Plain rows, since a camera may have thousands."""

Uploads = dict[tuple[int | None, str], Upload]


def facts_of(camera: Camera) -> Facts:
    """Everything that the rules look at."""
    uploads: Uploads = {}
    outstanding = Offer.objects.filter(camera=camera).exclude(state=Offer.State.ARRIVED)
    sent = Upload.objects.filter(camera=camera, sequence__in=outstanding.values("sequence"))
    for upload in sent.order_by("created_at", "id"):
        uploads[upload.sequence, upload.sha256] = upload
    moved = Upload.objects.filter(camera=camera, offset__gt=0).exclude(state=Upload.State.ABANDONED)
    dockings = _dockings(camera)
    return Facts(
        here=tuple(
            Recording.objects.filter(camera=camera, sequence__isnull=False)
            .order_by()
            .values_list("sequence", flat=True)
        ),
        offers=tuple(_offered(row, uploads) for row in Offer.objects.filter(camera=camera).values_list(*_FIELDS)),
        dockings=dockings,
        moved_at=moved.aggregate(at=Max("updated_at"))["at"],
        refused_at=_refused_at(camera, dockings),
    )


def _refused_at(camera: Camera, dockings: tuple[Docked, ...]) -> datetime | None:
    """When the camera was first turned away since its last docking."""
    refusals = custody.search(subject=camera.custody_id, tag=CameraKeyRefused.tag, limit=_REFUSALS)
    since = [item.at for item in refusals if not dockings or item.at > dockings[0].at]
    return min(since, default=None)


def _dockings(camera: Camera) -> tuple[Docked, ...]:
    past = list(
        DockingSession.objects.filter(camera=camera)
        .defer("inventory", "storage")
        .order_by("-opened_at", "-id")[:_DOCKINGS]
    )
    if not past:
        return ()
    listed = past[0].inventory
    unreadable = tuple(str(item["why"]) for item in listed if item["sequence"] is None)
    newest = Docked(
        past[0].pk,
        past[0].opened_at,
        past[0].clock_set,
        past[0].clock_offset_ms,
        len(listed) < inventory.MAX_ENTRIES,
        unreadable,
    )
    return (newest, *(Docked(each.pk, each.opened_at, each.clock_set, each.clock_offset_ms) for each in past[1:]))


def _offered(row: tuple[Any, ...], uploads: Uploads) -> Offered:
    said, (state, why, sha256, unavailable) = Offered(*row[:-4]), row[-4:]
    if state == Offer.State.ARRIVED:
        return replace(said, arrived=True)
    upload = uploads.get((said.sequence, sha256))
    moving = upload is not None and upload.is_live and upload.offset > 0
    return replace(
        said,
        refused=state == Offer.State.REFUSED,
        why=why,
        moved_at=upload.updated_at if upload and moving else None,
        whole=upload is not None and upload.state == Upload.State.RECEIVED,
        rejected=_rejection(upload),
        unavailable=unavailable,
    )


def _rejection(upload: Upload | None) -> str:
    if upload is None or upload.state != Upload.State.REJECTED:
        return ""
    return str(upload.problem.get("detail") or "It was not what the camera signed.")
