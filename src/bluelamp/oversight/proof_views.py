"""One event's proof in three steps, and its files, for whoever may read the event."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bluelamp.custody import keys, words
from bluelamp.custody.queries import HistoryItem
from bluelamp.footage import history as footage_history
from bluelamp.footage import queries as footage
from bluelamp.kernel.errors import NotFound
from bluelamp.oversight import proofs, services
from bluelamp.oversight.queries import ledger
from bluelamp.oversight.queries.ledger import recording_id
from bluelamp.people import access
from bluelamp.people.policy import Action, Actor, may
from bluelamp.web.responses import render


@access.signed_in
@require_GET
def proof(request: HttpRequest, event_id: int) -> HttpResponse:
    """What the event says, the path of its fingerprint to the root, and who signed the root."""
    entry, reader = _readable(request, event_id)
    waiting, steps = None, None
    try:
        steps = proofs.steps(event_id)
    except NotFound as error:
        waiting = error
    services.note_consultation(actor=reader, page="proof", shown=1, filters={"event": str(event_id)})
    (told,) = words.tell([entry.item])
    context = {
        "entry": entry,
        "told": told,
        "steps": steps,
        "waiting": waiting,
        "vkeys": keys.log_vkeys(),
        "may_audit": access.allows(request, Action.VIEW_AUDIT),
    }
    return render(request, "oversight/audit/proof.html", context)


@access.signed_in
@require_GET
def proof_file(request: HttpRequest, event_id: int) -> HttpResponse:
    """The proof as a C2SP tlog-proof."""
    entry, reader = _readable(request, event_id)
    text = proofs.steps(event_id).proof.text()
    services.take_proof(actor=reader, event_id=event_id, subject=entry.item.subject, what="proof")
    return _file(text.encode(), "text/plain; charset=utf-8", f"event-{event_id}.tlog-proof")


@access.signed_in
@require_GET
def event_file(request: HttpRequest, event_id: int) -> HttpResponse:
    """The event as it is handed out: fields and salts (`formats.disclosure`), so that anybody computes its entry."""
    entry, reader = _readable(request, event_id)
    if entry.disclosed is None:
        raise NotFound(
            "What this event says cannot be read: it was damaged or changed.",
            "Nothing can be handed out of it.",
            "Keep the data folder as it is and call whoever audits this system.",
        )
    services.take_proof(actor=reader, event_id=event_id, subject=entry.item.subject, what="event")
    content = json.dumps(entry.disclosed.document(), ensure_ascii=False, indent=1).encode()
    return _file(content, "application/json", f"event-{event_id}.json")


def may_read(actor: Actor, item: HistoryItem) -> bool:
    """Whether `actor` may read an event whole: of those who do not audit, whoever reads the history of its recording.

    The discreet reader of a history, who must not learn others' reasons, reads whole only what they did themselves.
    """
    found = recording_id(item)
    if found is None:
        return False
    try:
        thing = footage.thing(footage.recording(found))
    except NotFound:
        return False
    if not may(actor, Action.VIEW_HISTORY, thing).allowed:
        return False
    return item.actor == actor.custody_id or not footage_history.is_discreet(actor, thing)


def _readable(request: HttpRequest, event_id: int) -> tuple[ledger.Entry, str]:
    """The event and its reader's custody id. Raises NotFound to those who audit, else NotAllowed (recorded)."""
    reader = access.request_actor(request)
    if not may(reader, Action.VIEW_AUDIT).allowed:
        try:
            entry = ledger.event(event_id)
        except NotFound:
            entry = None
        if entry is not None and may_read(reader, entry.item):
            return entry, reader.custody_id
    access.require(request, Action.VIEW_AUDIT)
    return ledger.event(event_id), reader.custody_id


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
