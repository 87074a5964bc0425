"""Users, cameras and the system itself, as a body-worn system announces them, and who they are here."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.fleet import queries as fleet
from bluelamp.fleet import services as fleet_services
from bluelamp.fleet.models import Camera
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.ingest.axis import metadata as meta
from bluelamp.ingest.axis.errors import Unstorable
from bluelamp.ingest.axis.events import (
    AxisDeviceAnnounced,
    AxisSystemAnnounced,
    AxisUserAnnounced,
    AxisUserLinked,
)
from bluelamp.ingest.axis.services.settling import settle
from bluelamp.ingest.models import AxisConnection, AxisDevice, AxisObject, AxisUser
from bluelamp.kernel.errors import BluelampError, Conflict
from bluelamp.people.models import Person

_LONGEST = 100


@custody.service
def announce_system(connection: AxisConnection, system: str, said: dict[str, str]) -> None:
    """Record which installation calls; what it says of itself is kept with its object."""
    custody.record(
        AxisSystemAnnounced(
            actor=connection.custody_id,
            subject=connection.custody_id,
            system=system[:_LONGEST],
            name=said.get("systemname", "")[:_LONGEST],
        )
    )


@custody.service
def announce_user(connection: AxisConnection, uuid: str, said: dict[str, str]) -> None:
    """Know a user. The officer is whoever has the UserID as warrant number; a link that a person made stays."""
    user = AxisUser.objects.select_for_update(of=("self",)).filter(connection=connection, uuid=uuid).first()
    user = user or AxisUser(connection=connection, uuid=uuid)
    before = (user.name, user.user_id, user.active, user.person_id)
    user.name, user.user_id = said.get("name", "")[:_LONGEST], said.get("userid", "")[:_LONGEST]
    user.active = meta.is_true(said.get("active", ""))
    if user.person is None and user.user_id:
        user.person = Person.objects.filter(warrant_number__iexact=user.user_id).first()
    if user.pk and before == (user.name, user.user_id, user.active, user.person_id):
        custody.nothing_changed()
        return
    user.save()
    custody.record(
        AxisUserAnnounced(
            actor=connection.custody_id,
            subject=connection.custody_id,
            also=(user.person.custody_id,) if user.person else (),
            user=uuid,
            user_id=user.user_id,
            active=user.active,
            person=user.person.custody_id if user.person else None,
        )
    )


@custody.service
def announce_device(connection: AxisConnection, serial: str, said: dict[str, str]) -> None:
    """Know a camera. One that the force does not have yet is registered for the connection's unit.

    Raises Unstorable for a serial that no camera of the force can have.
    """
    device = AxisDevice.objects.select_for_update(of=("self",)).filter(connection=connection, serial=serial).first()
    if device is None:
        device = AxisDevice(connection=connection, serial=serial, camera=_camera(connection, serial, said))
    before = (device.name, device.model, device.active)
    device.name, device.model = said.get("name", "")[:_LONGEST], said.get("model", "")[:_LONGEST]
    device.active = meta.is_true(said.get("active", ""))
    if device.pk and before == (device.name, device.model, device.active):
        custody.nothing_changed()
        return
    device.save()
    custody.record(
        AxisDeviceAnnounced(
            actor=connection.custody_id,
            subject=connection.custody_id,
            also=(device.camera.custody_id,),
            serial=serial,
            model=device.model,
            active=device.active,
        )
    )


@custody.service
def link_user(user: AxisUser, person: Person, *, by: Person, reason: str = "") -> int:
    """Say which officer a user is. Recordings that came without a wearer become that officer's; how many did.

    What was recorded under another link keeps its wearer: that was a decision, too.
    """
    user = AxisUser.objects.select_for_update(of=("self",)).select_related("connection", "person").get(pk=user.pk)
    before, user.person = user.person, person
    user.save(update_fields=["person"])
    containers = list(user.containers.all())
    ids = AxisObject.objects.filter(container__in=containers, kind=AxisObject.Kind.CLIP).exclude(stored_at=None)
    recordings = Recording.objects.filter(pk__in=ids.values("recording"), wearer=None)
    attributed = list(recordings.exclude(state=Recording.State.DELETED).order_by("pk"))
    for recording in attributed:
        footage.attribute(recording, wearer=person, actor=by.custody_id, reason=reason)
    for container in containers:
        settle(container.pk)
    custody.record(
        AxisUserLinked(
            actor=by.custody_id,
            subject=user.connection.custody_id,
            also=(person.custody_id,),
            reason=reason,
            user=user.uuid,
            before=before.custody_id if before else None,
            person=person.custody_id,
            recordings=len(attributed),
        )
    )
    return len(attributed)


def _camera(connection: AxisConnection, serial: str, said: dict[str, str]) -> Camera:
    known = fleet.camera(serial)
    if known is not None:
        return known
    try:
        return fleet_services.register_camera(
            serial=serial,
            model=said.get("model", "")[:_LONGEST] or "Axis body-worn camera",
            unit=connection.unit,
            actor=connection.custody_id,
            reason=f"Announced by the body-worn system {connection.name}.",
        )
    except Conflict:
        # Another system announced it just now.
        return fleet.camera_or_404(serial)
    except BluelampError as error:
        raise Unstorable(f"The camera {serial[:80]!a} cannot be registered: {error.what_happened}") from error
