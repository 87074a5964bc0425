"""From the public form to a confirmed request, or to one that lapses."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError, connection
from django.utils.crypto import salted_hmac
from psycopg.errors import DeadlockDetected

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Busy, Invalid
from bluelamp.people.models import Unit
from bluelamp.rights import events, rules, wording
from bluelamp.rights.models import Message, Request
from bluelamp.rights.services import matching, messages

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read out as something else
_PEER_AN_HOUR = 6
_ADDRESS_A_DAY = 5


@dataclass(frozen=True)
class Particulars:
    """What the public form asks for (domain: who, when, where, how to tell the person apart).

    For freedom of information place and role may be empty; borough, and both times together, None.
    """

    kind: str
    name: str
    email: str
    borough: Unit | None
    place: str
    from_at: datetime | None
    until_at: datetime | None
    role: str
    phone: str = ""
    on_behalf_of: str = ""
    authority: str = ""
    proof_photo: str = ""
    proof_other: str = ""
    officer_number: str = ""
    incident_reference: str = ""
    clothing: str = ""
    vehicle: str = ""
    details: str = ""


@custody.unrecorded("the transaction is _receive's; this one begins it again where it lost against another")
def receive_request(given: Particulars, *, peer: str) -> Request:
    """Take a request in and keep at once what may answer it, bounded in place, time and number.

    `peer` is the sender's network address, kept only as a keyed hash to limit the rate. Raises Invalid for a stretch
    of time that lies ahead, is upside down or too long, Busy for too many requests.
    """
    try:
        return _receive(given, peer)
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected) or connection.in_atomic_block:
            raise
        # Somebody asks once, perhaps on day 31: the database chose between two, and the other is done by now.
        return _receive(given, peer)


@custody.service
def confirm_email(request: Request) -> None:
    """The requester opened the link: what was kept for a few days is now held until the request is answered."""
    matching.after_arrivals()
    request = Request.objects.select_for_update().get(pk=request.pk)
    if request.state != Request.State.UNCONFIRMED:
        custody.nothing_changed()
        return
    request.state, request.confirmed_at = Request.State.OPEN, clock.now()
    request.save(update_fields=["state", "confirmed_at"])
    request.matches.update(provisional_until=None)
    kept = matching.keep(request)  # what was corrected or moved into its stretch since it was received
    placed = matching.hold(request, Recording.objects.filter(request_matches__request=request))
    too_late = kept.too_late + len(placed.too_late)
    custody.record(
        events.RequestConfirmed(
            actor="public",
            subject=request.custody_id,
            also=tuple(recording.custody_id for recording in kept.recordings),
            held=len(placed.holds),
            too_late=too_late,
        )
    )
    matching.escalate(request, found=kept.found, too_late=too_late)
    if wording.awaits_proofs(request):
        messages.write(request, Message.Kind.PROOFS)


@custody.unrecorded("each request that lapses records its own event")
def lapse_unconfirmed() -> int:
    """Let requests whose address was never confirmed go; what they kept falls back to its other rules."""
    late = Request.objects.filter(state=Request.State.UNCONFIRMED, lapses_at__lte=clock.now()).order_by("pk")
    return sum(_lapse(pk) for pk in late.values_list("pk", flat=True))


@custody.service
def _receive(given: Particulars, peer: str) -> Request:
    matching.after_arrivals()
    now = clock.now()
    _check_window(given, now)
    peer_hmac = salted_hmac("bluelamp.rights.peer", peer, algorithm="sha256").hexdigest()[:32]
    _check_rate(given.email, peer_hmac, now)
    request = Request.objects.create(
        reference=_reference(),
        received_at=now,
        lapses_at=rules.lapses(now, None),
        peer_hmac=peer_hmac,
        **vars(given),
    )
    kept = matching.keep(request)
    custody.record(
        events.RequestReceived(
            actor="public",
            subject=request.custody_id,
            also=tuple(recording.custody_id for recording in kept.recordings),
            kind=request.kind,
            matched=len(kept.recordings),
            escalated=kept.found > len(kept.recordings),
        )
    )
    for recording in kept.recordings:
        hooks.facts_changed.call(recording)
    matching.escalate(request, found=kept.found, too_late=kept.too_late)
    messages.write(request, Message.Kind.CONFIRMATION)
    return request


@custody.service
def _lapse(request_id: UUID) -> bool:
    request = Request.objects.select_for_update().get(pk=request_id)
    if request.state != Request.State.UNCONFIRMED or request.lapses_at is None or request.lapses_at > clock.now():
        custody.nothing_changed()
        return False
    request.state = Request.State.LAPSED
    request.save(update_fields=["state"])
    custody.record(events.RequestLapsed(actor=matching.SYSTEM, subject=request.custody_id))
    for recording in locked.many(request.matches.values_list("recording_id", flat=True)):
        if recording.state != Recording.State.DELETED:
            hooks.facts_changed.call(recording)
    return True


def _check_window(given: Particulars, now: datetime) -> None:
    if given.from_at is None or given.until_at is None:
        return
    if given.until_at <= given.from_at:
        raise Invalid("The time you give ends before it begins.", "Your request was not sent.", "Check both times.")
    if given.from_at > now:
        raise Invalid("The time you give lies in the future.", "Your request was not sent.", "Check the date.")
    if given.until_at - given.from_at > rules.LONGEST_WINDOW:
        raise Invalid(
            f"Give a stretch of at most {rules.LONGEST_WINDOW.seconds // 3600} hours.",
            "Your request was not sent.",
            "If you need more, send one request for each part.",
        )


def _check_rate(email: str, peer_hmac: str, now: datetime) -> None:
    recent = Request.objects.filter(peer_hmac=peer_hmac, received_at__gt=now - timedelta(hours=1)).count()
    same = Request.objects.filter(email__iexact=email, received_at__gt=now - timedelta(days=1)).count()
    if recent >= _PEER_AN_HOUR or same >= _ADDRESS_A_DAY:
        raise Busy(
            "Too many requests came from you in a short time.",
            "Those that we confirmed are being worked on. This one was not sent.",
            f"Try again later, or {wording.another_way()}.",
        )


def _reference() -> str:
    return "BL-" + "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
