"""The requests of the protocol."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from bluelamp.ingest import queries, services, staging
from bluelamp.ingest.answers import MethodUnknown
from bluelamp.ingest.errors import (
    BadRequest,
    MadeOfParts,
    TooManyUploads,
    UploadBusy,
    UploadFinished,
    UploadGone,
    UploadUnknown,
)
from bluelamp.ingest.models import Upload
from bluelamp.ingest.senders import Sender, admitted
from bluelamp.ingest.threads import in_database, on_disk
from bluelamp.ingest.tus import creation, headers
from bluelamp.ingest.tus.reception import Reception, lease_of
from bluelamp.ingest.wire.body import wire_of

PATH = "/dock/tus/"
_METHODS = {"OPTIONS", "HEAD", "POST", "PATCH", "DELETE"}


def upload_url(request: Request, upload: Upload) -> str:
    """The upload's absolute address, by the name under which the dock called the server."""
    base = request.base_url
    if settings.BLUELAMP.base_url.startswith("https:"):
        # Behind a proxy that ends TLS: a token must never follow an address without it.
        base = base.replace(scheme="https")
    return f"{str(base).rstrip('/')}{PATH}{upload.pk}"


async def collection(request: Request) -> Response:
    """`/dock/tus/`: what is possible, and creation."""
    method = _method(request)
    if method == "OPTIONS":
        return Response(status_code=204, headers=headers.options(trailers=wire_of(request) is not None))
    sender = await _admitted(request)
    if method != "POST":
        raise MethodUnknown("OPTIONS, POST")
    wanted = headers.creation(request.headers)
    upload = await in_database(creation.create, sender, wanted)
    offset: int | None = None if wanted.parts else 0
    receipt: dict[str, str] = {}
    if not wanted.parts and headers.has_body_type(request.headers):
        reception = Reception(request, upload, 0)
        try:
            offset = await reception.run()
            receipt = headers.receipt(reception.upload)
        except TooManyUploads:
            offset = 0  # it is made, and its bytes come when their turn does
    location = {"Location": upload_url(request, upload), **headers.standing(upload, offset), **receipt}
    return Response(status_code=201, headers=location)


async def resource(request: Request) -> Response:
    """`/dock/tus/<upload>`: where it stands, more bytes, or its end."""
    method = _method(request)
    if method == "OPTIONS":
        return Response(status_code=204, headers=headers.options(trailers=wire_of(request) is not None))
    sender = await _admitted(request)
    upload = await in_database(queries.upload_of, sender.owner, _upload_id(request))
    if method == "HEAD":
        return await _stand(request, upload)
    if method == "PATCH":
        return await _more(request, upload)
    if method == "DELETE":
        return await _terminate(sender.owner, upload)
    raise MethodUnknown("OPTIONS, HEAD, PATCH, DELETE")


async def _stand(request: Request, upload: Upload) -> Response:
    """HEAD. A connection that fell silent gives way first, so that the offset told is the last one."""
    _require_kept(upload)
    offset = upload.length
    if upload.state == Upload.State.RECEIVING and upload.concat == Upload.Concat.FINAL:
        offset = None
    elif upload.state == Upload.State.RECEIVING:
        lease = await lease_of(upload)
        if lease is not None:
            lease.release()
        offset = await on_disk(staging.acknowledged_offset, staging.folder_of(upload.pk))
        # It may have been accepted, and its folder removed, while this request waited.
        upload = await in_database(Upload.objects.get, pk=upload.pk)
        _require_kept(upload)
        if upload.state == Upload.State.ACCEPTED:
            offset = upload.length
    if upload.state == Upload.State.ACCEPTED and not upload.cleared:
        # The server ended right after it was accepted: this is how its dock comes back.
        await in_database(services.accept_upload, upload.pk)
    answer = {**headers.length(upload), **headers.standing(upload, offset)}
    if upload.metadata:
        answer["Upload-Metadata"] = upload.metadata
    if upload.is_part:
        answer["Upload-Concat"] = "partial"
    elif upload.parts:
        paths = [f"{PATH}{part}" for part in upload.parts]
        answer["Upload-Concat"] = "final;" + " ".join(paths)
    return Response(status_code=200, headers=answer)


async def _more(request: Request, upload: Upload) -> Response:
    """PATCH."""
    headers.require_body_type(request.headers)
    _require_kept(upload)
    if upload.concat == Upload.Concat.FINAL:
        raise MadeOfParts
    offset = headers.offset(request.headers)
    told = headers.declared_length(request.headers)
    if told is not None:
        upload = await in_database(services.declare_length, upload, told)
    nothing = headers.content_length(request.headers) == 0
    if nothing and upload.state == Upload.State.ACCEPTED and offset == upload.length:
        # A client that tells the length last, of a recording whose length the camera had signed.
        return Response(status_code=204, headers=headers.standing(upload, offset))
    reception = Reception(request, upload, offset)
    offset = await reception.run()
    return Response(status_code=204, headers={**headers.standing(upload, offset), **headers.receipt(reception.upload)})


async def _terminate(owner: str, upload: Upload) -> Response:
    """DELETE."""
    _require_kept(upload)
    lease = await lease_of(upload)
    if lease is None:
        raise UploadBusy

    def end() -> bool:
        if not services.abandon(upload.pk, actor=owner, reason="The sender gave it up."):
            return False
        services.clear(upload.pk, lease)
        return True

    try:
        if not await in_database(end):
            raise UploadFinished
    finally:
        lease.release()
    return Response(status_code=204)


async def _admitted(request: Request) -> Sender:
    sender = await admitted(request, settings.SESSION_COOKIE_NAME)
    headers.require_version(request.headers)
    return sender


def _require_kept(upload: Upload) -> None:
    if upload.state == Upload.State.REJECTED:
        raise UploadGone(str(upload.problem.get("detail", "The upload was rejected.")))
    if upload.state == Upload.State.ABANDONED:
        raise UploadGone("The upload was given up before it was complete.")
    if upload.state == Upload.State.JOINED:
        raise UploadGone("The upload has become part of another.")


def _upload_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["upload"])
    except ValueError as error:
        raise UploadUnknown from error


def _method(request: Request) -> str:
    """The protocol lets a client behind an old proxy name the method in a header."""
    override = request.headers.get("x-http-method-override")
    if override is None:
        return request.method
    if override.upper() not in _METHODS:
        raise BadRequest("The header X-HTTP-Method-Override names no method of this protocol.")
    return override.upper()
