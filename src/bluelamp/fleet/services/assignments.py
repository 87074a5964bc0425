"""Who carries a camera: issue and return. The database refuses overlaps; here they become words."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bluelamp import custody
from bluelamp.fleet import events
from bluelamp.fleet.models import Assignment, Camera
from bluelamp.fleet.services._common import check_resting, instant, lock
from bluelamp.kernel import clock, transaction
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Person

_ISSUABLE = {Camera.State.STOCK, Camera.State.SERVICE}


@custody.service
def issue(camera: Camera, person: Person, *, actor: str, at: datetime | None = None, reason: str = "") -> Assignment:
    """Hand a camera to a person from `at` (now) on.

    Raises Conflict where somebody has the camera at that time, the person has another one, or the camera is not fit
    for issue; Invalid for a time to come or a person without an active account.
    """
    since = at or clock.now()
    lock(camera)
    if since > clock.now():
        raise Invalid(
            "A camera cannot be issued in the future.", "It was not issued.", "Give the time it was handed over."
        )
    if not person.is_active:
        raise Invalid(
            f"{person.name}'s account is closed.",
            "The camera was not issued.",
            "Choose somebody with an open account.",
        )
    if camera.state not in _ISSUABLE:
        raise Conflict(
            f"Camera {camera.serial} is marked “{camera.get_state_display().lower()}”.",
            "It was not issued.",
            "Put it back in stock first if it is fit for use.",
        )
    try:
        with transaction.atomic():
            assignment = Assignment.objects.create(
                camera=camera, person=person, period=DateTimeTZRange(since, None, "[)")
            )
    except IntegrityError as error:
        raise _overlap(error, camera, person) from error
    camera.state = Camera.State.SERVICE
    camera.first_issued_at = min(camera.first_issued_at or since, since)
    camera.save(update_fields=["state", "first_issued_at"])
    custody.record(
        events.CameraIssued(
            actor=actor,
            subject=camera.custody_id,
            also=(person.custody_id,),
            reason=reason,
            person=person.custody_id,
            since=instant(since),
        )
    )
    return assignment


@custody.service
def return_camera(
    camera: Camera,
    *,
    actor: str,
    at: datetime | None = None,
    state: str = Camera.State.STOCK,
    reason: str = "",
) -> Assignment:
    """End the standing assignment at `at` (now) and put the camera into `state` (stock, repair, lost or retired).

    Raises Conflict where nobody has the camera, Invalid for a time before its issue or in the future.
    """
    until = at or clock.now()
    lock(camera)
    check_resting(state)
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("person")
        .filter(camera=camera, period__endswith=None)
        .first()
    )
    if assignment is None:
        raise Conflict(
            f"Nobody has camera {camera.serial}.", "Nothing was changed.", "Look at its page: it may be back already."
        )
    if not assignment.period.lower < until <= clock.now():
        raise Invalid(
            "A camera is returned after its issue, and not in the future.",
            "The camera stays with the person who has it.",
            "Check the time of the return.",
        )
    assignment.period = DateTimeTZRange(assignment.period.lower, until, "[)")
    assignment.save(update_fields=["period"])
    camera.state = state
    camera.save(update_fields=["state"])
    custody.record(
        events.CameraReturned(
            actor=actor,
            subject=camera.custody_id,
            also=(assignment.person.custody_id,),
            reason=reason,
            person=assignment.person.custody_id,
            until=instant(until),
            state=state,
        )
    )
    return assignment


def _overlap(error: IntegrityError, camera: Camera, person: Person) -> Conflict:
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint == "fleet_one_wearer_a_camera":
        return Conflict(
            f"Camera {camera.serial} is, or was at that time, with somebody else.",
            "It was not issued: footage must belong to one wearer.",
            "Return it first, or check the time of issue.",
        )
    if constraint == "fleet_one_camera_a_wearer":
        return Conflict(
            f"{person.name} has, or had at that time, another camera.",
            f"Camera {camera.serial} was not issued.",
            "Return the other camera first, or check the time of issue.",
        )
    raise error
