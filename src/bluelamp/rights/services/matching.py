"""Bringing requests and footage together, whichever comes first.

Locks are taken in one order everywhere: arrivals and requests against each other, then a request's row, then the rows
of recordings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.kernel import clock, statements
from bluelamp.retention import services as retention
from bluelamp.retention.models import Hold
from bluelamp.rights import events, queries, rules
from bluelamp.rights.models import Request, RequestMatch

SYSTEM = "system:rights"

_STANDING = (Request.State.OPEN, Request.State.UNCONFIRMED)
_ARRIVALS = 0x424C_5249_4748_5453  # the key of the lock between arrivals and requests, on nothing else


@dataclass(frozen=True)
class Kept:
    """What looking for a request's footage came to: newly matched, how many fit in all, and how many had just gone."""

    recordings: tuple[Recording, ...]
    found: int
    too_late: int


@custody.unrecorded("takes a lock, changes nothing")
def after_arrivals() -> None:
    """Wait for the arrivals that are under way, and let later ones wait, until the transaction ends.

    What is asked for after this sees every recording that arrived before it, and every later arrival sees the request:
    neither can miss the other's uncommitted row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ARRIVALS])


@custody.unrecorded("called in the transaction of acceptance; each match records its own event")
def match_arrivals(recordings: Collection[Recording]) -> None:
    """Footage that is docked after somebody asked for it is held as if it had been there."""
    statements.ask("SELECT pg_advisory_xact_lock_shared(%s)", [_ARRIVALS])
    for request, recording in queries.waiting_for(recordings):
        _add(request, only=recording)


@custody.unrecorded("each request that it adds something to records an event of its own")
def match_again() -> int:
    """Look once more for what every standing request asks for: corrected times and units bring new matches.

    Returns how many recordings were added.
    """
    standing = Request.objects.filter(state__in=_STANDING).order_by("pk")
    return sum(_add(request) for request in standing)


@custody.unrecorded("part of the services that call it, which record what it found")
def keep(request: Request, only: Recording | None = None) -> Kept:
    """Match what may answer a request, whose row the caller has locked, and is not matched yet, up to the most.

    With `only`, nothing else is added. Without confirmation a match is kept until the request lapses. Nothing is held
    yet: see `hold`.
    """
    known = set(request.matches.values_list("recording_id", flat=True))
    missing = [pk for pk in queries.matching(request).values_list("pk", flat=True) if pk not in known]
    wanted = missing if only is None else [pk for pk in missing if pk == only.pk]
    wanted = wanted[: max(0, rules.MOST_HELD - len(known))]
    rows = locked.many(wanted)
    there = [recording for recording in rows if recording.state != Recording.State.DELETED]
    for recording in there:
        RequestMatch.objects.create(
            request=request,
            recording=recording,
            matched_at=clock.now(),
            provisional_until=None if request.state == Request.State.OPEN else request.lapses_at,
        )
    return Kept(tuple(there), len(known) + len(missing), len(wanted) - len(there))


@custody.unrecorded("part of the services that call it; each hold records its own event")
def hold(request: Request, recordings: Iterable[Recording]) -> retention.HoldsPlaced:
    """Hold recordings until the request is answered."""
    kind = Hold.Kind.FOI if request.kind == Request.Kind.FOI else Hold.Kind.SUBJECT_ACCESS
    return retention.place_holds(
        locked.many(recording.pk for recording in recordings),
        kind,
        f"Asked for in request {request.reference}",
        request.custody_id,
        SYSTEM,
    )


@custody.unrecorded("records its own event where something is escalated, and else changes nothing")
def escalate(request: Request, *, found: int, too_late: int) -> None:
    """Mark a request for a person's decision where it fits more than it may hold, or where footage had just gone."""
    held = request.matches.count()
    words = (
        f"The request fits {found} recordings and holds the first {held} by itself. "
        "Narrow it with the requester, and hold what else is needed before it is due for deletion."
        if found - too_late > held
        else request.escalation
    )
    if words == request.escalation and not too_late:
        return
    request.escalated, request.escalation = True, words
    request.too_late += too_late
    request.save(update_fields=["escalated", "escalation", "too_late"])
    custody.record(
        events.RequestEscalated(
            actor=SYSTEM, subject=request.custody_id, found=found, held=held, too_late=request.too_late
        )
    )


@custody.service
def _add(request: Request, only: Recording | None = None) -> int:
    # Whoever confirms, closes or lets the request lapse takes the same row lock: its state is the one that counts.
    request = Request.objects.select_for_update().get(pk=request.pk)
    custody.nothing_changed()  # unless something is found; each finding records its own event
    if request.state not in _STANDING:
        return 0
    kept = keep(request, only)
    too_late = kept.too_late
    for recording in kept.recordings:
        custody.record(events.RequestMatched(actor=SYSTEM, subject=request.custody_id, also=(recording.custody_id,)))
    if request.state == Request.State.OPEN:
        too_late += len(hold(request, kept.recordings).too_late)
    else:
        for recording in kept.recordings:
            hooks.facts_changed.call(recording)
    escalate(request, found=kept.found, too_late=too_late)
    return len(kept.recordings)
