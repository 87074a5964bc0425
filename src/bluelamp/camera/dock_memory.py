"""What the dock remembers in a camera's folder between two dockings.

server-key.json   the server's receipt key, pinned when it was first met
uploads.json      where each unfinished upload is to be resumed
receipts.jsonl    every verified receipt
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from bluelamp.camera.errors import CameraError
from bluelamp.camera.journal import write_durably
from bluelamp.formats.ed25519 import load_public_key
from bluelamp.formats.errors import FormatError


class DockMemory:
    """Safe to use from the threads of one dock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()

    def pin_server_key(self, offered: str, server: str) -> str:
        """The key that receipts must be signed with: the one met first. Raises CameraError where the server now
        offers another one."""
        try:
            load_public_key(offered)
        except FormatError as error:
            raise CameraError(
                f"The server {server} offers no usable receipt key.",
                "Nothing was uploaded and nothing was erased.",
                "Check the server's address; tell the people who run it.",
            ) from error
        path = self._folder / "server-key.json"
        pinned = self._read(path).get("receipt_key")
        if pinned is None:
            write_durably(path, json.dumps({"receipt_key": offered, "server": server}).encode())
            return offered
        if pinned != offered:
            raise CameraError(
                f"The server {server} signs receipts with another key than when this camera first docked.",
                "Nothing was uploaded and nothing was erased: it may be another server that poses as yours.",
                f"If the people who run the server confirm the new key {offered}, remove {path}.",
            )
        return offered

    def upload_url(self, sequence: int) -> str | None:
        """Where the upload of that recording was begun."""
        return self._read(self._folder / "uploads.json").get(str(sequence))

    def remember_upload(self, sequence: int, url: str | None) -> None:
        """Keep (or with None forget) where an upload is to be resumed."""
        path = self._folder / "uploads.json"
        with self._guard:
            urls = self._read(path)
            if url is None:
                urls.pop(str(sequence), None)
            else:
                urls[str(sequence)] = url
            write_durably(path, json.dumps(urls).encode())

    def keep_receipt(self, receipt: dict[str, Any]) -> None:
        """Write a verified receipt down, durably, before anything is erased for it."""
        line = json.dumps(receipt, sort_keys=True) + "\n"
        with self._guard, (self._folder / "receipts.jsonl").open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _read(self, path: Path) -> dict[str, str]:
        if not path.exists():
            return {}
        try:
            content = json.loads(path.read_bytes())
        except ValueError as error:
            raise CameraError(
                f"{path} cannot be read.", "Nothing was erased.", "Remove it if you know why it is damaged."
            ) from error
        return content if isinstance(content, dict) else {}
