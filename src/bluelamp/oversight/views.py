"""The oversight page, and the figures that the public reads."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bluelamp.ingest import missing
from bluelamp.kernel import clock
from bluelamp.oversight import exports, queries, services
from bluelamp.oversight.queries import checks, losses, outside, restored, watched, working
from bluelamp.oversight.rules import Thresholds
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_DISCREPANCIES = 10


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every figure of the force's footage, what is missing, the promises, and for professional standards the alerts."""
    access.require(request, Action.VIEW_OVERSIGHT)
    now = clock.now()
    standing, checks_shown = checks.standing(now)
    context = {
        "figures": queries.figures(),
        "checks": standing,
        "checks_shown": checks_shown,
        "alarms": checks.alarms(),
        "outside": [*outside.witnesses(now), *outside.authorities(now)],
        "failing": watched.failing(),
        "working": working.standing(),
        "told": len(settings.BLUELAMP.alert_email),
        "losses": losses.standing(),
        "restored": restored.last(),
        "fixity_days": settings.BLUELAMP.fixity_days,
        "may_audit": access.allows(request, Action.VIEW_AUDIT),
        "may_see_fleet": access.allows(request, Action.VIEW_FLEET),
        "may_see_requests": access.allows(request, Action.VIEW_REQUESTS),
    }
    if context["may_see_fleet"]:
        context["discrepancies"] = missing.listing()[:_DISCREPANCIES]
    if context["may_audit"]:
        thresholds = Thresholds()
        found, shown = queries.alerts(thresholds)
        # It names people and what they looked at, so reading it is a consultation of the ledger.
        services.note_consultation(actor=access.request_actor(request).custody_id, page="alerts", shown=len(found))
        context |= {"thresholds": thresholds, "alerts": found, "alerts_shown": shown}
    return render(request, "oversight/index.html", context)


@access.signed_in
@require_GET
def findings(request: HttpRequest) -> HttpResponse:
    """Every finding there ever was, mended or not, as a file: the exact list of what was lost and what came back."""
    access.require(request, Action.VIEW_OVERSIGHT)
    found = checks.alarms(None, ended=True)
    services.note_consultation(actor=access.request_actor(request).custody_id, page="findings", shown=len(found))
    content = exports.findings(found, with_names=access.allows(request, Action.VIEW_AUDIT))
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="findings-{clock.now():%Y%m%dT%H%M%SZ}.csv"'
    return response


@access.public
@require_GET
def public_figures(request: HttpRequest) -> HttpResponse:
    """What anybody may know: rounded, and nothing told of fewer than five."""
    return render(request, "oversight/public_figures.html", {"figures": queries.public_figures()})
