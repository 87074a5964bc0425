"""Objects: clips on their way into recordings, and the small ones beside them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.ingest import staging
from bluelamp.ingest.arrival import Arrival
from bluelamp.ingest.axis import metadata as meta
from bluelamp.ingest.axis import moments, naming, queries, saying
from bluelamp.ingest.axis.errors import Absent, Forbidden, TryAgain, Unstorable
from bluelamp.ingest.axis.events import AxisObjectDisputed
from bluelamp.ingest.axis.services.alerts import raise_alert
from bluelamp.ingest.axis.services.announced import announce_device, announce_system, announce_user
from bluelamp.ingest.axis.services.containers import require_known
from bluelamp.ingest.models import AxisAlert, AxisConnection, AxisContainer, AxisObject, Upload
from bluelamp.ingest.services import accept_upload, announce, give_up
from bluelamp.kernel import clock

READ_ONLY = ("Capabilities.json", "Categories.json")
MOST_VERSIONS = 10
_YOUNG = timedelta(seconds=10)
_ELSEWHERE = "The same clip is being received in another connection."
_ANNOUNCING = {
    AxisContainer.Kind.SYSTEM: announce_system,
    AxisContainer.Kind.USERS: announce_user,
    AxisContainer.Kind.DEVICES: announce_device,
}


@dataclass(frozen=True)
class Claim:
    """What to do with a clip's bytes: make them `upload`, or, where there is none, compare them with what is here."""

    item: AxisObject
    upload: Upload | None


@custody.unrecorded("finds; the container's making is declared there")
def container_of(connection: AxisConnection, name: str, *, lock: bool = False) -> AxisContainer:
    """The connection's container. Raises Absent."""
    found = AxisContainer.objects.select_related("connection", "user__person", "device__camera")
    found = found.select_for_update(of=("self",)) if lock else found
    container = found.filter(connection=connection, name=name).first()
    if container is None:
        raise Absent("There is no such container.")
    return container


@custody.unrecorded("bytes on their way are no recording yet; acceptance and refusal are recorded")
def claim_clip(
    connection: AxisConnection, container_name: str, name: str, said: dict[str, str], length: int | None
) -> Claim:
    """Make ready for a clip's bytes, `length` of them where that is known.

    A clip that is here already, or could be, is to be compared. Raises Absent, Unstorable (a recording of an unknown
    user or camera, no duration, impossible times), Forbidden, TryAgain, StorageFull, TooLarge.
    """
    _finish_earlier(connection, container_name, name)
    return _claim(connection, container_name, name, said, length)


@custody.service
def compare(item: AxisObject, *, sha256: str, md5: str, size: int) -> bool:
    """Whether bytes that came again under a name are the same. Where they are others, they are taken the next time.

    The first ones stay as they are, whatever comes: evidence is never overwritten.
    """
    custody.nothing_changed()
    versions = AxisObject.objects.select_for_update(of=("self",)).filter(container=item.container, name=item.name)
    for version in versions.order_by("version"):
        if (version.sha256, version.size) == (sha256, size):
            if not version.md5:
                AxisObject.objects.filter(pk=version.pk).update(md5=md5)
            return True
    AxisObject.objects.filter(pk=item.pk).update(disputed=sha256)
    return False


@custody.unrecorded("part of an acceptance that is recorded")
def note_md5(item: AxisObject, md5: str) -> None:
    """Keep the MD5 under which a system knows its object."""
    AxisObject.objects.filter(pk=item.pk).update(md5=md5)


@custody.service
def put_announcement(
    connection: AxisConnection, container_name: str, name: str, said: dict[str, str], content: bytes
) -> str:
    """Take an object of System, Users or Devices. Returns its MD5. Raises Absent, Unstorable, Forbidden."""
    container = container_of(connection, container_name, lock=True)
    if container.kind == AxisContainer.Kind.SYSTEM and name in READ_ONLY:
        raise Forbidden("This server says itself what it can do.")
    if not naming.is_good(name, 100):
        raise Unstorable("That is no name for a user, a camera or a system.")
    custody.nothing_changed()
    again = container.objects_sent.filter(name=name, metadata=meta.replacing(said)).exists()
    item = _small(container, name, AxisObject.Kind.OTHER, said, content)
    item.content, item.applied = None, True
    item.save()
    if not again:
        _ANNOUNCING[AxisContainer.Kind(container.kind)](connection, name, item.metadata)
    return item.md5


