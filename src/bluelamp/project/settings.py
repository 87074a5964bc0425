"""Django's settings. What an operator may set is in `configuration.py`; the rest is decided here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from bluelamp.project import configuration

BLUELAMP = configuration.load()
SECRET_KEY = configuration.secret_key(BLUELAMP)

DEBUG = False
_host = urlsplit(BLUELAMP.base_url).hostname or "localhost"
ALLOWED_HOSTS = [_host, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [BLUELAMP.base_url]
BEHIND_TLS = BLUELAMP.base_url.startswith("https://")

INSTALLED_APPS = [
    "bluelamp.kernel",
    "bluelamp.web",
    "bluelamp.custody",
    "bluelamp.people",
    "bluelamp.vault",
    "bluelamp.fleet",
    "bluelamp.footage",
    "bluelamp.retention",
    "bluelamp.ingest",
    "bluelamp.cases",
    "bluelamp.redaction",
    "bluelamp.sharing",
    "bluelamp.rights",
    "bluelamp.oversight",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    # Django pads what it compresses by a random length and masks its CSRF token anew each time (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "bluelamp.web.middleware.RequestMiddleware",
    "bluelamp.web.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "bluelamp.web.middleware.ErrorMiddleware",
]

ROOT_URLCONF = "bluelamp.project.urls"
WSGI_APPLICATION = "bluelamp.project.wsgi.application"

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {
            "environment": "bluelamp.web.environment.environment",
            "context_processors": _CONTEXT_PROCESSORS,
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                *_CONTEXT_PROCESSORS,
                "django.contrib.auth.context_processors.auth",
            ]
        },
    },
]


def database(url: str) -> dict[str, Any]:
    """Django's form of a libpq URL or connection string."""
    parts = conninfo_to_dict(url) if url else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "bluelamp"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": parts,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": database(BLUELAMP.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "bluelamp.people.adapters.AccountAdapter"
MFA_ADAPTER = "bluelamp.people.adapters.MFAAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# Guessing at one account is stopped by django-axes. This bounds what trying ever new usernames costs, and lets a shift
# sign in from one address.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Bluelamp"
MFA_TOTP_TOLERANCE = 1  # a code typed at the turn of the half minute

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "bluelamp.people.lockout.locked_out"
AXES_VERBOSE = False

SESSION_ENGINE = "bluelamp.people.session_store"
SESSION_COOKIE_NAME = "__Host-bluelamp" if BEHIND_TLS else "bluelamp"
SESSION_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600  # a shift
SESSION_IDLE_MINUTES = BLUELAMP.session_idle_minutes
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-bluelamp-csrf" if BEHIND_TLS else "bluelamp-csrf"
CSRF_COOKIE_SECURE = BEHIND_TLS
CSRF_FAILURE_VIEW = "bluelamp.web.errors.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []  # no page takes a file, so none is ever written for a stranger

DEFAULT_FROM_EMAIL = BLUELAMP.email_from
EMAIL_FILE_PATH = str(BLUELAMP.data / "mail")
EMAIL_TIMEOUT = 10
if BLUELAMP.email_url.startswith(("smtp://", "smtps://")):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    _mail = configuration.mail_server(BLUELAMP.email_url)
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.host, _mail.port, _mail.user, _mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.tls, _mail.starttls
elif BLUELAMP.email_url == "console":
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
else:
    EMAIL_BACKEND = "bluelamp.project.mail.PrivateFiles"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING_CONFIG = "bluelamp.project.logs.configure"
LOGGING: dict[str, Any] = {"level": BLUELAMP.log_level}
