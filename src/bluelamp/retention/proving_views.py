"""On a deletion certificate's page: is anything left of the recording, and where does the ledger prove its going?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST
from markupsafe import Markup

from bluelamp.custody import queries as custody
from bluelamp.custody import words
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.retention import queries, services
from bluelamp.retention.events import GoneProven, RecordingErased
from bluelamp.retention.panels import ReadableCertificate


@require_POST
@access.signed_in
def search(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """Search for what could be left, record it, and go back to the certificate, which shows it."""
    access.require(request, Action.VIEW_POLICY)
    found = queries.certificate(certificate_id)
    result = services.prove_gone(found.recording, actor=access.request_actor(request).custody_id)
    if result.gone:
        messages.success(request, "Searched everywhere. Nothing is left but what the tombstone keeps.")
    return HttpResponseRedirect(reverse("retention:certificate", args=[found.pk]) + "#search")


def panel(request: HttpRequest, certificate: ReadableCertificate, **_: object) -> Markup:
    """The last search, the button for another, and the way to the ledger's proof."""
    subject = f"recording:{certificate.body['recording_id']}"
    last = next(iter(custody.search(tag=GoneProven.tag, subject=subject, limit=1)), None)
    by = words.name(last.actor) if last else ""
    context: dict[str, Any] = {"certificate": certificate, "last": last, "by": by, "erased": None}
    if access.allows(request, Action.VIEW_AUDIT):
        context["erased"] = next(iter(custody.search(tag=RecordingErased.tag, subject=subject, limit=1)), None)
    return Markup(render_to_string("retention/search.html", context, request))  # noqa: S704  # a template escaped it
