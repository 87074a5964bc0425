"""One request's bytes, received under the upload's lease."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from starlette.requests import Request

from bluelamp.formats import sealed
from bluelamp.ingest import queries, services, staging
from bluelamp.ingest.admission import admission
from bluelamp.ingest.errors import (
    BadRequest,
    ChecksumMismatch,
    MadeOfParts,
    RecordingRejected,
    SenderSilent,
    TooLarge,
    UploadBusy,
    UploadFinished,
    UploadGone,
    WrongOffset,
)
from bluelamp.ingest.models import Upload
from bluelamp.ingest.threads import in_database, on_disk, settling
from bluelamp.ingest.tus import headers
from bluelamp.ingest.wire.body import Body, Ending, wire_of

log = structlog.get_logger()

CHECKPOINT_BYTES = 128 * 1024 * 1024
CHECKPOINT_SECONDS = 2.0
"""How often a long request is acknowledged while it goes on, whichever comes first: what a crash makes the dock send
again."""

_LEASE_SECONDS = 4.0
_LEASE_POLL_SECONDS = 0.1


async def lease_of(upload: Upload, patience: float = _LEASE_SECONDS) -> staging.Lease | None:
    """The upload's lease; None when its holder is still at work after `patience` seconds.

    A holder that hears nothing from its sender gives way meanwhile (see Body).
    """
    folder = staging.folder_of(upload.pk)
    until = time.monotonic() + patience
    while True:
        lease = await on_disk(staging.Lease.acquire, folder)
        if lease is not None or time.monotonic() >= until:
            return lease
        staging.Lease.want(folder)
        await asyncio.sleep(_LEASE_POLL_SECONDS)


class Reception:
    """Takes a request's body into an upload that stands at `offset`, and accepts the upload when it is complete."""

    def __init__(self, request: Request, upload: Upload, offset: int) -> None:
        self._request = request
        self._upload = upload
        self._offset = offset
        self._checksum = headers.checksum(request.headers)
        self._checksum_follows = self._checksum is None and headers.checksum_follows(request.headers)
        self._announced = headers.content_length(request.headers)
        self._body: Body | None = None
        self._acknowledging: asyncio.Task[None] | None = None
        self._checkpointed = (0, time.monotonic())

    @property
    def upload(self) -> Upload:
        """The upload as it was last read: after `run`, as what was received left it."""
        return self._upload

    async def run(self) -> int:
        """Returns the acknowledged offset. Raises BluelampError for what cannot be taken.

        What arrived is acknowledged however the request ends, also when the server is stopping.
        """
        task = asyncio.create_task(self._under_lease())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if self._body is not None:
                self._body.stop()
            await asyncio.wait({task})
            raise

    async def _under_lease(self) -> int:
        lease = await lease_of(self._upload)
        if lease is None:
            raise UploadBusy
        try:
            upload = await in_database(queries.upload, self._upload.pk)
            if upload.state in {Upload.State.REJECTED, Upload.State.ABANDONED}:
                raise UploadGone("This upload has ended.")
            if upload.state != Upload.State.RECEIVING:
                raise UploadFinished
            if upload.concat == Upload.Concat.FINAL:
                raise MadeOfParts
            self._upload = upload
            room = await self._room(lease)
            async with admission().slot(upload.owner, evidence=services.is_evidence(upload)):
                writer = await on_disk(services.open_writer, upload, lease)
                try:
                    ending = await self._receive(lease, writer, room)
                except BaseException:
                    await on_disk(writer.close)
                    raise
            try:
                # Others may send meanwhile: accepting takes the disk's and the database's time, no buffers.
                return await self._finish(lease, writer, ending)
            finally:
                await on_disk(writer.close)
        except staging.StagingDamaged as error:
            await settling(_reject_damaged, self._upload, lease, error)
            raise
        finally:
            lease.release()

    async def _room(self, lease: staging.Lease) -> int:
        """How many bytes may come. Raises WrongOffset, TooLarge."""
        stands_at = await on_disk(staging.acknowledged_offset, lease.path)
        if self._offset != stands_at:
            raise WrongOffset(self._offset, stands_at)
        most = settings.BLUELAMP.max_upload_bytes if self._upload.length is None else self._upload.length
        room = most - self._offset
        if self._announced is not None and self._announced > room:
            raise _too_large(self._upload)
        return room

    async def _receive(self, lease: staging.Lease, writer: staging.StagedWriter, room: int) -> Ending | None:
        try:
            if self._checksum is None and not self._checksum_follows:
                return await self._take(lease, writer.write, room, writer.room, self._checkpoint(writer))
            return await self._take_checked(lease, writer, room)
        finally:
            if self._acknowledging is not None:
                await asyncio.wait({self._acknowledging})
            offset = await on_disk(writer.acknowledge)
            if self._upload.is_part or not writer.is_complete:  # what is complete is noted as that at once
                await in_database(services.note_progress, self._upload.pk, offset)

    async def _finish(self, lease: staging.Lease, writer: staging.StagedWriter, ending: Ending | None) -> int:
        """Accept what is complete; the acknowledged offset, or what was wrong with the way the body ended."""
        if writer.is_complete:
            await self._settle(lease, writer)
        if ending is Ending.TOO_LONG:
            raise _too_large(self._upload)
        if ending is Ending.WANTED:
            raise UploadBusy
        if ending is Ending.SILENT:
            raise SenderSilent
        return writer.acknowledged

    async def _take(
        self,
        lease: staging.Lease,
        sink: Callable[[memoryview], None],
        room: int,
        first: int,
        progress: Callable[[], None] = lambda: None,
    ) -> Ending:
        self._body = Body(
            self._request,
            sink,
            length=self._announced,
            most=room,
            first=first,
            wanted=lambda: lease.wanted,
            progress=progress,
        )
        ending = await self._body.run()
        if ending is Ending.COMPLETE:
            self._request.scope["bluelamp.body_read"] = True
        return ending

    async def _take_checked(self, lease: staging.Lease, writer: staging.StagedWriter, room: int) -> Ending:
        """A chunk whose checksum must fit before any of it counts (checksum and checksum-trailer extensions)."""
        algorithms = [self._checksum.algorithm] if self._checksum else list(headers.CHECKSUMS)
        spool = await on_disk(staging.Spool, lease.path, algorithms)
        try:
            ending = await self._take(lease, spool.write, room, sealed.FIRST_FULL)
            if ending is not Ending.COMPLETE:
                return ending
            checksum = self._checksum or _trailing_checksum(self._request)
            if await on_disk(spool.digest, checksum.algorithm) != checksum.digest:
                raise ChecksumMismatch
            await on_disk(_pour, spool, writer)
            return ending
        finally:
            await on_disk(spool.close)

    def _checkpoint(self, writer: staging.StagedWriter) -> Callable[[], None]:
        async def acknowledge() -> None:
            try:
                offset = await on_disk(writer.checkpoint)
                await in_database(services.note_progress, self._upload.pk, offset)
            except Exception:
                # The request's own end acknowledges again, and says what is wrong.
                log.warning("upload.checkpoint_failed", upload=str(self._upload.pk), exc_info=True)

        def progress() -> None:
            size, at = self._checkpointed
            late = time.monotonic() - at >= CHECKPOINT_SECONDS and writer.size > size
            if not late and writer.size - size < CHECKPOINT_BYTES:
                return
            if self._acknowledging is None or self._acknowledging.done():
                self._checkpointed = (writer.size, time.monotonic())
                self._acknowledging = asyncio.create_task(acknowledge())

        self._checkpointed = (writer.size, time.monotonic())
        return progress

    async def _settle(self, lease: staging.Lease, writer: staging.StagedWriter) -> None:
        """Accept the complete upload. Raises RecordingRejected; any other trouble leaves it for recovery."""
        try:
            upload = await settling(services.accept_upload, self._upload.pk, lease, writer, self._upload)
        except Exception:
            # All bytes are acknowledged: the sender is done, and its receipt comes when the trouble is over.
            log.exception("upload.unsettled", upload=str(self._upload.pk))
            return
        self._upload = upload
        if upload.state == Upload.State.REJECTED:
            raise RecordingRejected(str(upload.problem.get("detail", "")))
        if upload.state == Upload.State.ABANDONED:
            raise UploadGone("This upload was given up while it was being sent.")


def _trailing_checksum(request: Request) -> headers.Checksum:
    """The checksum that came after the body. Raises BadRequest where there is none."""
    wire = wire_of(request)
    for name, value in wire.trailers if wire is not None else ():
        if name == b"upload-checksum":
            return headers.parse_checksum(value.decode("latin-1"))
    raise BadRequest("The header Trailer announces a checksum, but none came after the body.")


def _pour(spool: staging.Spool, writer: staging.StagedWriter) -> None:
    for piece in spool.pieces():
        writer.write(piece)


def _reject_damaged(upload: Upload, lease: staging.Lease, error: staging.StagingDamaged) -> None:
    services.reject(upload.pk, why=error.what_happened, received_size=upload.offset)
    services.clear(upload.pk, lease)


def _too_large(upload: Upload) -> TooLarge:
    return TooLarge(
        f"More bytes came than the {upload.length or settings.BLUELAMP.max_upload_bytes} that there may be.",
        "What belongs to the upload is kept.",
        "Send exactly the recording's bytes.",
    )
