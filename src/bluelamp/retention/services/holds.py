"""Holds: standing reasons that stop deletion at once, until somebody releases them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.retention.events import HoldKept, HoldPlaced, HoldReleased
from bluelamp.retention.models import Hold, RetentionPolicy
from bluelamp.retention.services.approving import MOST_AT_ONCE, decide_each, require_sample
from bluelamp.retention.services.deciding import settle

_FURTHEST_REVIEW = timedelta(days=3653)


@dataclass(frozen=True)
class HoldsPlaced:
    """What a bulk hold came to: holds that stand, and recordings that had been deleted before it."""

    holds: tuple[Hold, ...]
    too_late: tuple[UUID, ...]


@custody.service
def place_hold(
    recording: Recording,
    kind: str,
    reason: str,
    source: str,
    actor: str,
    *,
    owner: str = "",
    review_at: datetime | None = None,
) -> Hold:
    """Stop the deletion of `recording` while the hold stands; one in quarantine comes back at once.

    `source` is the custody id of what asks for it (`request:7`), or "" for a person's own decision. That one has an
    `owner` (a person or `role:<role>`; else whoever places it) and is reviewed at `review_at` (else after the policy's
    period). A hold of the same kind from the same source that stands already is returned. Raises Invalid without a
    reason, Conflict for a recording that has been deleted: hold and sweep take the same row lock, so that one of them
    comes first.
    """
    if kind not in Hold.Kind.values:
        raise Invalid("That is not a kind of hold.", "Nothing was held.", "Choose one from the list.")
    reason = required(reason, "a reason for the hold", LONGEST_REASON)
    try:
        files = locked.incident(recording)
    except Conflict as deleted:
        raise Conflict(
            "This recording was deleted before the hold was placed.",
            "Nothing is left that could be held; its certificate says under which rule it went.",
            "If it was asked for before that, tell professional standards.",
        ) from deleted
    if not source:
        review_at = _review_date(review_at)
    hold = _place(recording, kind, reason, source, actor, owner or source or actor, review_at)
    _settle(files)
    return hold


@custody.service
def place_holds(recordings: Iterable[Recording], kind: str, reason: str, source: str, actor: str) -> HoldsPlaced:
    """Hold many recordings in one transaction. Those deleted already are named, and the others held all the same."""
    holds, too_late = [], []
    # All of them first and in one order, so that two who take many never wait for each other.
    for recording in locked.many(recording.pk for recording in recordings):
        try:
            holds.append(place_hold(recording, kind, reason, source, actor))
        except Conflict:
            too_late.append(recording.pk)
    custody.nothing_changed()  # each new hold records its own event, and one that stood already none
    return HoldsPlaced(tuple(holds), tuple(too_late))


@custody.service
def release_hold(hold: Hold, reason: str, actor: str) -> None:
    """End a hold. What is due by then is first given time for review: no release deletes anything by itself.

    A hold without a source is a person's decision, and another person must release it; one with a source ends with
    what asked for it. Raises Invalid without a reason, Conflict where it is released already, NotAllowed for the
    person who placed it.
    """
    reason = required(reason, "a reason for releasing the hold", LONGEST_REASON)
    recording = hold.recording
    files = _files(recording)
    hold.refresh_from_db()
    if hold.released_at is not None:
        raise Conflict("This hold has been released already.", "Nothing was changed.")
    if not hold.source and hold.placed_by == actor:
        raise NotAllowed(
            "You placed this hold yourself.",
            "It stands: nobody shortens retention without a second person.",
            "Ask a colleague who may release holds.",
        )
    if not hold.source and recording.wearer is not None and recording.wearer.custody_id == actor:
        raise NotAllowed(
            "You wore the camera.",
            "The hold stands: nobody shortens how long footage of the own work is kept.",
            "Ask a colleague who may release holds.",
        )
    hold.released_by, hold.released_at, hold.release_reason = actor, clock.now(), reason
    hold.save(update_fields=["released_by", "released_at", "release_reason"])
    custody.record(
        HoldReleased(
            actor=actor,
            subject=recording.custody_id,
            also=(hold.source,) if hold.source else (),
            reason=reason,
            hold=hold.pk,
            kind=hold.kind,
            source=hold.source,
        )
    )
    _settle(files)


@custody.service
def release_holds(source: str, reason: str, actor: str) -> int:
    """End every hold that `source` (`request:7`) placed. Returns how many there were."""
    if not source:
        raise ValueError("Holds without a source are released one by one, each by a second person.")
    of_source = Hold.objects.filter(source=source, released_at=None)
    locked.many(of_source.values_list("recording", flat=True))
    # Read under the locks: another may have released some of them in the meantime.
    standing = list(of_source.select_related("recording").order_by("recording"))
    for hold in standing:
        release_hold(hold, reason, actor)
    if not standing:
        custody.nothing_changed()
    return len(standing)


@custody.service
def keep_hold(hold: Hold, reason: str, actor: str, *, review_at: datetime | None = None, looked_at: int = 1) -> None:
    """Say after a review that a hold is still needed, until the next one (`review_at`, else after the policy's period).

    Raises Invalid without a reason or for a date that is past or more than ten years ahead, Conflict where the hold has
    been released.
    """
    reason = required(reason, "a reason for keeping the hold", LONGEST_REASON)
    review_at = _review_date(review_at)
    locked.many([hold.recording_id])
    hold.refresh_from_db()
    if hold.released_at is not None:
        raise Conflict("This hold has been released already.", "Nothing was changed.")
    hold.review_at = review_at
    hold.save(update_fields=["review_at"])
    custody.record(
        HoldKept(
            actor=actor,
            subject=hold.recording.custody_id,
            reason=reason,
            hold=hold.pk,
            kind=hold.kind,
            review_at=review_at,
            looked_at=looked_at,
        )
    )


@custody.service
def decide_holds(
    ids: Iterable[int], *, keep: bool, reason: str, actor: str, review_at: datetime | None = None
) -> tuple[int, list[str]]:
    """Decide on many holds with one reason: keep them, or release them. Returns how many, and why others were left.

    Raises Invalid where more than MOST_AT_ONCE are named, and where the sample of them that must be looked at
    (`queries.sample`) has not been. Each hold that something else placed is left: it ends with that.
    """
    wanted = sorted(set(ids))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise Invalid(f"Choose between 1 and {MOST_AT_ONCE} holds.", "Nothing was decided.")
    looked_at = require_sample([f"hold:{number}" for number in wanted], actor)
    locked.many(Hold.objects.filter(pk__in=wanted).values_list("recording", flat=True))

    def decide(hold: Hold) -> None:
        if keep:
            keep_hold(hold, reason, actor, review_at=review_at, looked_at=looked_at)
        elif hold.source:
            raise Conflict("It was placed by a request, a case or a share, and ends with that.")
        else:
            release_hold(hold, reason, actor)

    holds = Hold.objects.filter(pk__in=wanted).select_related("recording").order_by("recording", "pk")
    decided = decide_each(holds, decide)
    custody.nothing_changed()  # each decision records its own event
    return decided


def _review_date(wanted: datetime | None) -> datetime:
    now = clock.now()
    if wanted is None:
        return now + timedelta(days=RetentionPolicy.objects.values_list("hold_review_days", flat=True).get(pk=1))
    if not now < wanted <= now + _FURTHEST_REVIEW:
        raise Invalid("A review lies between tomorrow and ten years ahead.", "Nothing was changed.")
    return wanted


def _place(
    recording: Recording, kind: str, reason: str, source: str, actor: str, owner: str, review_at: datetime | None
) -> Hold:
    standing = Hold.objects.filter(recording=recording, kind=kind, source=source, released_at=None).first()
    if standing is not None and source:
        custody.nothing_changed()
        return standing
    hold = Hold.objects.create(
        recording=recording,
        kind=kind,
        reason=reason,
        source=source,
        owner=owner,
        review_at=review_at,
        placed_by=actor,
        placed_at=clock.now(),
    )
    custody.record(
        HoldPlaced(
            actor=actor,
            subject=recording.custody_id,
            also=(source,) if source else (),
            reason=reason,
            hold=hold.pk,
            kind=kind,
            source=source,
        )
    )
    return hold


def _files(recording: Recording) -> list[Recording]:
    """The recording with the other files of its incident, locked; none where it has been deleted."""
    try:
        return locked.incident(recording)
    except Conflict:
        return []


def _settle(files: Iterable[Recording]) -> None:
    # A hold on one file bears on every file of its incident.
    for file in files:
        settle(file, clock.now())
