"""The docks' entrance: lean routes beside Django's pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bluelamp.ingest import docking_api, openapi
from bluelamp.ingest.answers import Handler, MethodUnknown, answering
from bluelamp.ingest.axis.asgi import routes as axis_routes
from bluelamp.ingest.tus import endpoint
from bluelamp.ingest.tus.headers import VERSION

_TUS = {"Tus-Resumable": VERSION, "Tus-Version": VERSION, "X-Content-Type-Options": "nosniff"}


class _Door:
    """A handler for every method there is: what it does not speak is answered as a problem, too."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(Request(scope, receive, send))
        await response(scope, receive, send)


def _only(methods: str, handler: Handler) -> _Door:
    """`handler`, for the methods named with commas between."""

    async def asked(request: Request) -> Response:
        if request.method not in methods.split(", "):
            raise MethodUnknown(methods)
        return await handler(request)

    return _Door(answering(asked))


async def _described(request: Request) -> Response:
    return JSONResponse(_DOCUMENT, headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"})


_DOCUMENT = openapi.document()
_collection = _Door(answering(endpoint.collection, _TUS))
_resource = _Door(answering(endpoint.resource, _TUS))

routes: list[BaseRoute] = [
    Route(openapi.PATH, _only("GET, HEAD", _described)),
    Route("/api/v1/docking", _only("POST", docking_api.open_session)),
    Route("/api/v1/docking/{session}/receipts/{sequence}", _only("GET, HEAD", docking_api.receipt)),
    Route("/api/v1/docking/{session}/unavailable/{sequence}", _only("POST", docking_api.unavailable)),
    Route("/dock/tus", _collection),
    Route(endpoint.PATH, _collection),
    Route(endpoint.PATH + "{upload}", _resource),
    *axis_routes,
]
"""Mounted before Django by project/asgi.py."""
