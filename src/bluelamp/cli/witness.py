"""`bluelamp witness`: an independent witness for whoever watches over a force, without its database and without Django.

HTTP around `bluelamp.verify.witness` (C2SP tlog-witness). Everything it keeps is in one folder: the key, and one SQLite
file with what it cosigned and what it refused.
"""

from __future__ import annotations

import asyncio
import json as json_module
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.concurrency import run_in_threadpool

from bluelamp.formats.errors import FormatError
from bluelamp.formats.signed_note import VerifierKey, check_name
from bluelamp.kernel import secretfile
from bluelamp.kernel.errors import Invalid
from bluelamp.verify.witness import FORK, MOST_BODY_BYTES, Answer, Refused, Witness, WitnessError, identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_BODY_SECONDS = 10.0
_TURN_SECONDS = 5.0
_MOST_CONNECTIONS = 200
_SHOWN_ON_PAGE = 20

log = logging.getLogger("bluelamp.witness")


def witness(
    data: Annotated[Path, typer.Option("--data", help="The witness's folder: its key and what it has cosigned.")],
    log_keys: Annotated[
        list[str] | None,
        typer.Option("--log", help="Key of a log to witness (C2SP vkey), as the force publishes it; may be repeated."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="The witness's name, such as witness.example.org/bwv; needed once.")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on; put a proxy with TLS before it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8400,
    show: Annotated[
        bool, typer.Option("--show", help="Print what was cosigned and refused, and end; exit code 1: a fork.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --show: print it as JSON.")] = False,
) -> None:
    """Witness logs: cosign each checkpoint that continues the one before, refuse and keep what does not."""
    trusted = [_log_key(text) for text in log_keys or []]
    if show:
        raise typer.Exit(_show(data, trusted, as_json=json))
    if not trusted:
        raise Invalid("No log was named.", "Nothing was started.", "Give the key that the force published: --log VKEY.")
    kept = open_witness(data, name, trusted)
    try:
        _serve(kept, host, port)
    finally:
        kept.close()


def open_witness(data: Path, name: str, logs: list[VerifierKey]) -> Witness:
    """The witness that lives in `data`; made there where there is none. Raises Invalid."""
    database, key_file = data / "witness.sqlite", data / "witness.key"
    try:
        vkey = identity(database)
        if vkey is None:
            check_name(name)
            # A key whose state was lost would cosign what contradicts its former cosignatures.
            if key_file.exists():
                raise WitnessError(f"{database} is missing, which says what this key has cosigned.")
            secretfile.create(key_file, _new_key())
        known = vkey.partition("+")[0] if vkey else name
        if name not in ("", known):
            raise WitnessError(f"{data} belongs to the witness {known}.")
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise WitnessError(f"{key_file} does not hold an Ed25519 key.")
        return Witness(database, known, key, logs)
    except FormatError:
        raise Invalid(
            "A new witness needs a name without spaces and plus signs.",
            "Nothing was started.",
            "Give one that nobody else has, such as --name witness.example.org/bwv.",
        ) from None
    except (WitnessError, OSError, ValueError) as error:
        raise Invalid(
            f"The witness's folder cannot be used: {error}",
            "Nothing was cosigned.",
            "A lost key or state is not replaced: start a new witness, with another name, in an empty folder.",
        ) from None


def application(kept: Witness) -> Starlette:
    """The ASGI application of one witness."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    desk = _Desk(kept)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        desk.turn = asyncio.Lock()
        yield

    return Starlette(
        routes=[
            Route("/add-checkpoint", desk.add_checkpoint, methods=["POST"]),
            Route("/{origin_hash:str}/checkpoint", desk.checkpoint),
            Route("/healthz", desk.health),
            Route("/", desk.page),
        ],
        lifespan=lifespan,
    )


class _Desk:
    """The routes. Requests that may write wait for their turn: a log has one request at a time in hand."""

    def __init__(self, kept: Witness) -> None:
        self._witness = kept
        self.turn = asyncio.Lock()

    async def add_checkpoint(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _body(request)
        except TimeoutError:
            return _answer(Answer(408, "The request took too long.\n"))
        if body is None:
            return _answer(Answer(413, f"A request has at most {MOST_BODY_BYTES} bytes.\n"))
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self.turn.acquire()
        except TimeoutError:
            return _answer(Answer(503, "Busy. Nothing was cosigned; try again shortly.\n"), {"Retry-After": "5"})
        try:
            answer = await run_in_threadpool(self._witness.add_checkpoint, body, int(time.time()))
        finally:
            self.turn.release()
        if answer.fork or answer.status == 422:
            log.error("Refused a checkpoint with a log's signature%s", " that is a FORK" if answer.fork else "")
        return _answer(answer)

    async def checkpoint(self, request: Request) -> Response:
        found = await run_in_threadpool(self._witness.latest, request.path_params["origin_hash"])
        if found is None:
            return _answer(Answer(404, "No checkpoint of that log was cosigned.\n"))
        return _answer(Answer(200, found.note), {"Cache-Control": "no-cache"})

    async def health(self, request: Request) -> Response:
        logs = await run_in_threadpool(self._witness.standing)
        return _answer(Answer(200, json_module.dumps({"status": "ok", "logs": len(logs)}), "application/json"))

    async def page(self, request: Request) -> Response:
        from bluelamp.cli import witness_page

        logs = await run_in_threadpool(self._witness.standing)
        refused = await run_in_threadpool(self._witness.refused)
        html = witness_page.render(self._witness.vkey, logs, refused[:_SHOWN_ON_PAGE], len(refused))
        return _answer(Answer(200, html, "text/html; charset=utf-8"), witness_page.HEADERS)


async def _body(request: Request) -> bytes | None:
    """The request's body; None where it is larger than any that is right."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _answer(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import Response

    # Set whole: Starlette would add a character set to the type that tlog-witness names.
    found = {"Content-Type": answer.content_type, "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(answer.text.encode(), answer.status, found)


def _serve(kept: Witness, host: str, port: int) -> None:
    import uvicorn

    from bluelamp.cli.supervisor import listening

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    sockets = listening.bind(host, port)
    bound = sockets[0].getsockname()[1]
    typer.echo(f"Witness {kept.vkey.partition('+')[0]} at {listening.address(host, bound)}")
    typer.echo(f"Its key, for the forces and for monitors: {kept.vkey}")
    uvicorn.Server(
        uvicorn.Config(
            application(kept),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=2,
        )
    ).run(sockets=sockets)


def _show(data: Path, logs: list[VerifierKey], *, as_json: bool) -> int:
    """Print what the witness in `data` holds. Returns the exit code: 1 where a fork was seen, 2 without a witness."""
    if not (data / "witness.sqlite").exists():
        typer.echo(f"There is no witness in {data}.", err=True)
        return 2
    kept = open_witness(data, "", logs)
    standing, refused = kept.standing(), kept.refused()
    kept.close()
    if as_json:
        found: dict[str, Any] = {
            "vkey": kept.vkey,
            "logs": [
                {
                    "origin": each.origin,
                    "size": each.latest.size if each.latest else None,
                    "cosigned_at": each.latest.at if each.latest else None,
                    "checkpoint": each.latest.note if each.latest else None,
                }
                for each in standing
            ],
            "refused": [asdict(each) for each in refused],
        }
        typer.echo(json_module.dumps(found, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"Witness {kept.vkey}")
        for each in standing:
            latest = each.latest
            said = f"{latest.size:,} events, cosigned {_utc(latest.at)}" if latest else "nothing cosigned yet"
            typer.echo(f"  {each.origin}: {said}")
        if not refused:
            typer.echo("Nothing was refused that carried a log's signature.")
        for item in refused:
            typer.echo("\n".join(("", *_lines(item))))
    return 1 if any(each.kind == FORK for each in refused) else 0


def _lines(item: Refused) -> list[str]:
    heading = "FORK: the log signed two histories" if item.kind == FORK else "Refused, and nothing proven by it"
    times = _utc(item.first_at) + (f", {item.times:,} times, last {_utc(item.last_at)}" if item.times > 1 else "")
    lines = [f"{heading} ({item.origin}, {item.size:,} events; {times})", f"  {item.why}"]
    for title, text in (("Refused", item.note), ("With the proof", item.proof), ("Cosigned before", item.known)):
        if text.strip():
            lines += [f"  {title}:", *(f"    {line}" for line in text.rstrip("\n").split("\n"))]
    return lines


def _utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds))


def _log_key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text.strip())
    except FormatError as error:
        raise Invalid(
            f"{text!r} is not the key of a log: {error}", "Nothing was started.", "Copy it from the force's key page."
        ) from None


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
