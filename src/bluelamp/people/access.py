"""The policy at the door of every view: who asks, may they, and a custody event where they may not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from bluelamp import custody
from bluelamp.kernel.errors import NotAllowed, NotSignedIn
from bluelamp.people import sessions
from bluelamp.people.events import AccessRefused
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Actor, Decision, Role, Thing, may
from bluelamp.people.queries import unit_and_below

ANYBODY = Actor(id=None)

_OVER = {
    "idle": "You were signed out because nothing happened for a while. Sign in again to go on.",
    "too long": "You were signed out at the end of a shift's length. Sign in again to go on.",
}


def actor(person: Any) -> Actor:
    """The policy's view of a signed-in person; of anybody else, the public."""
    if not isinstance(person, Person) or not person.is_active:
        return ANYBODY
    return Actor(
        id=person.pk,
        roles=frozenset(Role(role) for role in person.roles),
        units=unit_and_below(person.unit_id),
        name=person.name,
    )


def request_actor(request: HttpRequest) -> Actor:
    """The actor of a request, worked out once; the public while a sign-in is not complete, or when it has run out."""
    found = getattr(request, "bluelamp_actor", None)
    if found is None:
        found = actor(sessions.person_of(request))
        request.bluelamp_actor = found
    return found


def allows(request: HttpRequest, action: Action, thing: Thing | None = None) -> bool:
    """Whether to show a link or button; says nothing to the ledger."""
    return may(request_actor(request), action, thing).allowed


def require(request: HttpRequest, action: Action, thing: Thing | None = None) -> Decision:
    """The policy's decision where it allows; raises NotAllowed, and records the refusal, where it does not."""
    who = request_actor(request)
    decision = may(who, action, thing)
    if decision.allowed:
        return decision
    refuse(who, action, thing, request.path, decision.why)
    if who.id is None:
        raise NotSignedIn("You are not signed in.", "Nothing was changed.", "Sign in and try again.")
    raise NotAllowed(
        decision.why,
        "Nothing was changed. The attempt was logged, as every refusal is.",
        "If you need this for your duties, ask your supervisor or the body-worn video manager.",
    )


@custody.service
def refuse(who: Actor, action: Action, thing: Thing | None, path: str, why: str) -> None:
    """Record that `who` was refused `action`."""
    custody.record(
        AccessRefused(
            actor=who.custody_id,
            subject=thing.subject if thing else "system:bluelamp",
            action=action.value,
            path=path[:300],
            why=why,
        )
    )


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let only signed-in people reach `view`; others go to the sign-in page and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request_actor(request).id is None:
            return _to_sign_in(request)
        return view(request, *args, **kwargs)

    guarded.needs_sign_in = True  # read by the test that walks all URLs
    return guarded


def signing_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let people reach `view` who gave a password, even if a step is missing: it is where that step is done."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request_actor(request)
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        return view(request, *args, **kwargs)

    guarded.needs_sign_in = True  # read by the test that walks all URLs
    return guarded


def public(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Declare that `view` is meant for everybody."""
    view.is_public = True  # read by the test that walks all URLs
    return view


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    over = getattr(request, "session_over", "")
    if over:
        messages.info(request, _OVER[over])
    if isinstance(request.user, Person):
        response: HttpResponseBase = redirect(sessions.missing_step(request.session, request.user))
    else:
        response = redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
    if "HX-Request" in request.headers:
        # A fragment must not be replaced by a whole sign-in page: the browser goes there instead.
        return HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response
