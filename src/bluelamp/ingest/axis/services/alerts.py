"""What a person must look at, once each, until somebody says that it is settled."""

from __future__ import annotations

from uuid import UUID

from bluelamp import custody
from bluelamp.ingest.axis.events import AxisAlertRaised, AxisAlertSettled
from bluelamp.ingest.models import AxisAlert, AxisConnection
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.people.models import Person


@custody.service
def raise_alert(
    connection: AxisConnection, kind: AxisAlert.Kind, about: str, text: str, recording: UUID | None = None
) -> None:
    """Raise an alert unless the same one stands already."""
    alert, new = AxisAlert.objects.get_or_create(
        connection=connection,
        kind=kind,
        about=about[:300],
        settled_at=None,
        defaults={"text": text, "recording": recording, "raised_at": clock.now()},
    )
    if not new:
        custody.nothing_changed()
        return
    also = (f"recording:{recording}",) if recording else ()
    custody.record(
        AxisAlertRaised(
            actor="system:axis", subject=connection.custody_id, also=also, reason=text, alert=alert.pk, kind=kind
        )
    )


@custody.service
def settle_alert(alert: AxisAlert, *, by: Person, reason: str = "") -> None:
    """Say that an alert is settled. Raises Conflict where it is already."""
    alert = AxisAlert.objects.select_for_update(of=("self",)).select_related("connection").get(pk=alert.pk)
    if alert.settled_at is not None:
        raise Conflict("This alert is settled already.", "Nothing was changed.")
    alert.settled_at, alert.settled_by = clock.now(), by
    alert.save(update_fields=["settled_at", "settled_by"])
    custody.record(
        AxisAlertSettled(
            actor=by.custody_id,
            subject=alert.connection.custody_id,
            reason=reason,
            alert=alert.pk,
            kind=alert.kind,
        )
    )
