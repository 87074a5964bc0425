"""What the server says of itself: capabilities and categories, each with its MD5, which the system compares."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from bluelamp.ingest.axis import queries

CAPABILITIES = {
    "Read": {"ReadCategories": True},
    "Store": {
        "StoreBookmarks": True,
        "StoreGNSSTrackRecording": True,
        "StoreRejectedContent": True,
        "StoreSignedVideo": True,
        "StoreUserIDKey": True,
    },
    "StoreAndRead": {"StoreReadSystemID": True},
}
"""What is declared is expected for ever: nothing is ever to be taken out of here."""


@dataclass(frozen=True)
class Document:
    """A JSON text and the MD5 under which the system checks it."""

    body: bytes

    @property
    def md5(self) -> str:
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()


def document(name: str) -> Document | None:
    """`System/<name>`, where the server itself says it."""
    if name == "Capabilities.json":
        return Document(_json(CAPABILITIES))
    if name == "Categories.json":
        return Document(_json(queries.categories()))
    return None


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
