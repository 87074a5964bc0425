"""Reading what body-worn systems announced and sent."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.db.models.lookups import IsNull

from bluelamp.footage.models import Category, Recording
from bluelamp.ingest.models import AxisAlert, AxisConnection, AxisContainer, AxisObject, AxisUser
from bluelamp.kernel.errors import NotFound


@dataclass(frozen=True)
class Standing:
    """One system on the page: what it announced and sent."""

    connection: AxisConnection
    users: int
    unlinked: int
    devices: int
    recordings: int
    alerts: int


@dataclass(frozen=True)
class Rejected:
    """Rejected content that nobody has decided about, with its recordings."""

    container: AxisContainer
    recordings: list[Recording]

    @property
    def reason(self) -> str:
        """Why the system rejected it, as it says."""
        return str(self.container.metadata.get("rejectedcontentreason", "")) or "No reason was given."

    @property
    def original(self) -> str:
        """The container that it came from."""
        return str(self.container.metadata.get("rejectedcontentoriginalcontainer", ""))


def recordings_of(container: AxisContainer) -> dict[UUID, Recording]:
    """The recordings that the container's clips became, those deleted left out."""
    ids = container.objects_sent.exclude(recording=None).exclude(stored_at=None).values_list("recording", flat=True)
    found = Recording.objects.filter(pk__in=list(ids)).exclude(state=Recording.State.DELETED)
    return {recording.pk: recording for recording in found.select_related("wearer", "unit", "camera")}


def connection_named(user: str) -> AxisConnection | None:
    """The active connection with that user name."""
    return AxisConnection.objects.select_related("unit").filter(user=user, active=True).first()


def connection(pk: int) -> AxisConnection:
    """The connection with this key. Raises NotFound."""
    found = AxisConnection.objects.select_related("unit").filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such body-worn system.", "Nothing was changed.", "Look at the list.")
    return found


def standings() -> list[Standing]:
    """All systems by name."""
    found = []
    for each in AxisConnection.objects.select_related("unit"):
        users = each.users.aggregate(all=Count("pk"), unlinked=Count("pk", filter=Q(person=None)))
        found.append(
            Standing(
                each,
                users["all"],
                users["unlinked"],
                each.devices.count(),
                each.containers.filter(kind=AxisContainer.Kind.RECORDING).count(),
                each.alerts.filter(settled_at=None).count(),
            )
        )
    return found


def users(connection: AxisConnection) -> QuerySet[AxisUser]:
    """The users that a system announced, those without an officer first."""
    return connection.users.select_related("person").order_by("person__name", "name", "uuid")


def unlinked_users() -> int:
    """How many users of active systems are nobody here."""
    return AxisUser.objects.filter(person=None, active=True, connection__active=True).count()


def user(pk: int) -> AxisUser:
    """The user with this key. Raises NotFound."""
    found = AxisUser.objects.select_related("connection", "person").filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such user.", "Nothing was changed.", "Look at the system's page.")
    return found


def standing_alerts() -> list[AxisAlert]:
    """Alerts that nobody has settled, the newest first."""
    return list(AxisAlert.objects.select_related("connection").filter(settled_at=None).order_by("-raised_at")[:200])


def alert(pk: int) -> AxisAlert:
    """The alert with this key. Raises NotFound."""
    found = AxisAlert.objects.select_related("connection").filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such alert.", "Nothing was changed.", "Look at the list.")
    return found


def undecided() -> list[Rejected]:
    """Rejected content that nobody has decided about, the oldest first."""
    waiting = AxisContainer.objects.filter(kind=AxisContainer.Kind.REJECTED, decided_at=None, cleared=False)
    found = []
    for container in waiting.select_related("connection", "user__person").order_by("created_at")[:200]:
        recordings = sorted(recordings_of(container).values(), key=lambda recording: recording.started_at)
        if recordings:
            found.append(Rejected(container, recordings))
    return found


def undecided_count() -> int:
    """How many containers of rejected content wait."""
    return AxisContainer.objects.filter(kind=AxisContainer.Kind.REJECTED, decided_at=None, cleared=False).count()


def rejected(pk: UUID) -> Rejected:
    """One container of rejected content. Raises NotFound."""
    container = (
        AxisContainer.objects.select_related("connection", "user__person", "decided_by")
        .filter(pk=pk, kind=AxisContainer.Kind.REJECTED)
        .first()
    )
    if container is None:
        raise NotFound("There is no such rejected content.", "Nothing was changed.", "Look at the list.")
    recordings = sorted(recordings_of(container).values(), key=lambda recording: recording.started_at)
    return Rejected(container, recordings)


def object_of_recording(recording: Recording) -> AxisObject | None:
    """The clip that became this recording."""
    if "axis" not in recording.manifest:
        return None
    found = AxisObject.objects.select_related("container__connection")
    return found.filter(recording=recording.pk).first()


def head(connection: AxisConnection, container_name: str, name: str) -> AxisObject | None:
    """The version of an object that is stored and spoken of under its name."""
    found = AxisObject.objects.select_related("container").exclude(stored_at=None)
    return told_of(found.filter(container__connection=connection, container__name=container_name, name=name))


def told_of(versions: QuerySet[AxisObject]) -> AxisObject | None:
    """Of an object's versions the one that its name stands for: the first that is a recording, else the first."""
    return versions.order_by(IsNull(F("recording"), True), "version").first()


def container(connection: AxisConnection, name: str) -> AxisContainer | None:
    """A container by name."""
    return AxisContainer.objects.filter(connection=connection, name=name).first()


def categories() -> list[dict[str, str]]:
    """The force's categories as systems read them; their ids never change."""
    return [{"Name": category.name, "Id": category.code} for category in Category.objects.all()]
