"""Uploading one file by tus 1.0, resumed where it stopped, repeated while there is hope."""

import base64
import binascii
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader.uploader import Uploader

from bluelamp.camera.dock_memory import DockMemory
from bluelamp.camera.dock_server import KEPT, WORTH_RETRYING, DockServer, Patience, Refused, Unreachable

# A chunk is held in memory and is what a lost connection may cost; progress is seen chunk by chunk.
LARGEST_CHUNK = 64 * 1024 * 1024
SMALLEST_CHUNK = 4 * 1024 * 1024
CHUNKS_A_FILE = 32

GONE = frozenset({403, 404, 410})  # tus 1.0, "Head": an upload that the server no longer has


class Upload:
    """The upload of one recording's file."""

    def __init__(self, server: DockServer, memory: DockMemory, sequence: int, path: Path) -> None:
        self._server, self._memory = server, memory
        self._sequence, self._path = sequence, path
        self._client = TusClient(f"{server.url}/dock/tus/", headers=dict(server.headers))
        self._size = path.stat().st_size
        self._chunk = max(SMALLEST_CHUNK, min(LARGEST_CHUNK, self._size // CHUNKS_A_FILE))

    def run(self, url: str | None, metadata: dict[str, str], on_sent: Callable[[int], None]) -> dict[str, Any] | None:
        """Send what the server does not have yet; on_sent is called with the bytes that it has.

        Returns the receipt, not yet verified, where the last answer brought it. Raises Refused, Unreachable.
        """
        url = self._server.own_url(url) if url else None
        patience = self._server.patience()
        uploader: Uploader | None = None
        while True:
            try:
                if uploader is None:
                    uploader = self._begin(url, metadata)
                    on_sent(uploader.offset)
                while uploader.offset < self._size:
                    self._send_chunk(uploader)
                    patience.progressed()
                    on_sent(uploader.offset)
                self._memory.remember_upload(self._sequence, None)
                return _receipt(uploader)
            except TusCommunicationError as error:
                if uploader is None and url is not None and error.status_code in GONE:
                    url = None  # begin anew
                    self._memory.remember_upload(self._sequence, None)
                    continue
                url = uploader.url if uploader is not None else url
                self._pause(error, uploader, patience)
                uploader = None  # the server tells at the next beginning how far it got

    def _begin(self, url: str | None, metadata: dict[str, str]) -> Uploader:
        uploader = self._client.uploader(file_path=str(self._path), url=url, chunk_size=self._chunk, metadata=metadata)
        if uploader.url is None:
            created = self._server.own_url(uploader.create_url())
            if created is None:
                raise Refused("The server sent the upload to another host.", KEPT, "Tell the people who run it.")
            uploader.set_url(created)
            self._memory.remember_upload(self._sequence, created)
        return uploader

    def _send_chunk(self, uploader: Uploader) -> None:
        before = uploader.offset
        try:
            uploader.upload_chunk()  # type: ignore[no-untyped-call]  # tuspy has no types
        except (TypeError, ValueError) as error:  # an answer without Upload-Offset
            raise self._server.nonsense() from error
        if not before < uploader.offset <= self._size:
            raise self._server.nonsense()

    def _pause(self, error: TusCommunicationError, uploader: Uploader | None, patience: Patience) -> None:
        """Wait before trying again. Raises Refused for an answer that repeating does not change, Unreachable when
        patience is at its end."""
        status = error.status_code
        # 409: another offset than the server's, which tells it at the next beginning.
        if status is not None and status != 409 and status not in WORTH_RETRYING:
            raise Refused(
                f"The server refused recording {self._sequence} (status {status}). {_words(error)}".rstrip(), KEPT
            ) from error
        request = uploader.request if uploader is not None else None
        retry_after = request.response_headers.get("retry-after") if request is not None else None
        if not patience.pause(retry_after):
            raise Unreachable(
                f"The upload of recording {self._sequence} stopped: the server does not answer any more.",
                f"{KEPT} What was sent is kept by the server.",
                "Dock again: the upload goes on where it stopped.",
            ) from error


def _receipt(uploader: Uploader) -> dict[str, Any] | None:
    """What the last answer's header holds; None where that is no JSON object, so that the receipt is asked for."""
    request = uploader.request  # None where the server had everything already
    encoded = request.response_headers.get("bluelamp-receipt", "") if request is not None else ""
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error):
        return None
    return document if isinstance(document, dict) else None


def _words(error: TusCommunicationError) -> str:
    """What the server's problem document (RFC 9457) says, or the beginning of whatever it wrote."""
    content = error.response_content
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content or "")
    try:
        document = json.loads(text)
        text = str(document.get("detail") or document.get("title") or "")
    except (ValueError, AttributeError):
        pass
    return " ".join(text.split())[:300]
