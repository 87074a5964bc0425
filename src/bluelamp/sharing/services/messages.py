"""Messages to recipients and sharers. They leave in jobs, tried again until the mail server takes them.

Nothing here holds a row lock while the mail server answers: revoking a share must not wait for it.
"""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.kernel import clock
from bluelamp.people.models import Person
from bluelamp.sharing import events, queries, rules
from bluelamp.sharing.models import Recipient, Share
from bluelamp.web import filters


@custody.unrecorded("puts a job into the queue; what it sends is recorded when it leaves")
def defer_invitation(share_: Share) -> None:
    """Have the link sent once this transaction is committed; if it is rolled back, nothing is."""
    app.configure_task("sharing.send_invitation").defer(share_id=str(share_.pk))


@custody.service
def send_invitation(share_id: UUID) -> None:
    """Send a share's link; nothing where the share has ended. Whatever the mail server raises goes to the caller.

    The token is made here and only its hash kept, after the message has left: what was never sent opens nothing.
    """
    share = Share.objects.select_related("recording", "recipient", "created_by").get(pk=share_id)
    if queries.standing(share) is not rules.Standing.ACTIVE:
        custody.nothing_changed()
        return
    token = secrets.token_urlsafe(32)
    _send(share, token)
    Share.objects.filter(pk=share.pk).update(
        token_sha256=hashlib.sha256(token.encode()).hexdigest(), invited_at=clock.now()
    )
    custody.record(
        events.InvitationSent(
            actor="system:sharing",
            subject=share.custody_id,
            also=(f"recording:{share.recording_id}", share.recipient.custody_id),
        )
    )


@custody.unrecorded("sends a message; that codes were stopped is recorded where it is decided")
def warn_sharer(recipient_id: UUID, person_id: int) -> None:
    """Tell somebody who shares with a recipient that wrong codes were tried under the recipient's address."""
    recipient, person = Recipient.objects.get(pk=recipient_id), Person.objects.get(pk=person_id)
    if not person.email:
        return
    body = (
        f"{person.name},\n\n"
        f"Somebody entered {rules.WRONG_TRIES_A_DAY} wrong one-time codes within 24 hours for {recipient.name} "
        f"({recipient.email}), with whom you share footage.\n\n"
        "Nothing was opened by them. No more codes are sent to this address until 24 hours have passed.\n"
        "Ask the recipient, by telephone, whether it was them. If not, tell professional standards, and revoke the "
        f"share if in doubt:\n{settings.BLUELAMP.base_url}{reverse('shares:index')}\n"
    )
    EmailMessage("Wrong codes for footage that you share", body, to=[person.email]).send()


def _send(share: Share, token: str) -> None:
    link = settings.BLUELAMP.base_url + reverse("share:invitation", args=[token])
    body = (
        f"{share.recipient.name},\n\n"
        f"{share.created_by.name} of {settings.BLUELAMP.force} has shared footage with you"
        f"{f' (URN {share.urn})' if share.urn else ''}.\n\n"
        f"Watch it here, in your browser:\n{link}\n\n"
        "You will be asked for a one-time code, which we send to this address. The link is for you alone; "
        "every view and download is recorded.\n"
        f"It works until {filters.london(share.expires_at).striptags()}, London time.\n"
    )
    EmailMessage(f"Footage shared with you by {settings.BLUELAMP.force}", body, to=[share.recipient.email]).send()
