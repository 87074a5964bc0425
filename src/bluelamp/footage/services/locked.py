"""The row locks under which recordings change.

Rows of recordings are locked in the order of their ids wherever more than one is taken, so that two transactions never
wait for each other. The files of one incident are locked together, for what is done to one bears on all of them. A
service that records a hold, a flag or a lock, or that changes many recordings, therefore begins with `many` or
`incident`; `fresh` and `changeable` are for one row, or for a row that is locked already.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import Conflict


@custody.unrecorded("takes row locks, changes nothing")
def many(ids: Iterable[UUID]) -> list[Recording]:
    """The recordings of `ids` in the order of their ids, each row locked until the transaction ends.

    The other files of their incidents are locked with them, and not returned; ids that are not there are left out.
    """
    wanted = set(ids)
    return [recording for recording in _with_incidents(wanted) if recording.pk in wanted]


@custody.unrecorded("takes row locks, changes nothing")
def incident(recording: Recording) -> list[Recording]:
    """`recording` with its row's present values and the other files of its incident, in order of id, all locked.

    Deleted files are left out. Raises Conflict where `recording` itself has been deleted.
    """
    files = [recording if file.pk == recording.pk else file for file in _with_incidents({recording.pk})]
    changeable(recording)
    return [file for file in files if file.state != Recording.State.DELETED]


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


def _with_incidents(wanted: set[UUID]) -> list[Recording]:
    incidents = Recording.objects.filter(pk__in=wanted).exclude(incident=None).values_list("incident_id", flat=True)
    found = set(incidents)
    siblings = Recording.objects.filter(incident__in=found).values_list("pk", flat=True) if found else ()
    rows = Recording.objects.select_for_update(of=("self",)).filter(pk__in=wanted.union(siblings))
    return list(rows.order_by("pk"))
