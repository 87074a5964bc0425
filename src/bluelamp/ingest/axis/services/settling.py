"""What containers and small objects say is brought to the recordings that it is about, whichever came first.

A bookmark becomes a marker in the clip that holds its moment, and its category a flag; positions go to the clips in
whose time they lie. What has no clip yet waits for it, until the recording is complete: then the nearest one takes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Recording
from bluelamp.formats import iso8601
from bluelamp.ingest.axis import moments, queries, saying, wrapping
from bluelamp.ingest.axis.services import flagging, keys, rejected
from bluelamp.ingest.axis.services.arrivals import ACTOR, NO_KEY
from bluelamp.ingest.models import AxisContainer, AxisObject
from bluelamp.kernel import clock
from bluelamp.vault.objects import SealedReader

log = structlog.get_logger(__name__)

_AT_ONCE = 200
_LOOKED_BACK = timedelta(days=2)
_LEFT_ALONE = timedelta(minutes=1)
_HEAD_BYTES = 64
_SLACK = timedelta(seconds=1)


@custody.service
def settle(container_id: UUID) -> None:
    """Bring everything that can be to the container's recordings. Safe to run again."""
    custody.nothing_changed()  # what it changes is recorded by the services that it calls
    container = (
        AxisContainer.objects.select_for_update(of=("self",))
        .select_related("connection", "user__person", "device")
        .get(pk=container_id)
    )
    if container.kind not in (AxisContainer.Kind.RECORDING, AxisContainer.Kind.REJECTED) or container.cleared:
        return
    clips = _clips(container)
    if not clips:
        return
    _number(clips)
    _tell_what_the_container_says(container, clips)
    waiting = list(container.objects_sent.filter(applied=False).exclude(kind=AxisObject.Kind.CLIP).order_by("name"))
    for item in waiting:
        if item.kind == AxisObject.Kind.BOOKMARK:
            _bookmark(container, item, clips)
        elif item.kind == AxisObject.Kind.TRACK:
            _track(container, item, clips)
    _open(container, clips)
    if container.kind == AxisContainer.Kind.REJECTED:
        rejected.hold(container, [recording for _, recording in clips])
    AxisObject.objects.filter(pk__in=[item.pk for item, _ in clips]).update(applied=True)


@custody.unrecorded("settle records what comes of it")
def settle_waiting() -> int:
    """Settle containers whose job was lost. Returns how many were looked at."""
    now = clock.now()
    # What waits longer waits for a person, whose answer settles it.
    waiting = AxisObject.objects.filter(
        applied=False, stored_at__range=(now - _LOOKED_BACK, now - _LEFT_ALONE), container__cleared=False
    )
    ids = list(waiting.order_by().values_list("container", flat=True).distinct()[:_AT_ONCE])
    for container_id in ids:
        try:
            settle(container_id)
        except Exception:  # one that cannot be settled stops no other
            log.exception("axis.unsettled", container=str(container_id))
    return len(ids)


Clips = list[tuple[AxisObject, Recording]]


def _clips(container: AxisContainer) -> Clips:
    recordings = queries.recordings_of(container)
    items = container.objects_sent.exclude(recording=None).exclude(stored_at=None).order_by("starts_at", "version")
    return [(item, recordings[item.recording]) for item in items if item.recording in recordings]


def _number(clips: Clips) -> None:
    for part, (_, recording) in enumerate(clips, start=1):
        footage.number(recording, part)


def _tell_what_the_container_says(container: AxisContainer, clips: Clips) -> None:
    """Start, stop and where that was."""
    for key, kind in (("triggeron", "start"), ("triggeroff", "stop")):
        at = moments.moment(container.metadata, f"{key}time")
        if at is None:
            continue
        event = {"at": iso8601.to_text(at), "kind": kind, "note": container.metadata.get(key, "")}
        where = saying.location(container.metadata.get(f"{key}location", ""))
        track = saying.points([(where[2] or at, where[0], where[1])]) if where else []
        _tell(_nearest(clips, at), events=[event], track=track)


