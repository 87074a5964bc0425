"""Whether this process lives, whether it can serve, and its figures for Prometheus."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bluelamp.people.access import public


@public
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "alive"})


@public
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and the folders for footage are there; else 503 with what is missing."""
    problems = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        problems.append("database")
    if not settings.BLUELAMP.staging.is_dir():
        problems.append("staging")
    body = {"status": "not ready" if problems else "ready", "missing": problems}
    return JsonResponse(body, status=503 if problems else 200)


@public
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format; to this machine only, since figures tell how a force works."""
    if request.META.get("REMOTE_ADDR") not in {"127.0.0.1", "::1", ""}:
        return HttpResponse(status=403)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
