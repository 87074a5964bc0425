"""The sign-in pages: those of allauth that this force uses, under allauth's names; the rest does not exist here."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from django.urls import path

from bluelamp.people import account_views as views
from bluelamp.people.access import public, signed_in, signing_in

urlpatterns = [
    path("login/", public(views.Login.as_view()), name="account_login"),
    path("logout/", public(account.logout), name="account_logout"),
    path("inactive/", public(account.account_inactive), name="account_inactive"),
    path("password/", signing_in(views.ChangePassword.as_view()), name="account_change_password"),
    path("reauthenticate/", signing_in(views.PasswordAgain.as_view()), name="account_reauthenticate"),
    path("2fa/", signed_in(mfa.index), name="mfa_index"),
    path("2fa/authenticate/", public(views.Authenticate.as_view()), name="mfa_authenticate"),
    path("2fa/reauthenticate/", signed_in(views.Reauthenticate.as_view()), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", signing_in(views.ActivateTOTP.as_view()), name="mfa_activate_totp"),
    path("2fa/recovery-codes/", signed_in(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        signed_in(views.GenerateRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
]
