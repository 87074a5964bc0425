"""How long somebody stays signed in: until idle for too long, and never longer than a shift. On real time.

A session counts only when it is complete: the password is the person's own, and the second factor was given.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import get_user, logout
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest

from bluelamp.people import services
from bluelamp.people.models import Person
from bluelamp.people.session_store import SessionStore

SIGNED_IN_AT = "bluelamp.signed_in_at"
SEEN_AT = "bluelamp.seen_at"
SECOND_FACTOR = "bluelamp.second_factor"

_NOTE_EVERY_SECONDS = 60


def idle_seconds() -> int:
    """After how long without a request a session ends."""
    return 60 * int(getattr(settings, "SESSION_IDLE_MINUTES", 30))


def begin(session: SessionBase, person: Person) -> None:
    """Stamp a session at sign-in, once all of its steps are done."""
    session[SIGNED_IN_AT] = session[SEEN_AT] = time.time()
    # Where one is set up, allauth asked for it before the session began.
    session[SECOND_FACTOR] = is_mfa_enabled(person, [Authenticator.Type.TOTP])


def second_factor_given(session: SessionBase) -> None:
    """Stamp a session in which the second factor was set up just now."""
    session[SECOND_FACTOR] = True


def why_over(session: SessionBase) -> str:
    """Why a session has ended ("idle", "too long"), or an empty string."""
    now = time.time()
    signed_in_at, seen_at = session.get(SIGNED_IN_AT), session.get(SEEN_AT)
    if signed_in_at is None or seen_at is None or now - signed_in_at > settings.SESSION_COOKIE_AGE:
        return "too long"
    return "idle" if now - seen_at > idle_seconds() else ""


def missing_step(session: SessionBase, person: Person) -> str:
    """The URL name of what a signed-in person must do before anything else, or an empty string."""
    if person.password_is_temporary:
        return "account_change_password"
    return "" if session.get(SECOND_FACTOR) else "mfa_activate_totp"


def person_of(request: HttpRequest) -> Person | None:
    """Who is signed in, with every step done and in time. Ends a session that is over, and says so in the ledger."""
    person = getattr(request, "user", None)  # absent where a request was refused before anybody asked who sent it
    if not isinstance(person, Person) or not person.is_active:
        return None
    over = why_over(request.session)
    if over:
        services.note_sign_out(person, how=over)
        request.session_over = over  # read by the sign-in page's message
        logout(request)
        return None
    _note_activity(request.session)
    return None if missing_step(request.session, person) else person


def person_of_session(session_key: str) -> Person | None:
    """The same for a bare session key, for traffic beside Django's pages. Watching counts as activity."""
    request: Any = HttpRequest()
    request.session = SessionStore(session_key)
    person = get_user(request)
    if not isinstance(person, Person) or not person.is_active or why_over(request.session):
        return None
    if missing_step(request.session, person):
        return None
    if _note_activity(request.session):
        try:
            request.session.save()
        except UpdateError:
            return None  # signed out in this very moment
    return person


def _note_activity(session: SessionBase) -> bool:
    due = time.time() - session[SEEN_AT] > _NOTE_EVERY_SECONDS
    if due:
        session[SEEN_AT] = time.time()
    return due
