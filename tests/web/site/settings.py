"""A site of nothing but the web room: every component on one page, and an address for every kind of failure."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

_folder = Path(tempfile.mkdtemp(prefix="bluelamp-web-site-"))

SECRET_KEY = "only for the components' page"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "tests.web.site.urls"
INSTALLED_APPS = [
    "bluelamp.kernel",
    "bluelamp.web",
    "django.contrib.contenttypes",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "bluelamp.web.middleware.RequestMiddleware",
    "bluelamp.web.middleware.SecurityHeadersMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "tests.web.site.person.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "bluelamp.web.middleware.ErrorMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parent / "jinja2"],
        "APP_DIRS": True,
        "OPTIONS": {
            "environment": "bluelamp.web.environment.environment",
            "context_processors": ["django.contrib.messages.context_processors.messages"],
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_folder / "site.sqlite")}}
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CSRF_FAILURE_VIEW = "bluelamp.web.errors.csrf_failure"
LOGIN_URL = "account_login"
STATIC_URL = "/static/"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
BLUELAMP = SimpleNamespace(force="Metropolitan Police Service", demonstration=True)
