"""The partners' portal: a link, a one-time code, and the footage."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.footage import media
from bluelamp.kernel.errors import BluelampError, NotAllowed, NotFound
from bluelamp.kernel.limiter import Limiter
from bluelamp.people import access
from bluelamp.sharing import portal, queries, rules, services
from bluelamp.sharing.forms import CodeForm, EmailForm
from bluelamp.sharing.models import Recipient, Share
from bluelamp.sharing.rules import Standing
from bluelamp.web.errors import wants_json
from bluelamp.web.responses import render

_CODES_A_PEER = 10
"""Codes that may be asked for from one address on the network within ten minutes; an office shares one."""

_askings = tuple(Limiter(window_seconds=600, most=500) for _ in range(_CODES_A_PEER))
_TOO_MANY = "Too many codes were asked for from your network. Wait ten minutes and ask again."


class _Ended(NotAllowed):
    """A share that does not stand was asked for; its page is the portal's own."""

    def __init__(self, share: Share, where: Standing) -> None:
        super().__init__(*services.ended_words(share, where))
        self.share, self.where = share, where


def _in_portal(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refusals as pages of the portal: a recipient has no account to sign in to, and the staff's pages lead nowhere."""

    @wraps(view)
    def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except BluelampError as error:
            if wants_json(request):
                raise
            context: dict[str, Any] = {"error": error, "who": portal.recipient(request), "where": "", "share": None}
            if isinstance(error, _Ended):
                ended_at = queries.ended_at(error.share, error.where)
                context |= {"share": error.share, "where": error.where.value, "ended_at": ended_at}
            return render(request, "sharing/portal/refused.html", context, status=error.status)

    return told


def for_recipients(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only signed-in recipients reach `view`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        who = portal.recipient(request)
        if who is None:
            return redirect("share:sign_in")
        return view(request, who, *args, **kwargs)

    return access.public(never_cache(_in_portal(guarded)))


@access.public
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for an address; whether it is known is not told."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _may_ask(request):
            return _ask_for_code(request, form.cleaned_data["email"], reverse("share:index"))
        form.add_error("email", _TOO_MANY)
        return render(request, "sharing/portal/sign_in.html", {"form": form}, status=429)
    return render(request, "sharing/portal/sign_in.html", {"form": form}, status=422 if form.errors else 200)


@access.public
@never_cache
@require_http_methods(["GET", "POST"])
@_in_portal
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link of an invitation."""
    share = queries.by_token(token)
    if share is None:
        raise NotFound(
            "This link does not work.",
            "It may have been replaced by a newer one.",
            "Use the newest message that you received, or sign in with your e-mail address.",
        )
    where = queries.standing(share)
    if where is not Standing.ACTIVE:
        raise _Ended(share, where)
    watch = reverse("share:watch", args=[share.pk])
    who = portal.recipient(request)
    if who is not None and who.pk == share.recipient_id:
        return redirect(watch)
    context = {"share": share, "address": rules.masked(share.recipient.email), "error": ""}
    if request.method == "POST":
        if _may_ask(request):
            return _ask_for_code(request, share.recipient.email, watch)
        context["error"] = _TOO_MANY
    return render(request, "sharing/portal/invitation.html", context, status=429 if context["error"] else 200)


@access.public
@never_cache
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Enter the one-time code."""
    awaited = portal.awaited(request)
    if awaited is None:
        return redirect("share:sign_in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if awaited.wrong >= rules.WRONG_TRIES_A_CODE:
            form.add_error("code", "Too many wrong codes were entered. Ask for another code.")
        elif who := services.check_code(awaited.ticket, form.cleaned_data["code"]):
            portal.sign_in(request, who)
            return redirect(awaited.then)
        else:
            portal.note_wrong_code(request)
            form.add_error("code", "That code is not right, or no longer works. Ask for a new one if you need to.")
    return render(request, "sharing/portal/code.html", {"form": form}, status=422 if form.errors else 200)


@access.public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    portal.sign_out(request)
    return redirect("share:sign_in")


@for_recipients
@require_GET
def index(request: HttpRequest, who: Recipient) -> HttpResponse:
    shares = [(share, queries.standing(share).value) for share in queries.of_recipient(who.pk)]
    return render(request, "sharing/portal/index.html", {"who": who, "shares": shares})


@for_recipients
@require_http_methods(["GET", "POST"])
def watch(request: HttpRequest, who: Recipient, share_id: UUID) -> HttpResponse:
    """The footage's page; it opens only when the recipient says so, and that is recorded first."""
    share = own_share(request, who, share_id)
    context: dict[str, Any] = {"who": who, "share": share, "recording": share.recording, "source": None}
    if request.method == "POST":
        viewing = services.open_shared(share, session_key=request.session.session_key or "")
        context |= {"source": media.play_url(viewing), "poster": media.url(viewing, "poster")}
    return render(request, "sharing/portal/watch.html", context)


@for_recipients
@require_POST
def download(request: HttpRequest, who: Recipient, share_id: UUID) -> HttpResponse:
    share = own_share(request, who, share_id)
    viewing = services.open_shared(share, session_key=request.session.session_key or "", purpose="download")
    return redirect(media.url(viewing, "download"))


@for_recipients
@require_POST
def acknowledge(request: HttpRequest, who: Recipient, share_id: UUID) -> HttpResponse:
    """Confirm receipt. With JavaScript only that part of the page changes, so that what plays goes on."""
    services.acknowledge(own_share(request, who, share_id))
    if "HX-Request" in request.headers:
        return render(request, "sharing/portal/receipt.html", {"share": own_share(request, who, share_id)})
    return redirect("share:watch", share_id)


def _may_ask(request: HttpRequest) -> bool:
    """Whether this address on the network may cause one more code to be looked for; each puts a job into the queue."""
    peer = request.META.get("REMOTE_ADDR", "")
    return any(asking.admit(peer) is not None for asking in _askings)


def _ask_for_code(request: HttpRequest, email: str, then: str) -> HttpResponse:
    """Have a code sent where the address is known; nothing here differs where it is not, so that nobody can probe."""
    portal.wait_for_code(request, services.ask_for_code(email), then)
    return redirect("share:code")


def own_share(request: HttpRequest, who: Recipient, share_id: UUID) -> Share:
    """The recipient's own share, still standing; every refusal is recorded."""
    share = queries.of_recipient(who.pk).filter(pk=share_id).first()
    if share is None:
        other = Share.objects.filter(pk=share_id).first()
        if other is not None:
            services.record_refusal(who.custody_id, other, "It was shared with somebody else.")
        raise NotFound("There is no such footage among what was shared with you.", "", "Go back to your list.")
    where = queries.standing(share)
    if where is not Standing.ACTIVE:
        services.record_refusal(who.custody_id, share, f"The share is {where.value}.")
        raise _Ended(share, where)
    return share