def _bookmark(container: AxisContainer, item: AxisObject, clips: Clips) -> None:
    said = saying.bookmark(item.metadata, bytes(item.content or b""))
    at = said.at or _device_start(clips[0][1])
    recording = _holding(clips, at)
    if recording is None:
        if container.completed_at is None and container.kind == AxisContainer.Kind.RECORDING:
            return
        recording = _nearest(clips, at)
    note = said.note
    if said.until is not None and said.until > at:
        note = f"{note} (until {said.until:%H:%M:%S}Z)".strip()
    _tell(recording, events=[{"at": iso8601.to_text(at), "kind": "marker", "note": note}])
    where = saying.location(item.metadata.get("location", ""))
    if where:
        _tell(recording, track=saying.points([(where[2] or at, where[0], where[1])]))
    if flagging.carry_over(container, item, recording, _category(said), note):
        _done(item)


def _track(container: AxisContainer, item: AxisObject, clips: Clips) -> None:
    content = _readable(container, item)
    if content is None:
        return
    found = saying.track(content, _device_start(clips[0][1])) or []
    final = container.completed_at is not None or container.kind == AxisContainer.Kind.REJECTED
    placed: dict[UUID, list[tuple[datetime, str, str]]] = {}
    for point in found:
        recording = _holding(clips, point[0]) or (_nearest(clips, point[0]) if final else None)
        if recording is not None:
            placed.setdefault(recording.pk, []).append(point)
    for _, recording in clips:
        _tell(recording, track=saying.points(placed.get(recording.pk, [])))
    if final or sum(map(len, placed.values())) == len(found):
        _done(item)


def _readable(container: AxisContainer, item: AxisObject) -> bytes | None:
    """The track's text, opened where it is encrypted; None where it cannot be, or not yet."""
    content = bytes(item.content or b"")
    if saying.track(content, None) is not None:
        return content
    key = keys.key_object(container, item)
    if key is None:
        return None
    try:
        return b"".join(wrapping.decrypt([content], keys.content_key(container, key), video=False))
    except wrapping.WillNotOpen as error:
        log.warning("axis.track_unreadable", container=str(container.pk), why=str(error))
        return None


def _open(container: AxisContainer, clips: Clips) -> None:
    """Have encrypted clips opened whose key is here."""
    for item, recording in clips:
        key = keys.key_object(container, item)
        if key is None:
            continue
        if not item.encrypted and not item.received_object and not item.applied:
            # Nobody had said that it is: now its key has come.
            head = SealedReader(recording.original, recording.key_id).read(0, _HEAD_BYTES)
            item.encrypted = wrapping.may_be_encrypted(head, recording.size)
            AxisObject.objects.filter(pk=item.pk).update(encrypted=item.encrypted)
            if item.encrypted:
                footage.await_key(recording, why=NO_KEY, actor=ACTOR)
        if item.encrypted and recording.processing == Recording.Processing.KEYLESS:
            app.configure_task("axis.unwrap").defer(item=str(item.pk))


def _category(said: saying.Bookmark) -> Category | None:
    """The force's category that a bookmark names: by id, else by name. One that has gone is none, and no error."""
    found = Category.objects.filter(code=said.category_id).first() if said.category_id else None
    if found is None and said.category_name:
        found = Category.objects.filter(name__iexact=said.category_name).first()
    return found


def _tell(recording: Recording, **facts: list[dict[str, Any]]) -> None:
    footage.add_facts(recording, actor=ACTOR, **facts)


def _done(item: AxisObject) -> None:
    AxisObject.objects.filter(pk=item.pk).update(applied=True, content=None)


def _holding(clips: Clips, at: datetime) -> Recording | None:
    """The clip in whose time, on the device's clock, the moment lies."""
    # Clips follow one another without a gap: one that holds the moment by its own times comes before a neighbour.
    for slack in (timedelta(), _SLACK):
        for _, recording in clips:
            if _device_start(recording) - slack <= at < _device_end(recording) + slack:
                return recording
    return None


def _nearest(clips: Clips, at: datetime) -> Recording:
    def distance(clip: tuple[AxisObject, Recording]) -> timedelta:
        start, end = _device_start(clip[1]), _device_end(clip[1])
        return max(start - at, at - end, timedelta())

    return min(clips, key=distance)[1]


def _device_start(recording: Recording) -> datetime:
    return recording.device_started_at or recording.started_at


def _device_end(recording: Recording) -> datetime:
    return recording.device_ended_at or recording.ended_at
