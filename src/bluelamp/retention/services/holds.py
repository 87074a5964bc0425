"""Holds: standing reasons that stop deletion at once, until somebody releases them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.retention.events import HoldPlaced, HoldReleased
from bluelamp.retention.models import Hold
from bluelamp.retention.services.deciding import settle


@dataclass(frozen=True)
class HoldsPlaced:
    """What a bulk hold came to: holds that stand, and recordings that had been deleted before it."""

    holds: tuple[Hold, ...]
    too_late: tuple[UUID, ...]


@custody.service
def place_hold(recording: Recording, kind: str, reason: str, source: str, actor: str) -> Hold:
    """Stop the deletion of `recording` while the hold stands; one in quarantine comes back at once.

    `source` is the custody id of what asks for it (`request:7`), or "" for a person's own decision. A hold of the same
    kind from the same source that stands already is returned. Raises Invalid without a reason, Conflict for a
    recording that has been deleted: hold and sweep take the same row lock, so that one of them comes first.
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
    hold = _place(recording, kind, reason, source, actor)
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


def _place(recording: Recording, kind: str, reason: str, source: str, actor: str) -> Hold:
    standing = Hold.objects.filter(recording=recording, kind=kind, source=source, released_at=None).first()
    if standing is not None and source:
        custody.nothing_changed()
        return standing
    hold = Hold.objects.create(
        recording=recording, kind=kind, reason=reason, source=source, placed_by=actor, placed_at=clock.now()
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
