"""Static files: their addresses with a content hash, and the ASGI application that serves them."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import structlog
from django.apps import apps
from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger(__name__)

_HASH_LENGTH = 12
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Asset:
    """One static file as it is on disk now."""

    path: Path
    hash: str
    gzipped: Path | None


def static_dirs() -> list[tuple[str, Path]]:
    """(address prefix below /static/, folder) of every installed app that has a `static` folder."""
    return list(_installed())


def find(name: str, dirs: Iterable[tuple[str, Path]]) -> Asset | None:
    """The static file `name` ("vendor/bluelamp.css"), or None; never a folder, nor anything outside `dirs`.

    The folders in `dirs` must be resolved paths.
    """
    if "\0" in name or "\\" in name or name.endswith(".gz"):
        return None
    for prefix, root in dirs:
        if not name.startswith(prefix):
            continue
        path = (root / name[len(prefix) :]).resolve()
        if path.is_relative_to(root) and path.is_file():
            stat = path.stat()
            return _read(path, stat.st_mtime_ns, stat.st_size)
    return None


def static_url(name: str) -> str:
    """The address of a static file, with the hash of its content, so that browsers may keep it for ever."""
    asset = find(name, _installed())
    address = f"{settings.STATIC_URL}{quote(name)}"
    if asset is None:
        # A page without its style is readable; a page that fails for want of one is not.
        log.warning("static file missing: run `npm ci && npm run build`", name=name)
        return address
    return f"{address}?v={asset.hash}"


class StaticApp:
    """ASGI application for GET and HEAD of static files; mount it at /static/.

    With the right `?v=` hash the answer may be kept for ever, without it must be asked for again (ETag). Sends the
    `.gz` twin where the build made one and the browser takes it. No listings, no symbolic links out of the folders.
    """

    def __init__(self, dirs: Iterable[tuple[str, Path]]) -> None:
        self._dirs = [(prefix, folder.resolve()) for prefix, folder in dirs]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Static files are served over HTTP only, not {scope['type']}.")
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, [("allow", "GET, HEAD")])
            return
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        asset = find(name, self._dirs)
        if asset is None:
            await _answer(send, 404, [("content-type", "text/plain")], b"No such file.\n")
            return
        asked = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        version = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[-1]
        etag = f'"{asset.hash}"'
        headers = [
            ("cache-control", _FOREVER if version == asset.hash else _ASK_AGAIN),
            ("etag", etag),
            ("vary", "accept-encoding"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
        ]
        if etag in (tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")):
            await _answer(send, 304, headers)
            return
        headers.append(("content-type", _content_type(asset.path)))
        source = asset.path
        if asset.gzipped and _takes_gzip(asked.get("accept-encoding", "")):
            source = asset.gzipped
            headers.append(("content-encoding", "gzip"))
        body = source.read_bytes()
        headers.append(("content-length", str(len(body))))
        await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)


@cache
def _installed() -> tuple[tuple[str, Path], ...]:
    folders = (Path(config.path, "static").resolve() for config in apps.get_app_configs())
    return tuple(("", folder) for folder in folders if folder.is_dir())


@lru_cache(maxsize=512)
def _read(path: Path, mtime_ns: int, size: int) -> Asset:
    """The asset at `path`; time and size are there so that a rebuilt file is read again."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_HASH_LENGTH]
    twin = path.with_name(path.name + ".gz")
    fresh = twin.is_file() and twin.stat().st_mtime_ns >= mtime_ns
    return Asset(path, digest, twin if fresh else None)


def _content_type(path: Path) -> str:
    # Our own table first: the machine's may call JavaScript text/plain, which nosniff then refuses to run.
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _takes_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _answer(send: Send, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
