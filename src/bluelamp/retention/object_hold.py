"""A second lock: the store's own legal hold on the originals of what retention keeps.

Where the bucket has Object Lock, an original that somebody's decision keeps (a flag, a hold, a lock, an extension, a
case) cannot be deleted by whoever has the store's credentials either, until Bluelamp releases it. Never a retention
period: that could outlive the hold, and nothing could end it.

What is wanted is read from the recording's row at the moment it is carried out, so that jobs may run late, twice, or in
any order. Deletion releases by itself, before it removes.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import connection
from procrastinate.contrib.django import app

from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import BluelampError
from bluelamp.kernel.transaction import atomic
from bluelamp.retention import rules
from bluelamp.retention.queries.cooling import COOLING
from bluelamp.vault.errors import StoreRefused, StoreUnavailable
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)

ALIGN = "retention.align_object_hold"
REPAIR = "retention.repair_object_holds"

# Rules that nobody decided for this recording: its time simply runs out under them.
_RUNS_OUT = frozenset({"", rules.DEFAULT, rules.LATE_ARRIVAL, rules.REVIEW})
_BATCH = 200


def wanted(recording: Recording) -> bool:
    """Whether its original belongs under the store's legal hold, as the row stands."""
    runs_out = recording.due_rule in _RUNS_OUT or recording.due_rule.startswith(f"{COOLING}:")
    return recording.state != Recording.State.DELETED and not runs_out


def align_soon(recording: Recording) -> None:
    """Have a job carry it out, once the transaction that this is called in is committed."""
    if get_store().may_support_hold:
        app.configure_task(ALIGN).defer(recording_id=str(recording.pk))


def align(recording_id: UUID) -> None:
    """Set or release the legal hold of one recording's original. Raises StoreUnavailable, ObjectMissing."""
    store = get_store()
    if not store.supports_hold():
        return
    with atomic(durable=True):
        # Two jobs about one recording: whichever is second reads the row after the first has acted on it.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{ALIGN} {recording_id}"])
        recording = Recording.objects.exclude(state=Recording.State.DELETED).filter(pk=recording_id).first()
        if recording is not None:
            store.hold(recording.original, wanted(recording))


def repair(after: UUID | None = None) -> int:
    """Align a batch of recordings, those whose id follows `after`, and defer the next. Returns how many.

    It finds what a store that was down for long, or somebody with its credentials, left different. An original that is
    missing, or that the store refuses, stops no other. Raises StoreUnavailable where the store does not answer: the
    same batch is to be tried again then.
    """
    if not get_store().supports_hold():
        return 0
    kept = Recording.objects.exclude(state=Recording.State.DELETED)
    if after is not None:
        kept = kept.filter(pk__gt=after)
    batch = list(kept.order_by("pk").values_list("pk", flat=True)[:_BATCH])
    for recording_id in batch:
        try:
            align(recording_id)
        except BluelampError as error:
            if isinstance(error, StoreUnavailable) and not isinstance(error, StoreRefused):
                raise
            log.error("object_hold.not_aligned", recording=str(recording_id), why=str(error))
    if len(batch) == _BATCH:
        app.configure_task(REPAIR).defer(timestamp=0, after=str(batch[-1]))
    return len(batch)
