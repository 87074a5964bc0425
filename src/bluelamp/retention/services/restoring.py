"""What a restored backup does not know of retention: what went since then, and what people decided since then."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.retention import queries
from bluelamp.retention.events import ReviewGiven
from bluelamp.retention.models import Deletion
from bluelamp.retention.services.deciding import SYSTEM, settle
from bluelamp.retention.services.deleting import forget_reasons

RULE = "Deleted before a restore"

_SECOND = "%Y-%m-%d %H:%M:%S"


@custody.service
def close_again(recording_id: UUID, *, erased_at: datetime, taken_at: datetime) -> bool:
    """Close a recording that a backup taken at `taken_at` has, and whose key was erased at `erased_at`, after that.

    It is gone already: no copy of its bytes opens. `finish_deletion` then removes what a copy of the store brought back
    and certifies. The rule that governed is known to the lost part of the database only, and the certificate says so.
    Returns False where it is closed already.
    """
    recording = Recording.objects.select_for_update(of=("self",)).get(pk=recording_id)
    if recording.state == Recording.State.DELETED:
        custody.nothing_changed()
        return False
    known = queries.decision(recording).governing.title
    footage.mark_deleted(recording, reason=RULE)
    forget_reasons([recording.pk])
    Deletion.objects.create(
        recording=recording,
        rule=RULE,
        basis=(
            f"Its key was erased at {erased_at:{_SECOND}} UTC, after the backup of {taken_at:{_SECOND}} UTC from which "
            f"the database was restored. The rule under which it went is not known here; by the backup: {known}"
        )[:500],
        due_at=erased_at,
        closed_at=clock.now(),
    )
    return True


@custody.service
def give_grace(recording_id: UUID, *, until: datetime) -> bool:
    """Keep until then what would be gone before: the database was restored from a backup.

    Flags and holds made since the backup are not known; this is the time to make them again. Returns whether the
    recording needed it.
    """
    recording = Recording.objects.select_for_update(of=("self",)).get(pk=recording_id)
    custody.nothing_changed()
    if recording.state == Recording.State.DELETED or (recording.review_until and recording.review_until >= until):
        return False
    if not queries.decision(recording).earlier_than(until):
        return False
    recording.review_until = until
    recording.save(update_fields=["review_until"])
    reason = "The database was restored from a backup: flags and holds made since then are not known."
    custody.record(ReviewGiven(actor=SYSTEM, subject=recording.custody_id, reason=reason, until=until))
    settle(recording, clock.now())
    return True
