"""The docking protocol: a camera is docked, and its receipts are fetched (docs/protocols/docking.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bluelamp.fleet.models import Dock
from bluelamp.formats import iso8601
from bluelamp.ingest import inventory, queries, receipts, services
from bluelamp.ingest.answers import authenticated
from bluelamp.ingest.errors import BadRequest, SenderSilent, SessionUnknown, TooLarge, WrongMediaType
from bluelamp.ingest.models import Upload
from bluelamp.ingest.threads import in_database, settling
from bluelamp.ingest.tus.endpoint import upload_url
from bluelamp.kernel import clock

_BODY_SECONDS = 60.0
_RETRY_AFTER_SECONDS = 1


async def open_session(request: Request) -> Response:
    """POST /api/v1/docking."""
    dock = await authenticated(request)
    body = await _body(request, inventory.MAX_BODY_BYTES)
    answer = await in_database(_answer, dock, body, lambda upload: upload_url(request, upload))
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def receipt(request: Request) -> Response:
    """GET /api/v1/docking/{session}/receipts/{sequence}."""
    dock = await authenticated(request)
    session_id, sequence = _named(request)
    found = await in_database(_receipt, dock, session_id, sequence)
    if found is None:
        # Accepting it may take long, as moving gigabytes to an object store does: not where everybody's requests run.
        found = await settling(_settled, dock, session_id, sequence)
    headers = {"Cache-Control": "no-store"}
    if found is None:
        return Response(status_code=202, headers={**headers, "Retry-After": str(_RETRY_AFTER_SECONDS)})
    return JSONResponse(found, headers=headers)


async def unavailable(request: Request) -> Response:
    """POST /api/v1/docking/{session}/unavailable/{sequence}."""
    dock = await authenticated(request)
    session_id, sequence = _named(request)
    why = inventory.parse_unavailable(await _body(request, inventory.MAX_REPORT_BYTES))
    await in_database(_note_unavailable, dock, session_id, sequence, why)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _named(request: Request) -> tuple[UUID, int]:
    """The session and the recording's number in the address. Raises SessionUnknown."""
    try:
        return UUID(request.path_params["session"]), int(request.path_params["sequence"])
    except ValueError as error:
        raise SessionUnknown("There is no such docking session or recording.") from error


def _note_unavailable(dock: Dock, session_id: UUID, sequence: int, why: str) -> None:
    services.note_unavailable(queries.session_of(dock, session_id), sequence, why)


def _answer(dock: Dock, body: bytes, url: Callable[[Upload], str]) -> dict[str, Any]:
    arrived_at = clock.now()
    docked = services.open_session(dock, inventory.parse(body), arrived_at)
    return {
        "session": str(docked.session.pk),
        "server_time": iso8601.to_text(arrived_at),
        "clock_offset_ms": docked.session.clock_offset_ms,
        "receipt_key": receipts.public_key(),
        "recordings": [
            {
                "sequence": verdict.sequence,
                "state": verdict.state,
                "upload_url": url(verdict.upload) if verdict.upload else None,
                "receipt": verdict.receipt,
                "why": verdict.why,
            }
            for verdict in docked.verdicts
        ],
    }


def _receipt(dock: Dock, session_id: UUID, sequence: int) -> dict[str, Any] | None:
    return queries.receipt(queries.session_of(dock, session_id), sequence)


def _settled(dock: Dock, session_id: UUID, sequence: int) -> dict[str, Any] | None:
    return services.settled_receipt(queries.session_of(dock, session_id), sequence)


async def _body(request: Request, most: int) -> bytes:
    """The request's JSON. Raises WrongMediaType, TooLarge, SenderSilent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType("A docking request must be JSON.", "Nothing was taken. The camera keeps its copy.")
    pieces = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                pieces += piece
                if len(pieces) > most:
                    raise TooLarge(
                        f"The docking request is larger than {most} bytes.",
                        "Nothing was taken. The camera keeps its copy.",
                        "Offer the recordings in several sessions.",
                    )
    except TimeoutError as error:
        raise SenderSilent from error
    except ClientDisconnect as error:
        raise BadRequest("The docking request was cut off.") from error
    request.scope["bluelamp.body_read"] = True
    return bytes(pieces)
