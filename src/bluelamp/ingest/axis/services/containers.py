"""Containers: made, told about, complete."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.ingest.axis import metadata as meta
from bluelamp.ingest.axis import naming
from bluelamp.ingest.axis.errors import Absent, Forbidden, Unstorable
from bluelamp.ingest.axis.events import AxisRecordingCompleted
from bluelamp.ingest.axis.services.announced import announce_user
from bluelamp.ingest.models import AxisConnection, AxisContainer, AxisDevice, AxisObject, AxisUser
from bluelamp.kernel import clock


@custody.service
def put_container(connection: AxisConnection, name: str, said: dict[str, str]) -> bool:
    """Make a container, or add to what is known of it. True where it is new.

    Raises Unstorable for a recording that names an unknown user or camera; Forbidden after it was
    complete.
    """
    container = _locked(connection, name)
    if container is not None:
        _tell(container, said)
        return False
    container = AxisContainer(
        connection=connection, name=name, kind=naming.container_kind(name), created_at=clock.now()
    )
    _tell(container, said)
    return True


@custody.service
def post_container(connection: AxisConnection, name: str, said: dict[str, str]) -> None:
    """Add to what is known of a container; Status `Complete` closes it. Raises Absent, Unstorable, Forbidden."""
    container = _locked(connection, name)
    if container is None:
        raise Absent("There is no such container.")
    _tell(container, said)


@custody.unrecorded("part of the services that call it")
def require_known(container: AxisContainer, *, by_name: bool) -> None:
    """Find the user and the camera that a recording names. `by_name`: its name may say what its metadata does not.

    Rejected content is never refused over them. Raises UnknownUser, UnknownDevice.
    """
    if container.kind not in (AxisContainer.Kind.RECORDING, AxisContainer.Kind.REJECTED):
        return
    user, serial = naming.who_and_what(container.name if by_name else "", container.metadata)
    connection = container.connection
    if user or by_name:
        found = AxisUser.objects.filter(connection=connection, uuid=user).first()
        if found is None and user:
            found = AxisUser.objects.filter(connection=connection, user_id=user).order_by("pk").first()
        container.user = _known_by_now(found) if found is not None else None
    if serial or by_name:
        container.device = AxisDevice.objects.filter(connection=connection, serial=serial).first()
    if container.kind == AxisContainer.Kind.REJECTED:
        return
    if container.user is None and (user or by_name):
        raise UnknownUser(user)
    if container.device is None and (serial or by_name):
        raise UnknownDevice(serial)


class UnknownUser(Unstorable):
    """A recording names a user whom the system never announced."""

    def __init__(self, user: str) -> None:
        super().__init__(f"The recording names the user {user[:80]!a}, who is not known.")
        self.user = user


class UnknownDevice(Unstorable):
    """A recording names a camera that the system never announced."""

    def __init__(self, serial: str) -> None:
        super().__init__(f"The recording names the camera {serial[:80]!a}, which is not known.")
        self.serial = serial


def _known_by_now(user: AxisUser) -> AxisUser:
    """The user, whose officer may have got an account since the system announced it."""
    if user.person_id is None and user.user_id:
        said = {"name": user.name, "userid": user.user_id, "active": str(user.active)}
        announce_user(user.connection, user.uuid, said)
        user.refresh_from_db()
    return user


def _locked(connection: AxisConnection, name: str) -> AxisContainer | None:
    return (
        AxisContainer.objects.select_for_update(of=("self",))
        .select_related("connection", "user", "device")
        .filter(connection=connection, name=name)
        .first()
    )


def _tell(container: AxisContainer, said: dict[str, str]) -> None:
    """Merge what was said, and see to what it means."""
    merged = meta.merged(container.metadata, said)
    if merged == container.metadata and not container._state.adding:
        custody.nothing_changed()
        return
    if container.completed_at is not None:
        raise Forbidden("The recording was said to be complete; nothing can be added to it.")
    container.metadata, container.cleared = merged, False
    require_known(container, by_name=False)
    completes = container.kind == AxisContainer.Kind.RECORDING and merged.get("status", "").lower() == "complete"
    if completes:
        container.completed_at = clock.now()
    container.save()
    # What is only said of a container is kept with it; each recording of it carries it from its acceptance on.
    custody.nothing_changed()
    if container.kind in (AxisContainer.Kind.RECORDING, AxisContainer.Kind.REJECTED):
        _look_again(container)
    if completes:
        clips = container.objects_sent.filter(kind=AxisObject.Kind.CLIP).exclude(stored_at=None)
        custody.record(
            AxisRecordingCompleted(
                actor=container.connection.custody_id,
                subject=container.connection.custody_id,
                also=tuple(f"recording:{recording}" for recording in clips.values_list("recording", flat=True)),
                container=container.pk,
                clips=clips.count(),
            )
        )


def _look_again(container: AxisContainer) -> None:
    """Let what is new bear on the clips that are here already."""
    if container.objects_sent.filter(kind=AxisObject.Kind.CLIP).exclude(stored_at=None).update(applied=False):
        app.configure_task("axis.settle").defer(container=str(container.pk))
