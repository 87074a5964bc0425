"""Media bytes over the real route: a committed world and how its tests ask for bytes."""

from __future__ import annotations

import asyncio

import httpx
from django.conf import settings
from django.test import Client
from starlette.applications import Starlette

from bluelamp.custody import queries as ledger
from bluelamp.footage import asgi, media, services
from tests import signin

LONG = bytes(range(256)) * 4096 * 3  # 3 MiB: four sealed segments


def session_of(person) -> str:
    client = Client()
    signin.quickly(client, person)
    return client.session.session_key


def opened(recording, person, session, **more):
    given = {"viewer": person.custody_id, "viewer_name": str(person), "grant": "person", "reason": "", **more}
    return services.open_viewing(recording, session_key=session, **given)


def ask(path, session="", method="GET", **headers):
    async def ask():
        app = httpx.ASGITransport(Starlette(routes=asgi.routes))
        cookies = {settings.SESSION_COOKIE_NAME: session} if session else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=app, base_url="http://localhost", cookies=cookies) as client:
            return await client.request(method, path, headers=named)

    return asyncio.run(ask())


def original(world, **headers):
    return ask(media.url(world.viewing, "original"), world.session, **headers)


def refusals():
    return [item.details["why"] for item in ledger.search(tag="access.refused")]
