"""Who is signed in to the partners' portal: a recipient in the Django session, on real time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest

from bluelamp.kernel import clock
from bluelamp.sharing.models import Recipient

_RECIPIENT = "share_recipient"
_SINCE = "share_signed_in_at"
_CODE_FOR = "share_code_for"
_HOURS = 8


@dataclass(frozen=True)
class Awaited:
    """The code that a session waits for. `wrong`: how many wrong ones were entered meanwhile."""

    ticket: str
    then: str
    wrong: int


def sign_in(request: HttpRequest, recipient: Recipient) -> None:
    """Begin a recipient's session under a fresh key."""
    request.session.cycle_key()
    request.session[_RECIPIENT] = str(recipient.pk)
    request.session[_SINCE] = clock.real_now().timestamp()
    request.session.pop(_CODE_FOR, None)


def sign_out(request: HttpRequest) -> None:
    """End the recipient's session; viewings are bound to its key and end with it."""
    request.session.flush()


def recipient(request: HttpRequest) -> Recipient | None:
    """The signed-in recipient, or None."""
    found, since = request.session.get(_RECIPIENT), request.session.get(_SINCE, 0)
    if not found or clock.real_now().timestamp() - since > timedelta(hours=_HOURS).total_seconds():
        return None
    return Recipient.objects.select_related("organisation").filter(pk=found).first()


def wait_for_code(request: HttpRequest, ticket: str, then: str) -> None:
    """Note the ticket of the code that this session asked for, and where to go once it is entered."""
    request.session[_CODE_FOR] = {"ticket": ticket, "then": then, "wrong": 0}


def awaited(request: HttpRequest) -> Awaited | None:
    """What `wait_for_code` noted; None where no code was asked for in this session."""
    kept = request.session.get(_CODE_FOR)
    return Awaited(**kept) if kept else None


def note_wrong_code(request: HttpRequest) -> None:
    """Count a wrong code against the session."""
    kept = request.session[_CODE_FOR]
    request.session[_CODE_FOR] = {**kept, "wrong": kept["wrong"] + 1}