@custody.service
def put_side(connection: AxisConnection, container_name: str, name: str, said: dict[str, str], content: bytes) -> str:
    """Take a bookmark, a track or a key, before or after its clip. Returns its MD5.

    Raises Absent, Unstorable, Forbidden after the recording was complete.
    """
    custody.nothing_changed()
    container = container_of(connection, container_name, lock=True)
    kind = AxisObject.Kind(naming.object_kind(name, said))
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if container.completed_at is not None:
        if container.objects_sent.filter(name=name, md5=md5).exists():
            return md5
        raise Forbidden("The recording was said to be complete; nothing can be added to it.")
    item = _small(container, name, kind, said, content)
    AxisContainer.objects.filter(pk=container.pk, cleared=True).update(cleared=False)
    item.applied = kind not in (AxisObject.Kind.BOOKMARK, AxisObject.Kind.TRACK)
    item.save()
    app.configure_task("axis.settle").defer(container=str(container.pk))
    return md5


@custody.service
def post_object(connection: AxisConnection, container_name: str, name: str, said: dict[str, str]) -> None:
    """Replace all that was said of an object. Raises Absent, Forbidden, Unstorable."""
    custody.nothing_changed()
    container = container_of(connection, container_name, lock=True)
    item = queries.told_of(container.objects_sent.filter(name=name))
    if item is None:
        raise Absent("There is no such object.")
    replaced = meta.replacing(said)
    if item.metadata == replaced:
        return
    if container.completed_at is not None:
        raise Forbidden("The recording was said to be complete; nothing about it can be changed.")
    announcing = _ANNOUNCING.get(AxisContainer.Kind(container.kind))
    if announcing is not None:
        announcing(connection, name, replaced)
    AxisObject.objects.filter(pk=item.pk).update(metadata=replaced)


def _finish_earlier(connection: AxisConnection, container_name: str, name: str) -> None:
    """Settle or give up an earlier attempt at the same object that no answer ended. Raises TryAgain while one is on."""
    earlier = AxisObject.objects.filter(
        container__connection=connection, container__name=container_name, name=name, stored_at=None
    )
    for upload_id in earlier.exclude(upload=None).values_list("upload", flat=True):
        upload = Upload.objects.filter(pk=upload_id, state__in=Upload.LIVE).first()
        if upload is None:
            continue
        # Whoever has just made it is about to take its lease.
        young = upload.state == Upload.State.RECEIVING and clock.now() - upload.created_at < _YOUNG
        lease = None if young else staging.Lease.acquire(staging.folder_of(upload.pk))
        if lease is None:
            raise TryAgain(_ELSEWHERE)
        with lease:
            upload.refresh_from_db()
            if upload.state == Upload.State.RECEIVED:
                accept_upload(upload.pk, lease)
            elif upload.is_live:
                give_up(upload, lease, "The body-worn system began anew.")


