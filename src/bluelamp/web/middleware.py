"""What happens to every page request: an id and an access-log line, headers that confine the page, errors in words.

Order in MIDDLEWARE: RequestMiddleware and SecurityHeadersMiddleware first (so that every answer passes them),
ErrorMiddleware last (so that it sees what views raise).
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from bluelamp.kernel.errors import BluelampError
from bluelamp.web import errors
from bluelamp.web.routes import route_of

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_YEAR_SECONDS = 365 * 24 * 3600

log = structlog.get_logger("bluelamp.access")


class RequestMiddleware:
    """Gives the request an id (`request.request_id`, header X-Request-ID) and writes one access-log line for it.

    The line names the route, never the path or the query string: both can carry a share's or a form's secret.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Our own id, not the client's: whoever chose the reference could hide one request behind another.
        request.request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)
        started = time.perf_counter()
        response = self._get_response(request)
        response["X-Request-ID"] = request.request_id
        write = log.warning if response.status_code >= 500 else log.info
        write(
            "request",
            method=request.method,
            route=route_of(request),
            status=response.status_code,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            person=_person(request),
        )
        return response


class SecurityHeadersMiddleware:
    """Content security policy with a nonce (`request.csp_nonce`), and the headers that go with it.

    Inline scripts and styles run only with the nonce; `style` and `on...` attributes never do.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce
        response = self._get_response(request)
        response["Content-Security-Policy"] = content_security_policy(nonce)
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        response["Cross-Origin-Opener-Policy"] = "same-origin"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Referrer-Policy"] = "same-origin"
        response["X-Content-Type-Options"] = "nosniff"
        response["X-Frame-Options"] = "DENY"
        if getattr(settings, "BEHIND_TLS", False):
            response["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
        # Pages about footage must not wait in a shared desktop's cache for the next person.
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


class ErrorMiddleware:
    """Turns a BluelampError raised by a view, and Django's empty 405, into the designed answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code == 405 and not getattr(response, "content", b"-"):
            explained = errors.method_not_allowed(request)
            explained["Allow"] = response["Allow"]
            return explained
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, BluelampError):
            return errors.error_response(request, exception)
        return None


def content_security_policy(nonce: str) -> str:
    """The Content-Security-Policy header for one answer."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _person(request: HttpRequest) -> str | None:
    # Only if something else has asked already who it is: logging alone is not worth a query.
    user = getattr(request, "_cached_user", None)
    return str(user.pk) if user is not None and user.pk is not None else None
