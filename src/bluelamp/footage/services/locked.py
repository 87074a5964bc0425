"""The row lock under which a recording changes."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import Conflict


@custody.unrecorded("takes a row lock, changes nothing")
def fresh(recording: Recording) -> Recording:
    """The same object with the row's present values, locked until the transaction ends.

    Retention's sweep takes the same lock, so that a hold and a deletion can never pass each other.
    """
    recording.refresh_from_db(from_queryset=Recording.objects.select_for_update())
    return recording


@custody.unrecorded("takes a row lock, changes nothing")
def changeable(recording: Recording) -> Recording:
    """`fresh`, for a recording that has not been deleted. Raises Conflict."""
    if fresh(recording).state == Recording.State.DELETED:
        raise Conflict(
            "This recording has been deleted.",
            "Nothing is left that could be changed; its certificate says under which rule it went.",
        )
    return recording
