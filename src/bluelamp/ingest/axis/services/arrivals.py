"""What happens with a clip's acceptance, in its transaction, and with its deletion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.ingest.axis import naming, wrapping
from bluelamp.ingest.models import AxisContainer, AxisObject
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.vault.objects import SealedReader

ACTOR = "system:axis"
NO_KEY = "The body-worn system encrypted this clip, and the key for it has not come yet."
_HEAD_BYTES = 64


@custody.unrecorded("part of footage's acceptance, which records recording.collected")
def accepted(recordings: Iterable[Recording]) -> None:
    """Note which clips are stored. An encrypted one waits for its key."""
    for recording in recordings:
        if "axis" in recording.manifest:
            _stored(recording)


def _stored(recording: Recording) -> None:
    item = AxisObject.objects.select_for_update(of=("self",)).filter(recording=recording.pk).first()
    if item is None:
        return
    head = SealedReader(recording.original, recording.key_id).read(0, _HEAD_BYTES)
    item.stored_at, item.sha256, item.size = clock.now(), recording.sha256, recording.size
    item.encrypted = wrapping.may_be_encrypted(head, recording.size) and _expects_encryption(item)
    item.save(update_fields=["stored_at", "sha256", "size", "encrypted"])
    if item.encrypted:
        footage.await_key(recording, why=NO_KEY, actor=ACTOR)
    app.configure_task("axis.settle").defer(container=str(item.container_id))


@custody.unrecorded("part of footage's deletion, which records recording.deleted")
def deleted(recordings: Sequence[Recording]) -> None:
    """Clear what was said of deleted clips, and of a whole recording of clips once none of them is left."""
    clips = AxisObject.objects.filter(recording__in=among(recording.pk for recording in recordings))
    containers = set(clips.values_list("container", flat=True))
    if not containers:
        return
    clips.update(metadata={}, unwrap_failed="")
    here = Recording.objects.exclude(state=Recording.State.DELETED).values("pk")
    left = AxisObject.objects.filter(container__in=containers, recording__in=here).values_list("container", flat=True)
    for container in AxisContainer.objects.filter(pk__in=containers.difference(left)):
        forget(container)


@custody.unrecorded("part of a deletion or a tidying, which is recorded")
def forget(container: AxisContainer) -> int:
    """Clear all that a container's metadata and small objects say. Returns how many objects there were."""
    AxisContainer.objects.filter(pk=container.pk).update(metadata={}, cleared=True)
    return container.objects_sent.update(metadata={}, content=None, applied=True)


def _expects_encryption(item: AxisObject) -> bool:
    """Whether the system was told to encrypt, or a key for this very clip has come."""
    container = AxisContainer.objects.select_related("connection").get(pk=item.container_id)
    if container.connection.want_encryption:
        return True
    keys = container.objects_sent.filter(kind=AxisObject.Kind.KEY).values_list("name", flat=True)
    return any(item.name in naming.keyed(key) for key in keys)
