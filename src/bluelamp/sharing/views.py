"""Pages for those who share."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.cases import queries as cases
from bluelamp.custody import queries as custody_queries
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import Invalid, NotAllowed, NotFound
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Thing
from bluelamp.sharing import queries, rules, services
from bluelamp.sharing.forms import RevokeForm, ShareForm
from bluelamp.sharing.models import Share
from bluelamp.web.responses import render


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    shares = list(queries.visible_to(access.request_actor(request))[:200])
    listed = {share.recording_id: share.recording for share in shares}
    footage.log_listing(cast(Person, request.user), listed.values(), {"page": "shares"})
    return render(
        request, "sharing/index.html", {"shares": [(share, queries.standing(share).value) for share in shares]}
    )


@access.signed_in
@require_http_methods(["GET", "POST"])
def share_recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    recording = get_object_or_404(Recording, pk=recording_id)
    access.require(request, Action.SHARE, footage_queries.thing(recording))
    case = cases.open_cases_of(recording).filter(members__person=request.user, members__left_at=None).first()
    urn = recording.references.filter(kind="urn").values_list("value", flat=True).first() or (case.urn if case else "")
    form = ShareForm(request.POST or None, initial={"urn": urn})
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        may_download = given.pop("permission") == "download"
        try:
            made = services.share(recording, by=request.user, case=case, may_download=may_download, **given)
        except Invalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Shared. The link is on its way to {made.recipient.name}.")
            return redirect("shares:share", made.pk)
    footage.log_consultation(cast(Person, request.user), recording)
    return render(
        request,
        "sharing/share_recording.html",
        {"form": form, "recording": recording, "case": case},
        status=422 if form.errors else 200,
    )


@access.signed_in
@require_GET
def share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    return _page(request, _visible(request, share_id), RevokeForm())


@access.signed_in
@require_POST
def revoke(request: HttpRequest, share_id: UUID) -> HttpResponse:
    found = _visible(request, share_id)
    access.require(request, Action.REVOKE_SHARE, queries.thing(found))
    form = RevokeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    services.revoke(found, by=request.user, reason=form.cleaned_data["reason"])
    messages.success(request, f"Revoked. {found.recipient.name} can no longer watch it, from this moment on.")
    return redirect("shares:share", found.pk)


@access.signed_in
@require_POST
def send_again(request: HttpRequest, share_id: UUID) -> HttpResponse:
    found = _visible(request, share_id)
    access.require(request, Action.SHARE, footage_queries.thing(found.recording))
    services.send_again(found, by=request.user)
    messages.success(request, f"A new link is on its way to {found.recipient.name}; the earlier one no longer works.")
    return redirect("shares:share", found.pk)


def _page(request: HttpRequest, found: Share, form: RevokeForm, status: int = 200) -> HttpResponse:
    footage.log_listing(cast(Person, request.user), [found.recording], {"page": found.custody_id})
    standing = queries.standing(found)
    ends = standing in (rules.Standing.ACTIVE, rules.Standing.GONE)
    return render(
        request,
        "sharing/share.html",
        {
            "share": found,
            "standing": standing.value,
            "viewings": queries.viewings(found),
            "history": custody_queries.history(found.custody_id),
            "form": form,
            "may_send": standing is rules.Standing.ACTIVE
            and access.allows(request, Action.SHARE, footage_queries.thing(found.recording)),
            "may_revoke": ends and access.allows(request, Action.REVOKE_SHARE, queries.thing(found)),
        },
        status=status,
    )


def _visible(request: HttpRequest, share_id: UUID) -> Share:
    actor = access.request_actor(request)
    found = queries.visible_to(actor).filter(pk=share_id).first()
    if found is not None:
        return found
    if not Share.objects.filter(pk=share_id).exists():
        raise NotFound("There is no such share.", "", "Look for it in your list of shares.")
    why = "You did not make this share and have no role in its case."
    access.refuse(actor, Action.SHARE, Thing(subject=f"share:{share_id}"), request.path, why)
    raise NotAllowed(why, "The attempt was logged, as every refusal is.", "Ask the officer in the case.")
