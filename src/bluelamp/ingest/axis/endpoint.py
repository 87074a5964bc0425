"""The requests of the protocol: which of them there are, and what each answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bluelamp.ingest.answers import shown_path
from bluelamp.ingest.axis import documents, naming, queries, services, tokens
from bluelamp.ingest.axis import metadata as meta
from bluelamp.ingest.axis.errors import Absent, CredentialsRefused, Forbidden, NotSpoken, TryAgain, Unstorable
from bluelamp.ingest.axis.reception import receive_clip, require_unchanged
from bluelamp.ingest.axis.services.containers import UnknownDevice, UnknownUser
from bluelamp.ingest.models import AxisConnection, AxisContainer
from bluelamp.ingest.threads import in_database

_MOST_SMALL = {"key": 64 * 1024, "bookmark": 256 * 1024, "track": 32 * 1024 * 1024, "other": 256 * 1024}
_BODY_SECONDS = 60.0
_NOT_PERMITTED = {"DELETE", "COPY"}


async def token(request: Request) -> Response:
    """GET /auth/v1.0: a token for the right user and key."""
    if request.method != "GET":
        raise NotSpoken("A token is fetched with GET.")
    user, key = request.headers.get("x-auth-user", ""), request.headers.get("x-auth-key", "")
    if not user or not key:
        await _refuse(request, "User or key is missing.")
    connection = await in_database(queries.connection_named, user[:64])
    if not tokens.is_key(connection, key) or connection is None:
        await _refuse(request, "User or key is wrong.")
    assert connection is not None
    await in_database(services.seen, connection)
    return Response(
        status_code=200,
        headers={
            "X-Auth-Token": tokens.issue(connection),
            "X-Storage-Url": storage_url(request, connection),
            "X-Auth-Token-Expires": str(int(tokens.GOOD_FOR.total_seconds())),
            "Cache-Control": "no-store",
        },
    )


async def account(request: Request) -> Response:
    """/v1/{account}: nothing is listed."""
    await _holder(request)
    if request.method == "HEAD":
        return Response(status_code=204)
    if request.method == "GET":
        raise Forbidden("Nothing is listed here.")
    raise _not_spoken(request)


async def container(request: Request) -> Response:
    """/v1/{account}/{container}: made, told about, looked up."""
    connection = await _holder(request)
    name = _named(request, "container", naming.LONGEST_NAME)
    said = meta.read(request.headers.raw, meta.CONTAINER)
    if request.method == "PUT":
        new = await _known(connection, services.put_container, connection, name, said)
        return Response(status_code=201 if new else 202)
    if request.method == "POST":
        await _known(connection, services.post_container, connection, name, said)
        return Response(status_code=204)
    if request.method == "HEAD":
        found = await in_database(queries.container, connection, name)
        if found is None:
            raise Absent("There is no such container.")
        return Response(status_code=204, headers=meta.as_headers(found.metadata, "X-Container-Meta-"))
    if request.method == "GET":
        raise Forbidden("Nothing is listed here.")
    raise _not_spoken(request)


async def thing(request: Request) -> Response:
    """/v1/{account}/{container}/{object}: stored, told about, looked up; read only where it is the system's own."""
    if not request.path_params["object"]:
        return await container(request)  # a slash after a container's name names no object
    connection = await _holder(request)
    container_name = _named(request, "container", naming.LONGEST_NAME)
    name = _named(request, "object", naming.LONGEST_OBJECT)
    if request.method == "PUT":
        return await _put(request, connection, container_name, name)
    if request.method == "POST":
        said = meta.read(request.headers.raw, meta.OBJECT)
        await in_database(services.post_object, connection, container_name, name, said)
        return Response(status_code=202)
    if request.method == "HEAD":
        return await _head(connection, container_name, name)
    if request.method == "GET":
        return await _get(connection, container_name, name)
    raise _not_spoken(request)


def storage_url(request: Request, connection: AxisConnection) -> str:
    """Where the connection's containers are, by the name under which the system called the server."""
    base = request.base_url
    if settings.BLUELAMP.base_url.startswith("https:"):
        # Behind a proxy that ends TLS: a token must never follow an address without it.
        base = base.replace(scheme="https")
    return f"{str(base).rstrip('/')}/v1/{connection.user}"


