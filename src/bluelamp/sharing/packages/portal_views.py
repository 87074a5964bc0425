"""The partners' portal: what was shared, as a package."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.kernel.errors import NotAllowed, NotFound
from bluelamp.sharing.models import Recipient, Share
from bluelamp.sharing.packages import queries, services
from bluelamp.sharing.packages.addresses import download_url
from bluelamp.sharing.packages.models import Package
from bluelamp.sharing.packages.rules import Standing
from bluelamp.sharing.portal_views import for_recipients, own_share
from bluelamp.web.responses import render


@for_recipients
@require_http_methods(["GET", "POST"])
def package(request: HttpRequest, who: Recipient, share_id: UUID) -> HttpResponse:
    """The package of a share: asked for, being made, ready."""
    share = _own(request, who, share_id)
    if request.method == "POST":
        services.make_of_share(share)
        return redirect("share:package", share.pk)
    found = queries.latest_of_share(share)
    where = queries.standing(found) if found is not None else None
    context = {
        "who": who,
        "share": share,
        "package": found,
        "standing": where.value if where else "",
        "words": services.ended_words(where) if where not in (None, Standing.READY) else None,
        "item": found.items.select_related("recording__camera").first() if found else None,
    }
    return render(request, "sharing/packages/portal.html", context)


@for_recipients
@require_GET
def now(request: HttpRequest, who: Recipient, share_id: UUID) -> HttpResponse:
    """How far the package is."""
    found = _package(_own(request, who, share_id))
    if queries.standing(found) is not Standing.MAKING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "sharing/packages/_now.html", {"package": found, "poll": request.path})


@for_recipients
@require_POST
def download(request: HttpRequest, who: Recipient, share_id: UUID) -> HttpResponse:
    """Record that the recipient takes the package, then send it."""
    share = _own(request, who, share_id)
    opened = services.open_download(
        _package(share),
        who=who.custody_id,
        who_name=f"{who.name}, {who.organisation.name}",
        reason=f"Shared by {share.created_by.name}",
        session_key=request.session.session_key or "",
    )
    return redirect(download_url(opened))


def _package(share: Share) -> Package:
    found = queries.latest_of_share(share)
    if found is None:
        raise NotFound("No package was made of this footage.", "", "Go back to the footage and ask for one.")
    return found


def _own(request: HttpRequest, who: Recipient, share_id: UUID) -> Share:
    """The recipient's own share, still standing, with leave to download."""
    share = own_share(request, who, share_id)
    if not share.may_download:
        raise NotAllowed(
            "This footage was shared for watching only.",
            "No package is made of it.",
            f"Ask {share.created_by.name} if you need a copy.",
        )
    return share
