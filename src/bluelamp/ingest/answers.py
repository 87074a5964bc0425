"""Answers of the dock routes: problems as problem+json (RFC 9457), also to a sender that is still sending."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from django.db import InterfaceError, InternalError, OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bluelamp.fleet import queries as fleet
from bluelamp.fleet.models import Dock
from bluelamp.ingest import services
from bluelamp.ingest.errors import DockUnknown, TooManyUploads, UploadBusy
from bluelamp.ingest.threads import in_database
from bluelamp.kernel.errors import BluelampError, Busy, StorageFull

log = structlog.get_logger()

Handler = Callable[[Request], Awaitable[Response]]


class MethodUnknown(BluelampError):
    """An address that is asked for with a method that it does not have."""

    title = "That method is not spoken here"
    status = 405

    def __init__(self, allow: str) -> None:
        super().__init__(
            f"This address is asked for with one of {allow}.", "Nothing was taken.", "This is a fault of the sender."
        )
        self.allow = allow


_DRAINED_BYTES = 64 * 1024 * 1024
_DRAINED_SECONDS = 2.0
_LONGEST_TOKEN = 200


_HEADERS: dict[type[BluelampError], dict[str, str]] = {
    DockUnknown: {"WWW-Authenticate": 'Bearer realm="docks"'},
    UploadBusy: {"Retry-After": "2"},
    StorageFull: {"Retry-After": "60"},
}


class Problem(JSONResponse):
    """An error as problem+json.

    A sender in the midst of its body reads nothing until it is through, and a connection closed on unread bytes would
    destroy the answer on its way; so after the answer some of the body is read and dropped.
    """

    media_type = "application/problem+json"

    def __init__(self, error: BluelampError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error.problem(), error.status, {"Cache-Control": "no-store", **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"POST", "PATCH", "PUT"} or scope.get("bluelamp.body_read"):
            await super().__call__(scope, receive, send)
            return
        head = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": head})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if not any(name == b"expect" for name, _ in scope["headers"]):
            await _drain(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(error: BluelampError) -> dict[str, str] | None:
    if isinstance(error, TooManyUploads):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, MethodUnknown):
        return {"Allow": error.allow}
    return _HEADERS.get(type(error))


def answering(handler: Handler, headers: Mapping[str, str] | None = None) -> Handler:
    """Turn what `handler` raises into a problem, and add `headers` to every answer."""

    async def answer(request: Request) -> Response:
        try:
            response = await handler(request)
        except BluelampError as error:
            response = Problem(error, _headers(error))
        except (OperationalError, InterfaceError, InternalError):  # any other is a fault of ours, not the database's
            log.exception("dock.database_failed", path=request.url.path)
            response = Problem(
                Busy(
                    "The server's database does not answer.",
                    "What was acknowledged is safe; the camera keeps its copy of everything else.",
                    "Try again in a moment.",
                ),
                {"Retry-After": "5"},
            )
        except Exception:
            log.exception("dock.failed", path=request.url.path)
            response = Problem(
                BluelampError(
                    "The server failed in a way it should not.",
                    "What was acknowledged is safe; the camera keeps its copy of everything else.",
                    "Try again; if it stays, the operator finds the cause in the server's log.",
                )
            )
        response.headers.update(headers or {})
        return response

    return answer


async def authenticated(request: Request) -> Dock:
    """The dock whose token the request bears. Raises DockUnknown, and records the attempt."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_TOKEN:
        dock = await in_database(fleet.authenticate_dock, token)
        if dock is not None:
            return dock
        why = "The token is wrong or revoked."
    else:
        why = "There is no bearer token."
    peer = request.client.host if request.client else "unknown"
    await in_database(services.refuse_dock, peer, shown_path(request), why)
    raise DockUnknown


def shown_path(request: Request) -> str:
    """The request's path as it can be written down: the ledger takes no NUL, and nobody could read it there."""
    return request.url.path.encode("unicode_escape").decode("ascii")


async def _drain(receive: Receive) -> None:
    drained = 0
    try:
        async with asyncio.timeout(_DRAINED_SECONDS):
            while drained < _DRAINED_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
