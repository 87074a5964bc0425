"""Which key opens what a body-worn system encrypted."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.ingest.axis import moments, naming, wrapping
from bluelamp.ingest.axis.services.connections import private_key, public_key_prefix
from bluelamp.ingest.models import AxisContainer, AxisObject
from bluelamp.vault.errors import KeyUnknown


@custody.unrecorded("reads")
def key_object(container: AxisContainer, item: AxisObject) -> AxisObject | None:
    """The key object of a clip or track: by its name; of a clip else by its start, or the only one for the only."""
    keys = list(container.objects_sent.filter(kind=AxisObject.Kind.KEY).exclude(content=None))
    for key in keys:
        if item.name in naming.keyed(key.name):
            return key
    start = moments.moment(item.metadata, "starttime")
    same = [key for key in keys if start is not None and moments.moment(key.metadata, "starttime") == start]
    # Of a clip and a track that begin together, each has its own.
    if len(same) == 1 and item.kind == AxisObject.Kind.CLIP:
        return same[0]
    if len(keys) == 1 and item.kind == AxisObject.Kind.CLIP and _is_only_clip(container, item):
        return keys[0]
    return None


@custody.unrecorded("reads keys")
def content_key(container: AxisContainer, key: AxisObject) -> wrapping.ContentKey:
    """The key that a key object wraps. Raises WillNotOpen."""
    wrapped = wrapping.read_key(bytes(key.content or b""))
    own, mine = container.connection.public_key_id, public_key_prefix(container.connection)
    # The id is the sender's word: it chooses among the system's own keys, never another system's.
    named = wrapped.public_key_id if wrapped.public_key_id.startswith(mine) else own
    for public_key_id in dict.fromkeys((named, own)):
        try:
            return wrapping.unwrap(wrapped, private_key(public_key_id))
        except KeyUnknown:
            continue
    raise wrapping.WillNotOpen("This installation has no private key for what this system encrypts.")


def _is_only_clip(container: AxisContainer, item: AxisObject) -> bool:
    clips = container.objects_sent.filter(kind=AxisObject.Kind.CLIP)
    return not clips.exclude(name=item.name).exists()
