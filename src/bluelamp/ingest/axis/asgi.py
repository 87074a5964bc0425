"""The body-worn systems' entrance: lean routes beside Django's pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bluelamp.ingest.answers import Handler, answering
from bluelamp.ingest.axis import endpoint
from bluelamp.ingest.errors import BodyCutOff, SenderSilent, TooLarge, UploadBusy, UploadGone
from bluelamp.kernel.errors import BluelampError, Busy, Conflict, Invalid, StorageFull

_SPOKEN = {400, 401, 402, 403, 404, 500, 503, 507}
_MEANINGS: tuple[tuple[type[BluelampError], int], ...] = (
    (StorageFull, 507),
    (TooLarge, 400),
    # A body that did not come whole says nothing against the clip.
    (BodyCutOff, 503),
    (SenderSilent, 503),
    (UploadBusy, 503),
    (UploadGone, 503),
    (Busy, 503),
    (Conflict, 503),
    (Invalid, 400),
)
_RETRY_AFTER_SECONDS = {503: "5", 507: "60"}


class Spoken:
    """A handler, for every method there is, that answers in the statuses of the protocol."""

    def __init__(self, handler: Handler) -> None:
        async def translated(request: Request) -> Response:
            try:
                return await handler(request)
            except BluelampError as error:
                error.status = status(error)
                raise

        self._answer = answering(translated)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        if response.status_code in _RETRY_AFTER_SECONDS:
            response.headers.setdefault("Retry-After", _RETRY_AFTER_SECONDS[response.status_code])
        await response(scope, receive, send)


def status(error: BluelampError) -> int:
    """The status by which a body-worn system understands what happened."""
    for kind, code in _MEANINGS:
        if isinstance(error, kind):
            return code
    return error.status if error.status in _SPOKEN else 500


routes: list[BaseRoute] = [
    Route("/auth/v1.0", Spoken(endpoint.token)),
    Route("/v1/{account}", Spoken(endpoint.account)),
    Route("/v1/{account}/", Spoken(endpoint.account)),
    Route("/v1/{account}/{container}", Spoken(endpoint.container)),
    Route("/v1/{account}/{container}/{object:path}", Spoken(endpoint.thing)),
]
"""Mounted with intake's other routes."""
