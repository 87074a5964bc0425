from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from structlog.stdlib import ProcessorFormatter

SECRET = "s3cret-of-a-link"
LINKS = [
    (f"/public/confirm/{SECRET}/", "public/confirm/<str:token>/"),
    (f"/share/invitation/{SECRET}/", "share/invitation/<str:token>/"),
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process writes on standard output."""
    (handler,) = [one for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)]
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    # Not setStream: it flushes the former stream, which pytest may have closed since the handler was made.
    before, handler.stream = handler.stream, written
    yield written
    handler.stream = before


@pytest.mark.parametrize(("link", "route"), LINKS)
def test_a_link_posted_to_without_its_cookie_leaves_no_secret_in_the_log(
    log: io.StringIO, link: str, route: str
) -> None:
    assert Client(enforce_csrf_checks=True).post(link).status_code == 403
    assert route in log.getvalue()
    assert '"logger": "django.security.csrf"' in log.getvalue()
    assert SECRET not in log.getvalue()


@pytest.mark.parametrize(("link", "route"), LINKS)
def test_a_link_that_nobody_was_sent_leaves_no_secret_in_the_log(log: io.StringIO, link: str, route: str) -> None:
    for address in (link, f"{link}?again={SECRET}", f"{link}nowhere/{SECRET}é/"):
        assert Client().get(address).status_code in (404, 410)
    assert '"logger": "django.request"' in log.getvalue()
    assert SECRET not in log.getvalue()


def test_the_address_of_the_page_before_is_not_in_the_log_either(log: io.StringIO) -> None:
    client = Client(enforce_csrf_checks=True)
    before = f"https://elsewhere.example/public/confirm/{SECRET}/"
    assert client.post("/public/follow/", secure=True, headers={"Referer": before}).status_code == 403
    assert "the page before" in log.getvalue()
    assert SECRET not in log.getvalue()
