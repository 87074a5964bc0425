"""Creation: which upload a sender gets."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from bluelamp.ingest import services
from bluelamp.ingest.errors import BadRequest
from bluelamp.ingest.models import Upload
from bluelamp.ingest.senders import Sender
from bluelamp.ingest.tus.headers import Creation


def create(sender: Sender, wanted: Creation) -> Upload:
    """The upload for a creation request: one by itself, a part, or one made of parts."""
    if wanted.is_part:
        return services.create_part(sender.owner, sender.origin, wanted.length, wanted.metadata)
    if not wanted.parts:
        return _whole(sender, wanted)
    parts = [_upload_id(address) for address in wanted.parts]
    return services.plan(_whole(sender, wanted), parts, sender.owner)


def _whole(sender: Sender, wanted: Creation) -> Upload:
    if sender.dock is None:
        raise BadRequest("Footage from elsewhere cannot be added here yet.")
    session, sequence = wanted.recording()
    return services.create_upload(sender.dock, session, sequence, wanted.length, wanted.metadata)


def _upload_id(address: str) -> UUID:
    """From an absolute address or a path; whether it is the sender's own is looked up, so its host does not matter."""
    try:
        return UUID(urlsplit(address).path.rstrip("/").rpartition("/")[2])
    except ValueError as error:
        raise BadRequest("A part's address in Upload-Concat is none of this server.") from error
