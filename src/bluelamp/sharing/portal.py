"""Who is signed in to the partners' portal: a recipient in the Django session, on real time."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest

from bluelamp.kernel import clock
from bluelamp.sharing.models import Recipient

_RECIPIENT = "share_recipient"
_SINCE = "share_signed_in_at"
_CODE_FOR = "share_code_for"
_HOURS = 8


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


def remember_code_for(request: HttpRequest, who: Recipient | None, then: str) -> None:
    """Whose code is being waited for (None: an address that we do not know), and where to go afterwards."""
    request.session[_CODE_FOR] = {"recipient": str(who.pk) if who else "", "then": then}


def code_for(request: HttpRequest) -> tuple[Recipient | None, str] | None:
    """What `remember_code_for` kept; None where no code was asked for in this session."""
    kept = request.session.get(_CODE_FOR)
    if kept is None:
        return None
    return (Recipient.objects.filter(pk=kept["recipient"]).first() if kept["recipient"] else None), kept["then"]
