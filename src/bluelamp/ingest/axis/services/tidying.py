"""What systems said of recordings that are not here does not stay longer than unreserved footage would."""

from __future__ import annotations

from uuid import UUID

from bluelamp import custody
from bluelamp.ingest.axis import queries
from bluelamp.ingest.axis.events import AxisContentCleared
from bluelamp.ingest.axis.services.arrivals import ACTOR, forget
from bluelamp.ingest.models import AxisContainer
from bluelamp.kernel import clock
from bluelamp.retention import queries as retention

_AT_ONCE = 500


@custody.unrecorded("each container that it clears records its own event")
def tidy() -> int:
    """Clear containers without a recording here, once they are as old as unreserved footage may be. How many."""
    old = clock.now() - retention.policy().default
    kinds = (AxisContainer.Kind.RECORDING, AxisContainer.Kind.REJECTED)
    late = AxisContainer.objects.filter(kind__in=kinds, cleared=False, created_at__lt=old)
    return sum(
        _clear(container_id) for container_id in late.order_by("created_at").values_list("pk", flat=True)[:_AT_ONCE]
    )


@custody.service
def _clear(container_id: UUID) -> bool:
    container = AxisContainer.objects.select_for_update(of=("self",)).select_related("connection").get(pk=container_id)
    if container.cleared or queries.recordings_of(container):
        custody.nothing_changed()
        return False
    cleared = forget(container)
    custody.record(
        AxisContentCleared(
            actor=ACTOR, subject=container.connection.custody_id, container=container.pk, objects=cleared
        )
    )
    return True
