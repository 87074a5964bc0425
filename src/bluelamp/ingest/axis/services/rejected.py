"""Rejected content: what a body-worn system did not take for a proper recording. Kept until a person has decided."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.ingest.axis import queries
from bluelamp.ingest.axis.events import AxisRejectedDecided
from bluelamp.ingest.axis.services.alerts import raise_alert, settle_alert
from bluelamp.ingest.axis.services.arrivals import ACTOR
from bluelamp.ingest.models import AxisAlert, AxisContainer
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Person
from bluelamp.retention import services as retention
from bluelamp.retention.models import Hold

TAKE, LET_GO = "take", "let_go"
DECISIONS = {
    TAKE: "It is a recording like any other, of this officer",
    LET_GO: "It is nobody’s recording: the ordinary period applies to it",
}


@custody.unrecorded("holds and alerts through services that record it")
def hold(container: AxisContainer, recordings: list[Recording]) -> None:
    """Hold rejected content, and ask for a decision; what was decided about already is left alone."""
    if container.decided_at is not None:
        return
    why = container.metadata.get("rejectedcontentreason", "") or "no reason given"
    for recording in recordings:
        reason = f"Rejected content from a body-worn system ({why}): a body-worn video manager decides about it."
        retention.place_hold(recording, Hold.Kind.OTHER, reason[:1000], _source(container), ACTOR)
    if recordings:
        raise_alert(
            container.connection,
            AxisAlert.Kind.REJECTED,
            str(container.pk),
            f"The body-worn system sent content that it had rejected: {why}. It is held until somebody decides.",
            recording=recordings[0].pk,
        )


@custody.service
def decide_rejected(
    container: AxisContainer, decision: str, *, by: Person, reason: str, officer: Person | None = None
) -> int:
    """Decide about rejected content; its hold ends, and its recordings go the way of any other. How many there are.

    Raises Invalid without a reason, or without an officer where one is to be named; Conflict where it was decided.
    """
    reason = reason.strip()
    if not reason or decision not in DECISIONS:
        raise Invalid("Choose what is to become of it, and say why.", "It stays held.")
    if decision == TAKE and officer is None:
        raise Invalid("Name the officer whose recording it is.", "It stays held.")
    container = AxisContainer.objects.select_for_update(of=("self",)).select_related("connection").get(pk=container.pk)
    if container.decided_at is not None or container.kind != AxisContainer.Kind.REJECTED:
        raise Conflict("This has been decided already.", "Nothing was changed.")
    recordings = list(queries.recordings_of(container).values())
    if decision == TAKE and officer is not None:
        for recording in recordings:
            footage.attribute(recording, wearer=officer, actor=by.custody_id, reason=reason)
    container.decided_at, container.decided_by, container.decision = clock.now(), by, decision
    container.save(update_fields=["decided_at", "decided_by", "decision"])
    retention.release_holds(_source(container), reason, by.custody_id)
    for alert in AxisAlert.objects.filter(
        connection=container.connection, kind=AxisAlert.Kind.REJECTED, about=str(container.pk), settled_at=None
    ):
        settle_alert(alert, by=by, reason=reason)
    custody.record(
        AxisRejectedDecided(
            actor=by.custody_id,
            subject=container.connection.custody_id,
            also=tuple(recording.custody_id for recording in recordings),
            reason=reason,
            decision=decision,
            recordings=len(recordings),
        )
    )
    return len(recordings)


def _source(container: AxisContainer) -> str:
    return f"rejected_content:{container.pk}"
