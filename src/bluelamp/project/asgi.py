"""One ASGI application: dock traffic, media bytes and static files are lean routes; everything else is Django.

Django's pages run as WSGI on a pool of threads, which was measured some four times faster than its ASGI handler for a
page with one look-up; the lean routes never pass Django's middleware.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402  the rooms below need Django's settings first
from django.conf import settings  # noqa: E402  after the settings
from starlette.applications import Starlette  # noqa: E402  after the settings
from starlette.routing import Mount  # noqa: E402  after the settings

import bluelamp.project.urls  # noqa: E402, F401  else the first request loads all pages
from bluelamp.footage.asgi import routes as media_routes  # noqa: E402  after the settings
from bluelamp.ingest.asgi import routes as dock_routes  # noqa: E402  after the settings
from bluelamp.oversight.silence import Watch  # noqa: E402  after the settings
from bluelamp.project.wsgi import application as pages  # noqa: E402  after the settings
from bluelamp.sharing.packages.asgi import routes as package_routes  # noqa: E402  after the settings
from bluelamp.web.assets import StaticApp, static_dirs  # noqa: E402  after the settings
from bluelamp.web.bodies import WholeBody  # noqa: E402  after the settings


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    settings.BLUELAMP.staging.mkdir(mode=0o700, parents=True, exist_ok=True)
    watch = Watch()
    watch.start()
    yield
    watch.stop()


_pages: Any = WSGIMiddleware(pages, workers=settings.BLUELAMP.web_threads)

application = Starlette(
    routes=[
        Mount("/static", app=StaticApp(static_dirs())),
        *dock_routes,
        *media_routes,
        *package_routes,
        Mount("/", app=WholeBody(_pages, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)),
    ],
    lifespan=_lifespan,
)
