from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory

from bluelamp.web.middleware import SecurityHeadersMiddleware


def answered() -> Any:
    return SecurityHeadersMiddleware(lambda request: HttpResponse())(RequestFactory().get("/"))


def test_behind_tls_a_browser_is_told_never_to_come_back_without_it(settings: Any) -> None:
    settings.BEHIND_TLS = True
    assert answered()["Strict-Transport-Security"] == "max-age=31536000"


def test_without_tls_nothing_is_said_about_it(settings: Any) -> None:
    settings.BEHIND_TLS = False
    assert not answered().has_header("Strict-Transport-Security")
