"""The steps of the information rights desk."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Person
from bluelamp.retention import services as retention
from bluelamp.rights import events, queries, rules
from bluelamp.rights.models import Message, Request, RequestPause
from bluelamp.rights.services import messages


@custody.service
def prove_identity(request: Request, *, by: Person, proofs: str) -> None:
    """The desk has seen two proofs, one with a photograph; the statutory month begins."""
    request = _open(request)
    if request.kind == Request.Kind.FOI:
        raise Conflict("Freedom of information asks nobody for proof of identity.", "Nothing was changed.")
    if request.identity_proved_at is not None:
        raise Conflict("Identity has been proved already.", "Nothing was changed.")
    if not proofs.strip():
        raise Invalid("Say which proofs you saw.", "Nothing was changed.", "Name both, one with a photograph.")
    request.identity_proved_at = clock.now()
    request.save(update_fields=["identity_proved_at"])
    custody.record(events.IdentityProved(actor=by.custody_id, subject=request.custody_id, reason=proofs.strip()))


@custody.service
def ask_clarification(request: Request, *, by: Person, question: str) -> None:
    """Ask the requester something by e-mail; the clock stands from the sending until the answer."""
    request = _open(request)
    if request.pauses.filter(until=None).exists():
        raise Conflict("Clarification is awaited already.", "Nothing was sent.")
    if not question.strip():
        raise Invalid("Write what you need to know.", "Nothing was sent.")
    pause = RequestPause.objects.create(request=request, question=question.strip())
    custody.record(events.ClarificationAsked(actor=by.custody_id, subject=request.custody_id))
    messages.write(request, Message.Kind.QUESTION, pause)


@custody.service
def clarified(request: Request, *, by: Person) -> None:
    """The requester answered; the clock runs again. A question that was not sent yet is not sent any more."""
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
    messages.write(request, Message.Kind.EXTENSION)


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
    request.pauses.filter(until=None).update(until=request.closed_at)  # an answer ends the waiting for another
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
def stop_holding(request: Request, *, by: Person, reason: str) -> None:
    """Let go of what a closed request still holds; the footage falls back to its other rules.

    Raises Invalid without a reason, Conflict for a request that is not closed or holds nothing.
    """
    request = Request.objects.select_for_update().get(pk=request.pk)
    if request.closed_at is None:
        raise Conflict(
            "This request is not closed.", "Its footage is held.", "Close it first; you can release the footage there."
        )
    if not reason.strip():
        raise Invalid("Give the reason for no longer holding the footage.", "It is still held.")
    released = retention.release_holds(request.custody_id, reason.strip(), by.custody_id)
    if not released:
        raise Conflict("This request holds no footage any more.", "Nothing was changed.")
    custody.record(
        events.RequestHoldsReleased(
            actor=by.custody_id, subject=request.custody_id, reason=reason.strip(), holds_released=released
        )
    )


def _open(request: Request) -> Request:
    request = Request.objects.select_for_update().get(pk=request.pk)
    if request.state != Request.State.OPEN:
        raise Conflict(f"This request is {request.get_state_display().lower()}.", "Nothing was changed.")
    return request
