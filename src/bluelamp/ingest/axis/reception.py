"""A clip's bytes: acknowledged only once they are a recording."""

from __future__ import annotations

import asyncio
import hashlib
import hmac

import structlog
from starlette.requests import ClientDisconnect, Request

from bluelamp.ingest.axis import services
from bluelamp.ingest.axis.errors import TryAgain, Unstorable
from bluelamp.ingest.axis.services.objects import Claim
from bluelamp.ingest.deposit_http import receive_whole
from bluelamp.ingest.models import AxisConnection, AxisContainer, AxisObject, Upload
from bluelamp.ingest.services import most_bytes
from bluelamp.ingest.threads import in_database, on_disk, settling

log = structlog.get_logger(__name__)

_SILENT_SECONDS = 60.0
_COMPARED_BYTES = 1024 * 1024


class Sums:
    """SHA-256, MD5 and size of what passes."""

    def __init__(self) -> None:
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self.size = 0

    def take(self, piece: memoryview | bytes) -> None:
        """The next bytes."""
        self._md5.update(piece)
        self.size += len(piece)

    def take_both(self, piece: memoryview | bytes) -> None:
        """The same, SHA-256 as well."""
        self._sha256.update(piece)
        self.take(piece)

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


def require_unchanged(request: Request, md5: str) -> None:
    """Raises TryAgain for a whole body with this MD5, where its sender sent another one with it (`Etag`)."""
    claimed = request.headers.get("etag", "").strip('" ').lower()
    if claimed and not hmac.compare_digest(md5.encode(), claimed.encode()):
        raise TryAgain("The body changed on its way: its MD5 is not the one that was sent with it.")


async def receive_clip(
    request: Request,
    connection: AxisConnection,
    container: AxisContainer,
    name: str,
    said: dict[str, str],
    length: int | None,
) -> str:
    """Store a clip, or find that it is stored; its MD5. Raises what `services.claim_clip` and `receive_whole` do."""
    claim: Claim = await settling(services.claim_clip, connection, container.name, name, said, length)
    sums = Sums()
    if claim.upload is None:
        return await _compare(request, claim.item, sums)
    upload = await receive_whole(
        request, claim.upload, length=length, tap=sums.take, finish=lambda: require_unchanged(request, sums.md5)
    )
    if upload.state == Upload.State.REJECTED:
        raise Unstorable(str(upload.problem.get("detail", "The clip was rejected.")))
    if upload.state != Upload.State.ACCEPTED:
        raise TryAgain("The clip is received, but could not be accepted just now.")
    await in_database(services.note_md5, claim.item, sums.md5)
    try:
        await settling(services.settle, container.pk)
    except Exception:
        # The clip is accepted, and a job brings the rest to it: that must not make the system send it again.
        log.exception("axis.unsettled", container=str(container.pk))
    return sums.md5


async def _compare(request: Request, item: AxisObject, sums: Sums) -> str:
    """Nothing is stored of what is here already. Other bytes are asked for once more, to be kept beside the first."""
    waiting, pieces = bytearray(), request.stream()
    try:
        while (piece := await asyncio.wait_for(anext(pieces, None), _SILENT_SECONDS)) is not None:
            waiting += piece
            if len(waiting) >= _COMPARED_BYTES:
                await on_disk(sums.take_both, bytes(waiting))
                waiting.clear()
            if sums.size > most_bytes():
                raise Unstorable("That is larger than any clip that this server takes.")
    except (ClientDisconnect, TimeoutError) as error:
        raise TryAgain("The clip was cut off.") from error
    await on_disk(sums.take_both, bytes(waiting))
    request.scope["bluelamp.body_read"] = True
    require_unchanged(request, sums.md5)
    if not await in_database(services.compare, item, sha256=sums.sha256, md5=sums.md5, size=sums.size):
        raise TryAgain("Other bytes are here under this name. Send these once more, and they are kept beside them.")
    return sums.md5
