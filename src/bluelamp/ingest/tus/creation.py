"""Creation: which upload a sender gets."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from bluelamp.ingest import queries, services
from bluelamp.ingest.adding import queries as adding
from bluelamp.ingest.adding.errors import NotAsAWhole
from bluelamp.ingest.errors import BadRequest
from bluelamp.ingest.models import Upload
from bluelamp.ingest.senders import Sender
from bluelamp.ingest.tus.headers import Creation
from bluelamp.kernel.errors import NotAllowed
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, may


def create(sender: Sender, wanted: Creation) -> Upload:
    """The upload for a creation request: one by itself, a part, or one made of parts; a person sends only the first."""
    if sender.person is not None:
        return _added(sender.person, wanted)
    if wanted.is_part:
        return services.create_part(sender.owner, sender.origin, wanted.length, wanted.metadata)
    if not wanted.parts:
        return _whole(sender, wanted)
    parts = [_upload_id(address) for address in wanted.parts]
    # A sender whose answer got lost asks for the same once more.
    planned = queries.whole_of(sender.owner, parts)
    return planned or services.plan(parts, sender.owner, lambda: _whole(sender, wanted))


def _whole(sender: Sender, wanted: Creation) -> Upload:
    if sender.dock is None:
        raise BadRequest("Only a dock sends recordings of the force's cameras.")
    session, sequence = wanted.recording()
    return services.create_upload(sender.dock, session, sequence, wanted.length, wanted.metadata)


def _added(person: Person, wanted: Creation) -> Upload:
    """A file of an addition, whose id the metadata name. Raises NotAllowed, AdditionUnknown, and what add_file does."""
    actor = access.actor(person)
    decision = may(actor, Action.ADD_FOOTAGE)
    if not decision.allowed:
        access.refuse(actor, Action.ADD_FOOTAGE, None, "/dock/tus/", decision.why)
        raise NotAllowed(decision.why, "Nothing was taken. The attempt was logged, as every refusal is.")
    addition = adding.addition_of(actor, wanted.given.get("addition", ""), "/dock/tus/")
    if wanted.length is None or wanted.is_part or wanted.parts:
        raise NotAsAWhole
    return services.add_file(
        addition,
        length=wanted.length,
        filename=wanted.given.get("filename", ""),
        mark=wanted.given.get("mark", ""),
        metadata=wanted.metadata,
    )


def _upload_id(address: str) -> UUID:
    """From an absolute address or a path; whether it is the sender's own is looked up, so its host does not matter."""
    try:
        return UUID(urlsplit(address).path.rstrip("/").rpartition("/")[2])
    except ValueError as error:
        raise BadRequest("A part's address in Upload-Concat is none of this server.") from error
