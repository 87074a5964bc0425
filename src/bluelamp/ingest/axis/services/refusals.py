"""Refusals at the body-worn systems' entrance go into the ledger, but nobody can flood it through them."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.ingest.axis.events import AxisRefused, AxisUserRefused
from bluelamp.ingest.axis.services.alerts import raise_alert
from bluelamp.ingest.models import AxisAlert, AxisConnection
from bluelamp.ingest.services.refusals import refuse_camera
from bluelamp.kernel.limiter import Limiter

_credentials = Limiter()
_users = Limiter()

MOST_STANDING = 50
_MORE = "and more"


@custody.service
def refuse_credentials(peer: str, path: str, why: str) -> None:
    """Record that `peer` (an address) called without valid credentials."""
    unreported = _credentials.admit(peer)
    if unreported is None:
        custody.nothing_changed()
        return
    custody.record(
        AxisRefused(actor="public", subject="system:axis", peer=peer, path=path[:200], why=why, unreported=unreported)
    )


@custody.unrecorded("refuse_camera and raise_alert record their events")
def refuse_device(connection: AxisConnection, serial: str) -> None:
    """Record, and alert to, a recording of a camera that the body-worn system never announced."""
    why = f"No camera {serial[:80]!a} was announced by this body-worn system."
    refuse_camera(connection.custody_id, serial[:80], why)
    _alert(
        connection,
        AxisAlert.Kind.DEVICE,
        serial[:80],
        f"A recording names the camera {serial[:80]!a}, which this system never announced. It was turned away, and is "
        "offered for download in the body-worn manager.",
    )


@custody.service
def refuse_user(connection: AxisConnection, user: str) -> None:
    """Record, and alert to, a recording of a user whom the body-worn system never announced."""
    why = f"No user {user[:80]!a} was announced by this body-worn system."
    _alert(
        connection,
        AxisAlert.Kind.USER,
        user[:80],
        f"A recording names the user {user[:80]!a}, whom this system never announced. It was turned away, and is "
        "offered for download in the body-worn manager.",
    )
    unreported = _users.admit(f"{connection.custody_id} {user[:80]}")
    if unreported is None:
        custody.nothing_changed()
        return
    custody.record(
        AxisUserRefused(
            actor=connection.custody_id,
            subject=connection.custody_id,
            user=user[:80],
            why=why,
            unreported=unreported,
        )
    )


def _alert(connection: AxisConnection, kind: AxisAlert.Kind, about: str, text: str) -> None:
    """Raise an alert, unless so many of its kind stand already that one more would tell nobody anything."""
    standing = set(
        AxisAlert.objects.filter(connection=connection, kind=kind, settled_at=None).values_list("about", flat=True)
    )
    if about not in standing and len(standing) >= MOST_STANDING:
        about = _MORE
        text = (
            f"{MOST_STANDING} of these stand already, and recordings go on naming others that were never announced. "
            "They were turned away, and are offered for download in the body-worn manager. Have the system examined."
        )
    raise_alert(connection, kind, about, text)
