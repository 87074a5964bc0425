"""Signing in, for tests of every room: through Django's test client and through a real browser.

person = factories.person(Role.OFFICER)              # has a second factor, see `second_factor`
signin.quickly(client, person)                       # signed in at once, every step done
signin.through_pages(client, "a.okafor", "…", totp_secret)
signin.in_browser(page, base_url, "a.okafor", "…", totp_secret)
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.utils import decrypt

from bluelamp.people.models import Person

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Page

PASSWORD = "correct horse battery staple"

_used: dict[str, int] = {}


def second_factor(person: Person, secret: str = "") -> str:
    """Set up one-time passwords for `person`, as if in an app. Returns the secret."""
    secret = secret or auth.generate_totp_secret()
    auth.TOTP.activate(person, secret)
    return secret


def secret_of(person: Person) -> str:
    """The secret of a person's authenticator app."""
    return decrypt(Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP).data["secret"])


def code(secret: str) -> str:
    """The code that an authenticator app shows now."""
    return auth.format_hotp_value(auth.hotp_value(secret, _step()))


def fresh_code(secret: str) -> str:
    """A code that this process has not used yet: each is good once, so this may wait for the next half minute."""
    while _used.get(secret, -1) >= _step():
        time.sleep(0.2)
    _used[secret] = _step()
    return code(secret)


def quickly(client: Client, person: Person) -> None:
    """Sign `person` in without the pages. A person without a second factor is left before setting one up."""
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")


def through_pages(client: Client, username: str, password: str, totp_secret: str | None = None) -> Any:
    """Sign in as a browser would. Returns the response to the last form, redirects not followed."""
    from django.core.cache import cache

    cache.clear()  # allauth's limits per address would count all tests as one place
    response = client.post("/account/login/", {"login": username, "password": password})
    if totp_secret and response.status_code == 302:
        assert response["Location"] == "/account/2fa/authenticate/", response["Location"]
        response = client.post(response["Location"], {"code": fresh_code(totp_secret)})
    return response


def in_browser(page: Page, base_url: str, username: str, password: str, totp_secret: str | None = None) -> None:
    """Sign in with a real browser and wait for the page that follows."""
    page.goto(f"{base_url}/account/login/")
    page.get_by_label("Username", exact=True).fill(username)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    if totp_secret:
        page.wait_for_url("**/account/2fa/authenticate/**")
        page.get_by_label("Code", exact=True).fill(fresh_code(totp_secret))
        page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: "/account/login/" not in url and "/2fa/authenticate/" not in url)


def _step() -> int:
    return int(time.time()) // app_settings.TOTP_PERIOD