async def _put(request: Request, connection: AxisConnection, container_name: str, name: str) -> Response:
    said = meta.read(request.headers.raw, meta.OBJECT)
    found = await in_database(queries.container, connection, container_name)
    if found is None:
        raise Absent("There is no such container.")
    length = _content_length(request)
    if found.kind not in (AxisContainer.Kind.RECORDING, AxisContainer.Kind.REJECTED):
        content = await _small_body(request, "other")
        md5 = await in_database(services.put_announcement, connection, container_name, name, said, content)
        return _stored(md5)
    kind = naming.object_kind(name, said)
    if kind == "other" and found.kind == AxisContainer.Kind.RECORDING:
        raise Unstorable(f"{name[-80:]!a} is no clip, key, bookmark or track.")
    # Rejected content is never refused: what it is made of is kept as it came, unless there is nothing of it.
    if kind == "clip" or (kind == "other" and length != 0):
        if length == 0 and found.kind == AxisContainer.Kind.RECORDING:
            raise Unstorable("The clip is empty.")
        if length != 0:
            return _stored(await _known(connection, receive_clip, request, connection, found, name, said, length))
    content = await _small_body(request, kind)
    return _stored(await in_database(services.put_side, connection, container_name, name, said, content))


async def _get(connection: AxisConnection, container_name: str, name: str) -> Response:
    if container_name != naming.SYSTEM:
        raise Forbidden("What was stored is not handed out here.")
    found = await in_database(documents.document, name)
    if found is not None:
        return Response(found.body, media_type="application/json", headers={"Etag": found.md5})
    return await _head(connection, container_name, name)


async def _head(connection: AxisConnection, container_name: str, name: str) -> Response:
    if container_name == naming.SYSTEM:
        known = await in_database(documents.document, name)
        if known is not None:
            return Response(
                headers={"Etag": known.md5, "Content-Length": str(len(known.body))}, media_type="application/json"
            )
    item = await in_database(queries.head, connection, container_name, name)
    if item is None:
        raise Absent("There is no such object.")
    small = item.container.kind == AxisContainer.Kind.SYSTEM
    headers = {
        "Etag": item.md5,
        # A GET of the system's own object has no body; of any other there is no GET.
        "Content-Length": "0" if small else str(item.size),
        **meta.as_headers(item.metadata, "X-Object-Meta-"),
    }
    return Response(status_code=200, headers=headers)


async def _holder(request: Request) -> AxisConnection:
    """The system that holds the token. Raises CredentialsRefused (recorded), Forbidden for another's account."""
    given = request.headers.get("x-auth-token", "")
    connection = await in_database(tokens.holder, given) if given else None
    if connection is None:
        await _refuse(request, "The token is wrong or out of date." if given else "There is no token.")
    assert connection is not None
    if request.path_params["account"] != connection.user:
        raise Forbidden("That is not this system's account.")
    return connection


async def _refuse(request: Request, why: str) -> None:
    peer = request.client.host if request.client else "unknown"
    await in_database(services.refuse_credentials, peer, shown_path(request), why)
    raise CredentialsRefused(why)


async def _known(connection: AxisConnection, function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function(*arguments)` returns; that a recording names somebody unknown is recorded by itself."""
    try:
        if asyncio.iscoroutinefunction(function):
            return await function(*arguments)
        return await in_database(function, *arguments)
    except UnknownDevice as error:
        await in_database(services.refuse_device, connection, error.serial)
        raise
    except UnknownUser as error:
        await in_database(services.refuse_user, connection, error.user)
        raise


async def _small_body(request: Request, kind: str) -> bytes:
    """A small object's content.

    Raises Unstorable for more than such an object has, TryAgain where it was cut off or changed on its way.
    """
    pieces = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                pieces += piece
                if len(pieces) > _MOST_SMALL.get(kind, _MOST_SMALL["other"]):
                    raise Unstorable(f"That is too large for a {kind} object.")
    except (TimeoutError, ClientDisconnect) as error:
        raise TryAgain("The object was cut off.") from error
    request.scope["bluelamp.body_read"] = True
    require_unchanged(request, hashlib.md5(pieces, usedforsecurity=False).hexdigest())
    return bytes(pieces)


def _named(request: Request, what: str, longest: int) -> str:
    """The container or object that the address names. Raises Unstorable, or Absent where it was only asked for."""
    name = str(request.path_params[what])
    if naming.is_good(name, longest):
        return name
    raise (Unstorable if request.method in {"PUT", "POST"} else Absent)(f"That is no name for a {what}.")


def _content_length(request: Request) -> int | None:
    text = request.headers.get("content-length")
    if text is None:
        # Neither announced nor chunked is no body at all.
        return None if "transfer-encoding" in request.headers else 0
    if not (text.isascii() and text.isdecimal() and len(text) < 17):
        raise NotSpoken("The Content-Length is no length.")
    return int(text)


def _stored(md5: str) -> Response:
    return Response(status_code=201, headers={"Etag": md5})


def _not_spoken(request: Request) -> Forbidden | NotSpoken:
    if request.method in _NOT_PERMITTED:
        return Forbidden("Nothing that was stored can be deleted or copied from outside.")
    return NotSpoken(f"{request.method[:20]!a} is no method of this protocol.")
