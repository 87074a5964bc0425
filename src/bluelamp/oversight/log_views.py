"""The transparency log as anybody may read it: checkpoints, tiles, entry bundles and keys (C2SP tlog-tiles).

An entry is the hash of an event, with salts: it tells nothing about anybody. Whoever was given an event finds it here.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bluelamp.custody import keys, proving, timestamping
from bluelamp.custody.models import CustodyCheckpoint, CustodyLogKey, CustodyTimestamp
from bluelamp.formats import tiles
from bluelamp.formats.errors import FormatError
from bluelamp.kernel.errors import NotFound
from bluelamp.people import access
from bluelamp.web.responses import render

_TEXT = "text/plain; charset=utf-8"
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_MOMENT = "public, max-age=2"


@access.public
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What the log is, in plain words, its keys to compare with, and its latest checkpoint."""
    try:
        latest = proving.latest()
    except NotFound:
        latest = None
    context = {
        "latest": latest,
        "note": proving.published(latest) if latest else "",
        "vkeys": keys.log_vkeys(),
        "timestamp": timestamping.latest(),
        "since": {key.vkey: key for key in CustodyLogKey.objects.all()},
    }
    return render(request, "oversight/log.html", context)


@access.public
@require_safe
def keys_text(request: HttpRequest) -> HttpResponse:
    """The keys that sign or signed this log's checkpoints, one C2SP vkey a line, the present one last."""
    return _open(HttpResponse("".join(f"{vkey}\n" for vkey in keys.log_vkeys()), content_type=_TEXT), _FOR_A_MOMENT)


@access.public
@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The latest signed checkpoint, with the cosignatures that it has so far."""
    return _note(proving.latest())


@access.public
@require_safe
def cosigned(request: HttpRequest) -> HttpResponse:
    """The latest checkpoint that a witness has cosigned."""
    return _note(proving.cosigned())


@access.public
@require_safe
def timestamp(request: HttpRequest, size: int) -> HttpResponse:
    """The answer of the time-stamping authority (RFC 3161, DER) for the checkpoint of this size."""
    kept = CustodyTimestamp.objects.filter(pk=size).first()
    if kept is None:
        raise NotFound("The log has no timestamp of this size.", "", "See /log/ for the latest one.")
    return _open(HttpResponse(bytes(kept.response), content_type="application/timestamp-reply"), _FOR_EVER)


@access.public
@require_safe
def stamped(request: HttpRequest, size: int) -> HttpResponse:
    """The very bytes that were stamped: the text of the checkpoint of this size."""
    found = CustodyCheckpoint.objects.filter(pk=size).first()
    if found is None or not CustodyTimestamp.objects.filter(pk=size).exists():
        raise NotFound("The log has no timestamp of this size.", "", "See /log/ for the latest one.")
    return _open(HttpResponse(timestamping.text_of(found), content_type=_TEXT), _FOR_EVER)


@access.public
@require_safe
def tile(request: HttpRequest, address: str) -> HttpResponse:
    """A tile or an entry bundle, full or partial, of a tree that has a checkpoint."""
    try:
        wanted = tiles.Tile.parse(address)
    except FormatError as error:
        raise NotFound("The log has no such page.", "", "See /log/ for what it has.") from error
    if not wanted.exists_in(proving.latest().size):
        raise NotFound(f"The log has no {wanted.path} yet.", "", "Ask for tiles of a checkpoint that was published.")
    response = HttpResponse(proving.read(wanted), content_type="application/octet-stream")
    return _open(response, _FOR_EVER)


def _note(found: CustodyCheckpoint) -> HttpResponse:
    return _open(HttpResponse(proving.published(found), content_type=_TEXT), _FOR_A_MOMENT)


def _open(response: HttpResponse, caching: str) -> HttpResponse:
    """Anybody's page may read it, since there is nothing in it that is anybody's."""
    response["Cache-Control"] = caching
    response["Access-Control-Allow-Origin"] = "*"
    return response
