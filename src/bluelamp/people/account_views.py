"""allauth's sign-in pages, with what is added here: every failure counts, a code is good once, no step is optional."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ReauthenticateForm as AllauthPasswordAgainForm
from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import views as mfa
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt, is_mfa_enabled
from axes.handlers.proxy import AxesProxyHandler
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from bluelamp.kernel import transaction
from bluelamp.people import services, sessions
from bluelamp.people.models import Person

_LONGEST_USERNAME = 150


class LoginForm(AllauthLoginForm):
    """allauth's form; a username longer than any account's is refused before it is counted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, {"login": "Username", "password": "Password"})

    def clean_login(self) -> str:
        login = super().clean_login()
        if len(login) > _LONGEST_USERNAME:
            raise ValidationError("A username is shorter than that. Type only your username here.")
        return login


class _GuardedCode:
    """For forms that ask for a code: closed during a lock-out, and each time step's code is good once."""

    user: Person
    authenticator: Authenticator

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, {"code": "Code"})
        self.fields["code"].widget.attrs["inputmode"] = "numeric"

    def clean_code(self) -> str:
        _stop_if_locked_out(self.user)
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP and not _claim(self.authenticator, code):
            self._emit_authentication_failed(self.authenticator)
            raise _adapter_error("incorrect_code")
        return code


class AuthenticateForm(_GuardedCode, AllauthAuthenticateForm):
    """The code at sign-in."""


class ReauthenticateForm(_GuardedCode, AllauthReauthenticateForm):
    """The code asked for again before something delicate."""


class PasswordAgainForm(AllauthPasswordAgainForm):
    """The password asked for again before something delicate."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, {"password": "Password"})


class ChangePasswordForm(AllauthChangePasswordForm):
    """The rules for a password stand on the page, in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(
            self,
            {"oldpassword": "Present password", "password1": "New password", "password2": "New password again"},
        )


class ActivateForm(AllauthActivateForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, {"code": "Code"})
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class Login(account.LoginView):
    form_class = LoginForm


class Authenticate(mfa.AuthenticateView):
    form_class = AuthenticateForm


class Reauthenticate(mfa.ReauthenticateView):
    form_class = ReauthenticateForm


class PasswordAgain(account.ReauthenticateView):
    form_class = PasswordAgainForm


class ChangePassword(account.PasswordChangeView):
    """Where a temporary password is replaced by one's own."""

    form_class = ChangePasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "temporary": _person(self.request).password_is_temporary}

    def get_default_success_url(self) -> str:
        return reverse("home")


class ActivateTOTP(totp.ActivateTOTPView):
    """The authenticator app is set up once, and then replaced only by way of the body-worn video manager."""

    form_class = ActivateForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        person = _person(request)
        if person.password_is_temporary:
            return redirect("account_change_password")
        if is_mfa_enabled(person, [Authenticator.Type.TOTP]):
            return redirect("mfa_index" if request.session.get(sessions.SECOND_FACTOR) else "account_logout")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        person = _person(self.request)
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            services.note_second_factor(person)
        _claim(Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP), form.cleaned_data["code"])
        sessions.second_factor_given(self.request.session)
        return response

    def get_success_url(self) -> str:
        return reverse("mfa_view_recovery_codes")


class GenerateRecoveryCodes(recovery_codes.GenerateRecoveryCodesView):
    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            services.note_recovery_codes(_person(self.request))
        return response


def _dress(form: Any, labels: dict[str, str]) -> None:
    """Our labels, and neither placeholders nor hints, which the pages give in their own words."""
    for name, label in labels.items():
        field = form.fields[name]
        field.label, field.help_text = label, ""
        field.widget.attrs.pop("placeholder", None)


def _stop_if_locked_out(person: Person) -> None:
    credentials = {"username": person.username}
    if not AxesProxyHandler.is_allowed(context.request, credentials):
        context.request.axes_locked_out = True
        context.request.axes_credentials = credentials
        raise _adapter_error("incorrect_code")


def _claim(authenticator: Authenticator, code: str) -> bool:
    secret = decrypt(authenticator.data["secret"])
    for counter in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            return services.claim_code(authenticator, counter)
    return False


def _adapter_error(key: str) -> ValidationError:
    return get_adapter().validation_error(key)


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # the door in front of every caller lets nobody else in
    return request.user
