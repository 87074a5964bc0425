"""Verbs of requests."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.crypto import salted_hmac

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Busy, Conflict, Invalid
from bluelamp.kernel.transaction import on_commit
from bluelamp.people.models import Person, Unit
from bluelamp.retention import services as retention
from bluelamp.retention.models import Hold
from bluelamp.rights import events, queries, rules
from bluelamp.rights.models import Request, RequestMatch, RequestPause

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read out as something else
_PEER_AN_HOUR = 6
_ADDRESS_A_DAY = 5
_SYSTEM = "system:rights"


@dataclass(frozen=True)
class Particulars:
    """What the public form asks for (domain: who, when, where, how to tell the person apart)."""

    kind: str
    name: str
    email: str
    borough: Unit
    place: str
    from_at: datetime
    until_at: datetime
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


@custody.service
def receive_request(given: Particulars, *, peer: str) -> Request:
    """Take a request in and keep at once what may answer it, bounded in place, time and number.

    `peer` is the sender's network address, kept only as a keyed hash to limit the rate. Raises Invalid for a stretch
    of time that lies ahead, is upside down or too long, Busy for too many requests.
    """
    now = clock.now()
    _check_window(given, now)
    peer_hmac = salted_hmac("bluelamp.rights.peer", peer, algorithm="sha256").hexdigest()[:32]
    _check_rate(given.email, peer_hmac, now)
    token = secrets.token_urlsafe(32)
    request = Request.objects.create(
        reference=_reference(),
        received_at=now,
        confirm_token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        peer_hmac=peer_hmac,
        **vars(given),
    )
    found = queries.matching(request).count()
    chosen = list(queries.matching(request).select_for_update(of=("self",))[: rules.MOST_HELD])
    for recording in chosen:
        RequestMatch.objects.create(
            request=request, recording=recording, matched_at=now, provisional_until=now + rules.PROVISIONAL
        )
    custody.record(
        events.RequestReceived(
            actor="public",
            subject=request.custody_id,
            also=tuple(recording.custody_id for recording in chosen),
            kind=request.kind,
            matched=len(chosen),
            escalated=found > len(chosen),
        )
    )
    for recording in chosen:
        hooks.facts_changed.call(recording)
    if found > len(chosen):
        _escalate(request, found, len(chosen))
    on_commit(lambda: _send_confirmation(request, token))
    return request


@custody.service
def confirm_email(request: Request) -> None:
    """The requester opened the link: what was kept for a few days is now held until the request is answered."""
    request = Request.objects.select_for_update().get(pk=request.pk)
    if request.state != Request.State.UNCONFIRMED:
        custody.nothing_changed()
        return
    request.state, request.confirmed_at = Request.State.OPEN, clock.now()
    request.save(update_fields=["state", "confirmed_at"])
    recordings = [match.recording for match in request.matches.select_related("recording")]
    request.matches.update(provisional_until=None)
    _hold(request, recordings)
    custody.record(events.RequestConfirmed(actor="public", subject=request.custody_id, held=len(recordings)))


@custody.unrecorded("called in the transaction of acceptance; each match records its own event")
def match_arrival(recording: Recording) -> None:
    """Footage that is docked after somebody asked for it is held as if it had been there."""
    for request in queries.waiting_for(recording):
        _match_one(request, recording)


@custody.service
def lapse_unconfirmed() -> int:
    """Let requests whose address was never confirmed go; what they kept falls back to its other rules."""
    late = Request.objects.filter(
        state=Request.State.UNCONFIRMED, received_at__lt=clock.now() - rules.PROVISIONAL
    ).select_for_update()
    lapsed = list(late)
    for request in lapsed:
        request.state = Request.State.LAPSED
        request.save(update_fields=["state"])
        custody.record(events.RequestLapsed(actor=_SYSTEM, subject=request.custody_id))
        for match in request.matches.select_related("recording"):
            hooks.facts_changed.call(match.recording)
    if not lapsed:
        custody.nothing_changed()
    return len(lapsed)


@custody.service
def prove_identity(request: Request, *, by: Person, proofs: str) -> None:
    """The desk has seen two proofs, one with a photograph; the statutory month begins."""
    request = _open(request)
    if request.identity_proved_at is not None:
        raise Conflict("Identity has been proved already.", "Nothing was changed.")
    if not proofs.strip():
        raise Invalid("Say which proofs you saw.", "Nothing was changed.", "Name both, one with a photograph.")
    request.identity_proved_at = clock.now()
    request.save(update_fields=["identity_proved_at"])
    custody.record(events.IdentityProved(actor=by.custody_id, subject=request.custody_id, reason=proofs.strip()))


@custody.service
def ask_clarification(request: Request, *, by: Person, question: str) -> None:
    """Ask the requester something by e-mail; the clock stands until the answer."""
    request = _open(request)
    if request.pauses.filter(until=None).exists():
        raise Conflict("Clarification is awaited already.", "Nothing was sent.")
    if not question.strip():
        raise Invalid("Write what you need to know.", "Nothing was sent.")
    RequestPause.objects.create(request=request, question=question.strip(), since=clock.now())
    custody.record(events.ClarificationAsked(actor=by.custody_id, subject=request.custody_id))
    on_commit(lambda: _send_question(request, question.strip()))


@custody.service
def clarified(request: Request, *, by: Person) -> None:
    """The requester answered; the clock runs again."""
    request = _open(request)
    if not request.pauses.filter(until=None).update(until=clock.now()):
        raise Conflict("No clarification is awaited.", "Nothing was changed.")
    custody.record(events.ClarificationReceived(actor=by.custody_id, subject=request.custody_id))


@custody.service
def extend(request: Request, *, by: Person, reason: str) -> None:
    """Two further months for complexity or number, with notice to the requester (DPA 2018 s.54(6))."""
    request = _open(request)
    problem = rules.extension_problem(queries.clock_facts(request), queries.today())
    if problem:
        raise Conflict(problem, "The time for the answer is as it was.")
    if not reason.strip():
        raise Invalid("Give the reason that the requester will read.", "The time for the answer is as it was.")
    request.extended_at, request.extension_reason = clock.now(), reason.strip()
    request.save(update_fields=["extended_at", "extension_reason"])
    custody.record(events.RequestExtended(actor=by.custody_id, subject=request.custody_id, reason=reason.strip()))
    on_commit(lambda: _send_extension(request))


@custody.service
def close(request: Request, *, by: Person, state: str, outcome: str, release: bool) -> None:
    """Record that a request was answered or refused; with `release`, what it held falls back to its other rules."""
    request = _open(request)
    if state not in (Request.State.ANSWERED, Request.State.REFUSED):
        raise Invalid("Say whether the request was answered or refused.", "It is still open.")
    if not outcome.strip():
        raise Invalid("Say what the requester was told.", "The request is still open.")
    request.state, request.closed_at, request.closed_by = state, clock.now(), by
    request.outcome = outcome.strip()
    request.save(update_fields=["state", "closed_at", "closed_by", "outcome"])
    released = (
        retention.release_holds(request.custody_id, f"Request {request.reference} was closed.", by.custody_id)
        if release
        else 0
    )
    custody.record(
        events.RequestClosed(
            actor=by.custody_id,
            subject=request.custody_id,
            state=str(request.state),
            outcome=request.outcome,
            holds_released=released,
        )
    )


@custody.service
def _match_one(request: Request, recording: Recording) -> None:
    held = request.matches.count()
    if held >= rules.MOST_HELD:
        _escalate(request, held + 1, held)
        return
    confirmed = request.state == Request.State.OPEN
    now = clock.now()
    RequestMatch.objects.create(
        request=request,
        recording=recording,
        matched_at=now,
        provisional_until=None if confirmed else now + rules.PROVISIONAL,
    )
    custody.record(events.RequestMatched(actor=_SYSTEM, subject=request.custody_id, also=(recording.custody_id,)))
    if confirmed:
        _hold(request, [recording])
    else:
        hooks.facts_changed.call(recording)


def _hold(request: Request, recordings: list[Recording]) -> None:
    kind = Hold.Kind.FOI if request.kind == Request.Kind.FOI else Hold.Kind.SUBJECT_ACCESS
    if recordings:
        retention.place_holds(
            recordings, kind, f"Asked for in request {request.reference}", request.custody_id, _SYSTEM
        )


def _escalate(request: Request, found: int, held: int) -> None:
    request.escalated = True
    request.escalation = (
        f"The request fits {found} recordings and holds the first {held} by itself. "
        "Narrow it with the requester, and hold what else is needed before it is due for deletion."
    )
    request.save(update_fields=["escalated", "escalation"])
    custody.record(events.RequestEscalated(actor=_SYSTEM, subject=request.custody_id, found=found, held=held))


def _check_window(given: Particulars, now: datetime) -> None:
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
            "Try again later, or write to us by post.",
        )


def _open(request: Request) -> Request:
    request = Request.objects.select_for_update().get(pk=request.pk)
    if request.state != Request.State.OPEN:
        raise Conflict(f"This request is {request.get_state_display().lower()}.", "Nothing was changed.")
    return request


def _reference() -> str:
    return "BL-" + "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def _send(request: Request, subject: str, body: str) -> None:
    text = f"{request.name},\n\n{body}\n\nYour reference: {request.reference}\n{settings.BLUELAMP.force}\n"
    EmailMessage(f"{subject} ({request.reference})", text, to=[request.email]).send()


def _send_confirmation(request: Request, token: str) -> None:
    link = settings.BLUELAMP.base_url + reverse("public:confirm", args=[token])
    _send(
        request,
        "Confirm your request for footage",
        f"We received your request. Please confirm that this is your address, within three days:\n{link}\n\n"
        "If you did not ask for anything, ignore this message.",
    )


def _send_question(request: Request, question: str) -> None:
    _send(request, "A question about your request", f"To find what you ask for we need to know:\n\n{question}")


def _send_extension(request: Request) -> None:
    _send(
        request,
        "Your request needs more time",
        f"The law allows two further months for requests that are complex or many. We need them because: "
        f"{request.extension_reason}\n\nYou may complain to the Information Commissioner.",
    )
