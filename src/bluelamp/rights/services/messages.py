"""Messages to requesters. They are written in the transaction that makes them due, and sent by a job until one leaves.

A mail server that refuses for an hour delays a message and nothing else: the days to confirm begin when the link was
sent, and the statutory clock stands only from the sending of the question.
"""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.rights import events, rules, wording
from bluelamp.rights.models import Message, Request, RequestPause
from bluelamp.rights.services.matching import SYSTEM


@custody.unrecorded("part of the services that call it, which record what the message is about")
def write(request: Request, kind: str, pause: RequestPause | None = None) -> Message:
    """A message to be sent as soon as the caller's transaction is committed; `pause` for a question."""
    message = Message.objects.create(request=request, kind=kind, pause=pause, written_at=clock.now())
    # By name: the job's module imports this package.
    app.configure_task("rights.send_message").defer(message_id=message.pk)
    return message


@custody.unrecorded("the sending is recorded once it has succeeded")
def send(message_id: int) -> None:
    """Send a message unless it was sent or is not needed any more. Raises what the mail server raises.

    Whoever calls it tries again. A process that dies between the sending and its record sends twice, never not at all.
    """
    letter = _letter(message_id)
    if letter is None:
        return
    letter.send()
    _sent(message_id)


def _letter(message_id: int) -> EmailMessage | None:
    with atomic():
        message = _fresh(message_id)
        if message.sent_at is not None or not message.needed:
            return None
        if message.kind != Message.Kind.CONFIRMATION:
            return _WRITTEN[message.kind](message)
        # Only the token's hash is kept, so each attempt has a token of its own; the newest link is the one that works.
        token = secrets.token_urlsafe(32)
        message.request.confirm_token_sha256 = hashlib.sha256(token.encode()).hexdigest()
        message.request.save(update_fields=["confirm_token_sha256"])
        return _confirmation(message.request, token)


@custody.service
def _sent(message_id: int) -> None:
    message = _fresh(message_id)
    if message.sent_at is not None:
        custody.nothing_changed()
        return
    message.sent_at = clock.now()
    message.save(update_fields=["sent_at"])
    custody.record(events.MessageSent(actor=SYSTEM, subject=message.request.custody_id, kind=message.kind))
    if message.kind == Message.Kind.CONFIRMATION:
        _begin_days_to_confirm(message.request, message)
    elif message.pause is not None and message.pause.until is None:
        message.pause.since = message.sent_at
        message.pause.save(update_fields=["since"])


def _begin_days_to_confirm(request: Request, message: Message) -> None:
    if request.state != Request.State.UNCONFIRMED:
        return
    request.lapses_at = rules.lapses(request.received_at, message.sent_at)
    request.save(update_fields=["lapses_at"])
    request.matches.update(provisional_until=request.lapses_at)
    for recording in locked.many(request.matches.values_list("recording_id", flat=True)):
        if recording.state != Recording.State.DELETED:
            hooks.facts_changed.call(recording)


def _fresh(message_id: int) -> Message:
    request = Request.objects.select_for_update().get(messages=message_id)
    message = Message.objects.select_for_update(of=("self",)).select_related("pause").get(pk=message_id)
    message.request = request
    return message


def _confirmation(request: Request, token: str) -> EmailMessage:
    # Anybody may type anybody's address into the form: nothing that the sender wrote goes into this message.
    link = settings.BLUELAMP.base_url + reverse("public:confirm", args=[token])
    return _post(
        request,
        "Confirm your request for footage",
        f"Hello,\n\nSomebody gave this address in a request for police video. If it was you, please confirm it within "
        f"three days:\n{link}\n\nIf you did not ask for anything, ignore this message.",
    )


def _question(message: Message) -> EmailMessage:
    asked = message.pause.question if message.pause else ""
    return _post(
        message.request,
        "A question about your request",
        f"{message.request.name},\n\nTo find what you ask for we need to know:\n\n{asked}\n\n"
        f"{wording.how_to_answer(message.request)}",
    )


def _proofs(message: Message) -> EmailMessage:
    told = "\n\n".join(wording.how_to_prove(message.request))
    return _post(
        message.request,
        "Show us who you are",
        f"{message.request.name},\n\nYour request is confirmed. Whatever may show what you describe is kept until you "
        f"have an answer.\n\n{told}",
    )


def _extension(message: Message) -> EmailMessage:
    return _post(
        message.request,
        "Your request needs more time",
        f"{message.request.name},\n\nThe law allows two further months for requests that are complex or many. We need "
        f"them because: {message.request.extension_reason}\n\nYou may complain to the Information Commissioner.",
    )


_WRITTEN = {Message.Kind.QUESTION: _question, Message.Kind.EXTENSION: _extension, Message.Kind.PROOFS: _proofs}


def _post(request: Request, subject: str, body: str) -> EmailMessage:
    text = f"{body}\n\nYour reference: {request.reference}\n{settings.BLUELAMP.force}\n"
    if lines := wording.contact():
        text += "\n".join(("", "Write, call or come:", *lines, ""))
    return EmailMessage(f"{subject} ({request.reference})", text, to=[request.email])
