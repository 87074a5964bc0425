"""A file that comes as one request's body: taken whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from bluelamp.ingest import services, staging
from bluelamp.ingest.admission import admission
from bluelamp.ingest.errors import BodyCutOff, SenderSilent, TooLarge, TooManyUploads, UploadBusy
from bluelamp.ingest.models import Upload
from bluelamp.ingest.services.deposits import Tap
from bluelamp.ingest.threads import in_database, on_disk, settling
from bluelamp.ingest.wire.body import Body, Ending


async def receive_whole(
    request: Request,
    upload: Upload,
    *,
    length: int | None,
    tap: Tap | None = None,
    finish: Callable[[], None] | None = None,
) -> Upload:
    """Make the request's body (`length`: its Content-Length, if any) the upload's content, and accept it.

    Returns the upload as it stands then: accepted, or rejected. `tap` sees the bytes pass, in order; `finish` is called
    after the last of them, before anything is acknowledged, and may refuse them by raising. When the body is
    cut off nothing of it is kept. Raises BodyCutOff, SenderSilent, TooLarge, TooManyUploads, StorageFull, UploadBusy;
    what the database or the store raise: then a file that is sealed already is accepted later, and of any other
    nothing is kept.
    """
    lease = await on_disk(staging.Lease.acquire, staging.folder_of(upload.pk))
    if lease is None:
        raise UploadBusy
    try:
        async with admission().slot(upload.owner):
            return await _received(request, upload, lease, length, tap, finish)
    except TooManyUploads:
        await in_database(services.withdraw, upload, lease)
        raise
    except BaseException:
        await in_database(services.give_up, upload, lease, "It did not arrive whole.")
        raise
    finally:
        lease.release()


async def _received(
    request: Request,
    upload: Upload,
    lease: staging.Lease,
    length: int | None,
    tap: Tap | None,
    finish: Callable[[], None] | None,
) -> Upload:
    writer = await on_disk(services.open_writer, upload, lease)
    try:

        def sink(piece: memoryview) -> None:
            writer.write(piece)
            if tap is not None:
                tap(piece)

        most = services.most_bytes() if upload.length is None else upload.length
        body = Body(request, sink, length=length, most=most, first=writer.room)
        ending = await body.run()
        if ending is Ending.COMPLETE:
            request.scope["bluelamp.body_read"] = True
        _require_whole(ending, upload, writer.size)
        if finish is not None:
            finish()
        if upload.length is None:
            await in_database(services.note_length, upload, writer.size)
            writer.length = writer.size
        await on_disk(writer.acknowledge)
        return await settling(services.accept_upload, upload.pk, lease, writer)
    finally:
        await on_disk(writer.close)


def _require_whole(ending: Ending, upload: Upload, size: int) -> None:
    if ending is Ending.TOO_LONG:
        raise TooLarge("More bytes came than there may be.", "Nothing of it was kept.", "Send the file as it is.")
    if ending is Ending.SILENT:
        raise SenderSilent
    if ending is not Ending.COMPLETE or upload.length not in {None, size}:
        raise BodyCutOff
