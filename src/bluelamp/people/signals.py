"""What Django, allauth and axes say about sign-in, taken to the ledger."""

from __future__ import annotations

from typing import Any

from allauth.mfa.signals import authentication_failed
from axes.helpers import get_failure_limit
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from bluelamp.people import services, sessions
from bluelamp.people.models import Person

CODE = "code"


def connect() -> None:
    """Listen from now on; called once, when the app is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="bluelamp.people")
    user_logged_out.connect(_signed_out, dispatch_uid="bluelamp.people")
    user_login_failed.connect(_failed, dispatch_uid="bluelamp.people")
    authentication_failed.connect(_code_failed, dispatch_uid="bluelamp.people")
    user_locked_out.connect(_locked_out, dispatch_uid="bluelamp.people")


def _signed_in(sender: Any, request: HttpRequest, user: Person, **_: Any) -> None:
    sessions.begin(request.session, user)
    services.note_sign_in(user, address=_address(request), second_factor=request.session[sessions.SECOND_FACTOR])


def _signed_out(sender: Any, request: HttpRequest, user: Person | None, **_: Any) -> None:
    # A session that ran out has been noted as such already.
    if user is not None and not hasattr(request, "session_over"):
        services.note_sign_out(user, how="signed out")


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        services.note_failed_sign_in(
            str(credentials.get("username") or ""),
            step=credentials.get("step", "password"),
            address=_address(request),
            # The failure that closes the door still belongs to those before it.
            closed=_failures(request) > get_failure_limit(request, credentials),
        )


def _code_failed(sender: Any, request: HttpRequest, user: Person, **_: Any) -> None:
    """A wrong code counts like a wrong password, so that axes closes the door after a few of either."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username, "step": CODE}, request=request)


def _locked_out(sender: Any, request: HttpRequest, username: str, ip_address: str, **_: Any) -> None:
    failures = _failures(request)
    # Axes says it again at every further attempt; the ledger hears it when the door closes.
    if failures == get_failure_limit(request, {"username": username}):
        services.note_lockout(username, address=ip_address or "", failures=failures)


def _failures(request: HttpRequest) -> int:
    # Counted by axes, which hears of a failure before this room does.
    return getattr(request, "axes_failures_since_start", None) or 0


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
