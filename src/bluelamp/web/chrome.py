"""The frame around every page: whose installation it is, who is signed in, how far a demonstration's clock is ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from bluelamp.kernel import clock


@dataclass(frozen=True)
class Chrome:
    """What `base.html` shows around the content; an empty string means: leave it out."""

    force: str
    person: str
    home: str
    sign_in: str
    sign_out: str
    guide: str
    now: datetime
    demonstration: bool
    clock_ahead: timedelta


def of(request: HttpRequest) -> Chrome:
    """The frame for one request. The person is named by `str(request.user)`."""
    signed_in = request.user.is_authenticated
    return Chrome(
        force=settings.BLUELAMP.force,
        person=str(request.user) if signed_in else "",
        home=_address("home") or "/",
        sign_in="" if signed_in else _address(settings.LOGIN_URL),
        sign_out=_address("account_logout") if signed_in else "",
        guide=_address("guide"),
        now=clock.now(),
        demonstration=settings.BLUELAMP.demonstration,
        clock_ahead=clock.offset(),
    )


def _address(url_name: str) -> str:
    # The same frame serves sites without sign-in or guide, such as the page of components in the tests.
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""
