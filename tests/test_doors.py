"""No page without a door: every view says whether it is for everybody or for people who signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, address)
        else:
            yield address, pattern


def _all() -> list[tuple[str, Callable[..., Any]]]:
    return [(address, pattern.callback) for address, pattern in _patterns(get_resolver())]


def _door(view: Callable[..., Any]) -> str:
    if getattr(view, "is_public", False):
        return "public"
    return "signed in" if getattr(view, "needs_sign_in", False) else ""


def test_every_page_is_either_public_or_behind_sign_in() -> None:
    doorless = [f"{address} ({view.__module__}.{view.__name__})" for address, view in _all() if not _door(view)]
    assert not doorless, "neither @signed_in nor @public: " + ", ".join(doorless)


def test_no_page_is_both() -> None:
    both = [
        address
        for address, view in _all()
        if getattr(view, "is_public", False) and getattr(view, "needs_sign_in", False)
    ]
    assert not both


def test_what_comes_from_other_packages_is_a_short_known_list() -> None:
    """A library's view must not come in by including the library's whole list of URLs."""
    foreign = {address for address, view in _all() if not view.__module__.startswith("bluelamp")}
    assert foreign == {
        "account/logout/",
        "account/inactive/",
        "account/2fa/",
        "account/2fa/recovery-codes/",
    }


@pytest.mark.django_db
def test_every_page_behind_sign_in_sends_a_stranger_to_it() -> None:
    client = Client()
    examples = {"int": "1", "str": "x", "slug": "x", "uuid": "00000000-0000-7000-8000-000000000000", "path": "x"}
    for address, view in _all():
        if _door(view) != "signed in" or "(?P" in address:
            continue
        concrete = "/" + _fill(address, examples)
        for method in (client.get, client.post):
            response = method(concrete)
            if response.status_code == 405:
                continue
            assert response.status_code == 302, f"{concrete}: {response.status_code}"
            assert response["Location"].startswith("/account/login/"), concrete


def test_the_errors_have_designed_pages() -> None:
    urls = import_module(settings.ROOT_URLCONF)
    for name in ("handler400", "handler403", "handler404", "handler500"):
        assert getattr(urls, name).startswith("bluelamp.web.errors.")


def _fill(address: str, examples: dict[str, str]) -> str:
    import re

    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: examples[found.group(1) or "str"], address)
