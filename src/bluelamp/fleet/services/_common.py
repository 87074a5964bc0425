"""What the verbs about cameras share."""

from __future__ import annotations

from datetime import datetime

from bluelamp.fleet.models import Camera
from bluelamp.kernel.errors import Invalid


def lock(camera: Camera) -> None:
    """Lock the camera's row until the transaction ends, and read it afresh."""
    camera.refresh_from_db(from_queryset=Camera.objects.select_for_update(of=("self",)))


def check_resting(state: str) -> None:
    if state not in Camera.State.values or state == Camera.State.SERVICE:
        raise Invalid(
            f"A camera that nobody has cannot be “{state}”.",
            "Nothing was changed.",
            "Choose in stock, in repair, lost or retired.",
        )


def need_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why.", "Nothing was changed.", "Give the reason in a few words; the ledger keeps it.")


def instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
