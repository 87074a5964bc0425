"""How django-allauth behaves here: the force makes accounts, failures are counted by axes, secrets are sealed."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.http import HttpRequest

from bluelamp.people import second_factor, services
from bluelamp.people.models import Person

_MESSAGES = {
    "account/messages/password_changed.txt": "Your password is changed. Other sessions of yours have ended.",
    "mfa/messages/totp_activated.txt": "Your authenticator app is set up.",
    "mfa/messages/recovery_codes_generated.txt": "New recovery codes are ready. The former ones no longer work.",
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed: a person's account is made by the force."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "That username and password do not belong together. Check both and try again.",
        "incorrect_password": "That is not your password.",
        "enter_current_password": "That is not your present password.",
        "too_many_login_attempts": "Too many attempts in a short time. Wait five minutes, then try again.",
        "rate_limited": "Too many attempts in a short time. Wait a minute, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: axes counts failures, in the database and so for all processes, and says more than "try later"."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        # One spelling of a username, so that another one does not open a fresh count of failures.
        if "username" in credentials:
            credentials["username"] = credentials["username"].strip().lower()
        return super().authenticate(request, **credentials)

    def set_password(self, user: Any, password: str) -> None:
        services.set_own_password(user, password)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Signing in counts as well as confirming the password: nobody is asked twice within a few minutes."""
        request = context.request
        records = get_authentication_records(request, request.user)
        fresh = bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT
        return not fresh and super().is_reauthentication_required(app=app, **kwargs)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        message: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Our words for what matters; nothing for the rest, such as that one has signed in."""
        text = message or _MESSAGES.get(message_template or "")
        if text:
            messages.add_message(request, level, text)


class MFAAdapter(DefaultMFAAdapter):
    """One-time passwords as allauth makes them, their secrets sealed."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code is not right, or was used already. Wait for the next one and try again.",
    }

    def encrypt(self, text: str) -> str:
        return second_factor.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return second_factor.unseal(encrypted_text)

    def get_totp_label(self, user: Any) -> str:
        return user.username if isinstance(user, Person) else str(user)
