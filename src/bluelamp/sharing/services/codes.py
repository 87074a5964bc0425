"""Recipients' one-time codes: asked for, sent, entered.

Asking puts a job into the queue and does nothing else, for a known address as for any other, so that neither the
answer nor the time it takes tells which are known. A code opens only the session that asked for it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Sum
from django.utils.crypto import constant_time_compare, salted_hmac
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.kernel import clock
from bluelamp.sharing import events, rules
from bluelamp.sharing.models import Recipient, Share, SignInCode

_CODE_MINUTES = 10
_CODES_AN_HOUR = 6
_DAY = timedelta(hours=24)


@custody.unrecorded("puts a job into the queue; what it sends is recorded when it leaves")
def ask_for_code(email: str) -> str:
    """Have a code sent to an address, if something is shared with it. Returns the ticket for the asker's session."""
    ticket = secrets.token_urlsafe(24)
    app.configure_task("sharing.send_code").defer(
        email=email.strip().lower(), ticket_sha256=_digest(ticket), asked_at=clock.real_now().isoformat()
    )
    return ticket


@custody.service
def send_code(email: str, ticket_sha256: str, asked_at: datetime) -> None:
    """Send a one-time code for the session that holds the ticket; earlier codes of the address end with it.

    Nothing is sent to an address with which nothing is shared, after too many codes within an hour or wrong tries
    within a day, for a request that is too old, or once a later one was answered.
    """
    now = clock.real_now()
    recipient = (
        Recipient.objects.select_for_update(no_key=True)
        .filter(email__iexact=email, pk__in=Share.objects.filter(revoked_at=None).values("recipient"))
        .first()
    )
    if (
        recipient is None
        or now - asked_at > timedelta(minutes=_CODE_MINUTES)
        or recipient.codes.filter(sent_at__gt=asked_at).exists()
        or recipient.codes.filter(sent_at__gt=now - timedelta(hours=1)).count() >= _CODES_AN_HOUR
        or _wrong_tries(recipient, now) >= rules.WRONG_TRIES_A_DAY
    ):
        custody.nothing_changed()
        return
    code = f"{secrets.randbelow(10**6):06}"
    SignInCode.objects.create(
        recipient=recipient,
        ticket_sha256=ticket_sha256,
        code_hmac=_code_hmac(recipient, code),
        sent_at=now,
        expires_at=now + timedelta(minutes=_CODE_MINUTES),
    )
    custody.record(events.CodeSent(actor="system:sharing", subject=recipient.custody_id))
    _send(recipient, code)


@custody.service
def check_code(ticket: str, code: str) -> Recipient | None:
    """The recipient whom a code signs in, or None. It must be the newest, asked for with this ticket, and in time.

    It works once. Every wrong try counts; the tenth within a day stops codes for the address, and whoever shares with
    it is told.
    """
    now = clock.real_now()
    asked = SignInCode.objects.filter(ticket_sha256=_digest(ticket)).values_list("recipient_id", flat=True).first()
    if asked is None:
        custody.nothing_changed()
        return None
    recipient = Recipient.objects.select_for_update(no_key=True).get(pk=asked)
    newest = recipient.codes.latest("sent_at")
    facts = rules.CodeFacts(newest.expires_at, newest.used_at is not None, newest.attempts)
    tries = _wrong_tries(recipient, now)
    works = newest.ticket_sha256 == _digest(ticket) and rules.code_works(facts, now) and tries < rules.WRONG_TRIES_A_DAY
    given = "".join(character for character in code if character.isdigit())
    if works and constant_time_compare(newest.code_hmac, _code_hmac(recipient, given)):
        newest.used_at = now
        newest.save(update_fields=["used_at"])
        custody.record(events.RecipientSignedIn(actor=recipient.custody_id, subject=recipient.custody_id))
        return recipient
    if works:
        newest.attempts += 1
        newest.save(update_fields=["attempts"])
    custody.record(events.CodeRefused(actor="public", subject=recipient.custody_id, attempts=newest.attempts))
    if works and tries + 1 >= rules.WRONG_TRIES_A_DAY:
        _stop_codes(recipient)
    return None


@custody.unrecorded("codes that have run out say nothing that the ledger does not")
def forget_old_codes() -> None:
    """Remove codes that count for nothing any more, a day after they were sent."""
    SignInCode.objects.filter(sent_at__lt=clock.real_now() - 2 * _DAY).delete()


def _stop_codes(recipient: Recipient) -> None:
    custody.record(events.CodesStopped(actor="system:sharing", subject=recipient.custody_id))
    standing = Share.objects.filter(recipient=recipient, revoked_at=None, expires_at__gt=clock.now())
    for person_id in standing.order_by("created_by_id").values_list("created_by_id", flat=True).distinct():
        app.configure_task("sharing.warn_sharer").defer(recipient_id=str(recipient.pk), person_id=person_id)


def _wrong_tries(recipient: Recipient, now: datetime) -> int:
    return recipient.codes.filter(sent_at__gt=now - _DAY).aggregate(tries=Sum("attempts"))["tries"] or 0


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def _code_hmac(recipient: Recipient, code: str) -> str:
    return salted_hmac("bluelamp.sharing.code", f"{recipient.pk}:{code}", algorithm="sha256").hexdigest()


def _send(recipient: Recipient, code: str) -> None:
    body = (
        f"{recipient.name},\n\nYour one-time code is {code}\n\n"
        f"It works once, for {_CODE_MINUTES} minutes, in the browser in which it was asked for. "
        "If you did not ask for it, ignore this message.\n"
    )
    EmailMessage(f"Your code for {settings.BLUELAMP.force}", body, to=[recipient.email]).send()