@custody.service
def _claim(
    connection: AxisConnection, container_name: str, name: str, said: dict[str, str], length: int | None
) -> Claim:
    custody.nothing_changed()
    container = container_of(connection, container_name, lock=True)
    versions = list(container.objects_sent.select_for_update(of=("self",)).filter(name=name).order_by("version"))
    # An empty clip of rejected content is here too, as a small object; there is nothing in it to be disputed.
    stored = [version for version in versions if version.stored_at is not None and version.recording is not None]
    disputed = any(version.disputed for version in stored)
    if stored and not disputed and (length is None or any(version.size == length for version in stored)):
        return Claim(stored[0], None)
    if container.completed_at is not None:
        raise Forbidden("The recording was said to be complete; nothing can be added to it.")
    rejected = container.kind == AxisContainer.Kind.REJECTED
    require_known(container, by_name=True)
    container.cleared = False
    container.save(update_fields=["user", "device", "cleared"])
    said, now = meta.replacing(said), clock.now()
    times = moments.rejected_times(said, container.metadata, now) if rejected else moments.clip_times(said, now)
    item = next((version for version in versions if version.stored_at is None), None)
    if item is not None and Upload.objects.filter(pk=item.upload, state__in=Upload.LIVE).exists():
        raise TryAgain(_ELSEWHERE)
    if item is None:
        if len(versions) >= MOST_VERSIONS:
            raise Unstorable("Too many different files have come under this name.")
        item = AxisObject(container=container, name=name, version=len(versions) + 1, kind="clip", created_at=now)
    upload = announce(
        origin=Upload.Origin.AXIS,
        owner=connection.custody_id,
        arrival=_arrival(container, name, said, times, len(stored) + 1),
        length=length,
        # What a camera is said to have rejected is nobody's footage until a person decides.
        camera=None if rejected or container.device is None else container.device.camera,
    )
    item.kind, item.metadata, item.upload, item.recording = "clip", said, upload.pk, upload.recording_id
    item.starts_at, item.ends_at = times.started_at, times.ended_at
    item.save()
    if stored:
        _dispute(container, item, stored)
    return Claim(item, upload)


def _arrival(container: AxisContainer, name: str, said: dict[str, str], times: moments.ClipTimes, part: int) -> Arrival:
    rejected = container.kind == AxisContainer.Kind.REJECTED
    person = container.user.person if container.user and not rejected else None
    where = saying.location(container.metadata.get("triggeronlocation", "") or said.get("startlocation", ""))
    return Arrival(
        started_at=times.started_at,
        ended_at=times.ended_at,
        filename=name.rpartition("/")[2][:255],
        device_started_at=times.device_started_at,
        device_ended_at=times.device_ended_at,
        clock_status=times.status,
        wearer=person.pk if person else None,
        incident=container.incident,
        part=part,
        pre_event_seconds=_before_trigger(container, times.device_started_at),
        place=f"{where[0]}, {where[1]}" if where else "",
        source={
            "axis": {
                "system": container.connection.name,
                "container": container.name,
                "object": name,
                "recording": container.metadata,
                "clip": said,
            }
        },
    )


def _before_trigger(container: AxisContainer, started_at: datetime) -> int:
    """Seconds of the pre-buffer in this clip."""
    trigger = moments.moment(container.metadata, "triggerontime")
    seconds = (trigger - started_at).total_seconds() if trigger else 0
    return round(seconds) if 0 < seconds <= 300 else 0


def _dispute(container: AxisContainer, item: AxisObject, stored: list[AxisObject]) -> None:
    other = next((version.disputed for version in stored if version.disputed), "")
    AxisObject.objects.filter(pk__in=[version.pk for version in stored]).update(disputed="")
    custody.record(
        AxisObjectDisputed(
            actor=container.connection.custody_id,
            subject=f"recording:{stored[0].recording}",
            also=(f"recording:{item.recording}",),
            first_sha256=stored[0].sha256,
            other_sha256=other,
        )
    )
    raise_alert(
        container.connection,
        AxisAlert.Kind.DISPUTED,
        f"{container.pk}/{item.name}"[:300],
        "A clip came again under the same name with other bytes. The first stays as it is; the other is kept as a "
        "recording of its own. Compare the two, and have the body-worn system examined.",
        recording=item.recording,
    )


def _small(container: AxisContainer, name: str, kind: str, said: dict[str, str], content: bytes) -> AxisObject:
    now = clock.now()
    item = container.objects_sent.filter(name=name).order_by("version").first()
    item = item or AxisObject(container=container, name=name, created_at=now)
    if item.recording is not None:
        raise Unstorable("A clip has that name.")
    item.kind, item.metadata, item.content = kind, meta.replacing(said), content
    item.size, item.stored_at = len(content), now
    item.sha256 = hashlib.sha256(content).hexdigest()
    item.md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return item
