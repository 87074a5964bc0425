"""An error becomes a page, a fragment of one, or a problem document (RFC 9457), whichever the asker understands.

Refusals are recorded in the ledger where the policy decides (`people.access`), not here.
"""

from __future__ import annotations

import json
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from bluelamp.kernel.errors import BluelampError, NotAllowed, NotFound, NotSignedIn

PROBLEM_JSON = "application/problem+json"
_API_PATHS = ("/api/", "/dock/")
_RETRY_SECONDS = {429: 60, 503: 10, 507: 300}
_EXPLAINED = {
    NotSignedIn: "Bluelamp shows footage only to people whom it knows, so that every view has a name to it.",
    NotAllowed: "Who may see and do what follows from your role, your unit and the cases that you work on. "
    "Refusals are recorded, like every look at footage.",
}


class ServerFault(BluelampError):
    """Our own mistake. The page gives the reference under which the log has the details."""

    title = "Sorry, something went wrong"
    status = 500


class BadRequest(BluelampError):
    """The request makes no sense to the server."""

    title = "That request could not be understood"
    status = 400


class MethodNotAllowed(BluelampError):
    """The address exists but is not used like this."""

    title = "This address does not work that way"
    status = 405


class FormExpired(BluelampError):
    """The token that proves that a form came from our page is missing or old."""

    title = "This form is no longer valid"
    status = 403


def error_response(request: HttpRequest, error: BluelampError) -> HttpResponse:
    """The answer for `error`: a problem document for programs, a fragment for htmx, else the designed page."""
    if wants_json(request):
        problem = {**error.problem(), "instance": f"urn:uuid:{uuid.UUID(hex=_reference(request))}"}
        response = HttpResponse(json.dumps(problem), status=error.status, content_type=PROBLEM_JSON)
    else:
        partial = "HX-Request" in request.headers
        context = {
            "error": error,
            "explanation": next((text for kind, text in _EXPLAINED.items() if isinstance(error, kind)), ""),
            # The frame asks the database who is signed in: a fault of the database must still find a page, and
            # a request refused by its host name was never asked who sent it.
            "bare": error.status >= 500 or not hasattr(request, "user"),
            "reference": _reference(request),
            "sign_in": _sign_in_url(request) if error.status == 401 else "",
            "retry_after": _RETRY_SECONDS.get(error.status),
        }
        template = "web/error_fragment.html" if partial else "web/error.html"
        response = HttpResponse(render_to_string(template, context, request), status=error.status)
    if error.status in _RETRY_SECONDS:
        response["Retry-After"] = str(_RETRY_SECONDS[error.status])
    response["Vary"] = "Accept, HX-Request"
    return response


def wants_json(request: HttpRequest) -> bool:
    """Whether the asker is a program: by the address, or because it prefers JSON to HTML."""
    if request.path.startswith(_API_PATHS):
        return True
    return request.get_preferred_type(["text/html", PROBLEM_JSON, "application/json"]) in (
        PROBLEM_JSON,
        "application/json",
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    return error_response(
        request,
        BadRequest(
            "What the browser sent was incomplete or malformed.",
            "Nothing was changed and no footage is affected.",
            "Go back and try again. If you typed or pasted the address, check it.",
        ),
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403, for refusals by libraries; our own policy raises NotAllowed with its reasons."""
    return error_response(
        request,
        NotAllowed(
            "Your account does not have access to this.",
            "Nothing was changed and no footage is affected.",
            "If you need it for your work, ask your supervisor or the body-worn video manager.",
        ),
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return error_response(
        request,
        NotFound(
            "There is no page at this address.",
            "That says nothing about footage: recordings are found by searching, not by their address.",
            "Check the address, or start from the home page.",
        ),
    )


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """The page for a 405, which Django itself answers with an empty one."""
    return error_response(
        request,
        MethodNotAllowed(
            "This address takes a form's answers; it is not a page to open.",
            "Nothing was changed and no footage is affected.",
            "Go back to the page with the form and use its button.",
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return error_response(
        request,
        ServerFault(
            "Bluelamp met a fault that it did not expect.",
            "The footage is safe. A change is saved whole or not at all, "
            "so what you were doing was either completed or did not happen.",
            "Look at the page that you came from before you repeat a change. "
            "If this happens again, give the reference below to your service desk.",
        ),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return error_response(
        request,
        FormExpired(
            "The form was open for too long, or your browser blocks this site's cookies.",
            "Nothing was changed and no footage is affected.",
            "Go back, reload the page and send the form again.",
        ),
    )


def _reference(request: HttpRequest) -> str:
    reference: str = request.request_id
    return reference


def _sign_in_url(request: HttpRequest) -> str:
    try:
        return f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}"
    except NoReverseMatch:
        return ""
