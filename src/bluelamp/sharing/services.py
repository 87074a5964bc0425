"""Verbs of sharing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from bluelamp import custody
from bluelamp.cases.models import Case
from bluelamp.footage import hooks
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording, Viewing
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Busy, Conflict, Invalid, NotAllowed
from bluelamp.kernel.transaction import on_commit
from bluelamp.people.models import Organisation, Person
from bluelamp.sharing import events, queries, rules
from bluelamp.sharing.models import Recipient, Share, SignInCode

_CODE_MINUTES = 10
_CODE_ATTEMPTS = 5
_CODES_AN_HOUR = 6


@custody.service
def share(
    recording: Recording,
    *,
    name: str,
    email: str,
    organisation: Organisation,
    summary: str,
    urn: str,
    may_download: bool,
    days: int,
    by: Person,
    case: Case | None = None,
) -> Share:
    """Share a flagged recording with a named person and send them the link.

    `days` until it expires. Raises Invalid for an address outside the organisation or an empty summary, Conflict for a
    recording that is not flagged, locked, or leaving.
    """
    recording = Recording.objects.select_for_update().get(pk=recording.pk)
    _must_be_shareable(recording)
    email, name = email.strip().lower(), name.strip()
    if not rules.email_fits(email, organisation.email_domains):
        raise Invalid(
            f"{email} is not an address of {organisation.name}.",
            "Nothing was shared.",
            f"Use an address that ends in {' or '.join(organisation.email_domains)}.",
        )
    if not 1 <= days <= rules.LONGEST_DAYS:
        raise Invalid(f"A share lasts from 1 to {rules.LONGEST_DAYS} days.", "Nothing was shared.")
    if not summary.strip():
        raise Invalid("Say in a sentence what the footage shows.", "Nothing was shared.")
    recipient = _recipient(name, email, organisation)
    now = clock.now()
    token, digest = _new_token()
    made = Share.objects.create(
        recording=recording,
        case=case,
        recipient=recipient,
        urn=urn.strip().upper(),
        summary=summary.strip(),
        may_download=may_download,
        token_sha256=digest,
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    custody.record(
        events.ShareCreated(
            actor=by.custody_id,
            subject=made.custody_id,
            also=_subjects(made),
            recording=recording.pk,
            recipient=f"{recipient.name} <{recipient.email}>",
            organisation=organisation.name,
            urn=made.urn,
            may_download=may_download,
            expires_at=made.expires_at,
        )
    )
    hooks.facts_changed.call(recording)
    on_commit(lambda: _send_invitation(made, token))
    return made


@custody.service
def send_again(share_: Share, *, by: Person) -> None:
    """Send the recipient a new link; the earlier one stops working. Raises Conflict for a share that has ended."""
    if queries.standing(share_) is not rules.Standing.ACTIVE:
        raise Conflict("This share has ended.", "Nothing was sent.", "Share the recording again.")
    token, digest = _new_token()
    Share.objects.filter(pk=share_.pk).update(token_sha256=digest)
    custody.record(events.InvitationSent(actor=by.custody_id, subject=share_.custody_id, also=_subjects(share_)))
    on_commit(lambda: _send_invitation(share_, token))


@custody.service
def revoke(share_: Share, *, by: Person, reason: str) -> None:
    """End a share at once: the next request for a byte is refused. Raises Conflict where it has been revoked before."""
    if not reason.strip():
        raise Invalid("Say why the share is revoked.", "It still stands.")
    changed = Share.objects.filter(pk=share_.pk, revoked_at=None).update(
        revoked_at=clock.now(), revoked_by=by, revoke_reason=reason.strip()
    )
    if not changed:
        raise Conflict("This share has been revoked already.", "Nothing was changed.")
    share_.refresh_from_db()
    ended = footage.close_viewings(share_.custody_id, actor=by.custody_id, reason="The share was revoked.")
    custody.record(
        events.ShareRevoked(
            actor=by.custody_id,
            subject=share_.custody_id,
            also=_subjects(share_),
            reason=reason.strip(),
            viewings_ended=ended,
        )
    )
    hooks.facts_changed.call(Recording.objects.select_for_update().get(pk=share_.recording_id))


@custody.service
def send_code(recipient: Recipient) -> None:
    """Send a one-time code to the recipient's address. Raises Busy after too many within an hour."""
    now = clock.real_now()
    Recipient.objects.select_for_update().get(pk=recipient.pk)
    if recipient.codes.filter(sent_at__gt=now - timedelta(hours=1)).count() >= _CODES_AN_HOUR:
        raise Busy(
            "Too many codes were asked for within an hour.",
            "What was shared with you is still there.",
            "Wait an hour, or use the newest code that you received.",
        )
    code = f"{secrets.randbelow(10**6):06}"
    SignInCode.objects.create(
        recipient=recipient,
        code_hmac=_code_hmac(recipient, code),
        sent_at=now,
        expires_at=now + timedelta(minutes=_CODE_MINUTES),
    )
    custody.record(events.CodeSent(actor="system:sharing", subject=recipient.custody_id))
    on_commit(lambda: _send_code(recipient, code))


@custody.service
def check_code(recipient: Recipient, code: str) -> bool:
    """Whether `code` is the recipient's newest, unused and in time; it works once. Every wrong try counts."""
    newest = (
        recipient.codes.select_for_update()
        .filter(used_at=None, expires_at__gt=clock.real_now(), attempts__lt=_CODE_ATTEMPTS)
        .order_by("-sent_at")
        .first()
    )
    given = "".join(character for character in code if character.isdigit())
    if newest is not None and constant_time_compare(newest.code_hmac, _code_hmac(recipient, given)):
        newest.used_at = clock.real_now()
        newest.save(update_fields=["used_at"])
        custody.record(events.RecipientSignedIn(actor=recipient.custody_id, subject=recipient.custody_id))
        return True
    if newest is not None:
        newest.attempts += 1
        newest.save(update_fields=["attempts"])
    custody.record(
        events.CodeRefused(
            actor="public",
            subject=recipient.custody_id,
            attempts=newest.attempts if newest else _CODE_ATTEMPTS,
        )
    )
    return False


@custody.service
def open_shared(share_: Share, *, session_key: str, purpose: str = "view") -> Viewing:
    """Open a shared recording's bytes to its recipient. Raises NotAllowed where the share does not admit it."""
    where = queries.standing(share_)
    if where is not rules.Standing.ACTIVE:
        raise NotAllowed(*ended_words(share_, where))
    if purpose == "download" and not share_.may_download:
        raise NotAllowed(
            "This footage was shared for watching only.",
            "It was not downloaded.",
            f"Ask {share_.created_by.name} if you need a copy.",
        )
    return footage.open_viewing(
        share_.recording,
        viewer=share_.recipient.custody_id,
        viewer_name=f"{share_.recipient.name}, {share_.recipient.organisation.name}",
        grant=share_.custody_id,
        reason=f"Shared by {share_.created_by.name}",
        session_key=session_key,
        purpose=purpose,
    )


@custody.service
def acknowledge(share_: Share) -> None:
    """The recipient confirms receipt; a second time changes nothing."""
    if not Share.objects.filter(pk=share_.pk, acknowledged_at=None).update(acknowledged_at=clock.now()):
        custody.nothing_changed()
        return
    custody.record(
        events.ShareAcknowledged(actor=share_.recipient.custody_id, subject=share_.custody_id, also=_subjects(share_))
    )


@custody.service
def record_refusal(actor: str, share_: Share, why: str) -> None:
    """Record that a recipient was refused a share."""
    custody.record(events.PortalRefused(actor=actor, subject=share_.custody_id, also=_subjects(share_), why=why))


@custody.unrecorded("words only")
def ended_words(share_: Share, where: rules.Standing) -> tuple[str, str, str]:
    """What a recipient is told about a share that does not stand."""
    why = {
        rules.Standing.EXPIRED: "This share has expired.",
        rules.Standing.REVOKED: "This share was ended by the police.",
        rules.Standing.GONE: "This footage is not available at the moment.",
    }[where]
    return why, "You can no longer watch it here.", f"Ask {share_.created_by.name} if you still need it."


def _must_be_shareable(recording: Recording) -> None:
    if recording.state != Recording.State.LIVE:
        raise Conflict("This recording is leaving or has gone.", "Nothing was shared.")
    if recording.locked_at is not None:
        raise Conflict(
            "This recording is locked after an incident.",
            "Nothing was shared.",
            "The post-incident manager decides who may see it, and when.",
        )
    if not recording.flags.filter(released_at=None).exists():
        raise Conflict(
            "Only footage flagged as evidence can be shared.",
            "Nothing was shared.",
            "Flag it as evidence first, with a category and a reason.",
        )


def _recipient(name: str, email: str, organisation: Organisation) -> Recipient:
    if not name:
        raise Invalid("Name the person whom you share with.", "Nothing was shared.")
    found = Recipient.objects.filter(email__iexact=email).first()
    if found is None:
        return Recipient.objects.create(name=name, email=email, organisation=organisation)
    if found.organisation_id != organisation.pk:
        raise Invalid(f"{email} is known as an address of {found.organisation.name}.", "Nothing was shared.")
    return found


def _subjects(share_: Share) -> tuple[str, ...]:
    also = [f"recording:{share_.recording_id}", share_.recipient.custody_id]
    return tuple(also + ([f"case:{share_.case_id}"] if share_.case_id else []))


def _new_token() -> tuple[str, str]:
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


def _code_hmac(recipient: Recipient, code: str) -> str:
    return salted_hmac("bluelamp.sharing.code", f"{recipient.pk}:{code}", algorithm="sha256").hexdigest()


def _send_invitation(share_: Share, token: str) -> None:
    link = settings.BLUELAMP.base_url + reverse("share:invitation", args=[token])
    body = (
        f"{share_.recipient.name},\n\n"
        f"{share_.created_by.name} of {settings.BLUELAMP.force} has shared footage with you"
        f"{f' (URN {share_.urn})' if share_.urn else ''}.\n\n"
        f"Watch it here, in your browser:\n{link}\n\n"
        "You will be asked for a one-time code, which we send to this address. The link is for you alone; "
        "every view and download is recorded.\n"
        f"It works until {share_.expires_at:%d %B %Y}.\n"
    )
    EmailMessage(f"Footage shared with you by {settings.BLUELAMP.force}", body, to=[share_.recipient.email]).send()


def _send_code(recipient: Recipient, code: str) -> None:
    body = (
        f"{recipient.name},\n\nYour one-time code is {code}\n\n"
        f"It works once, for {_CODE_MINUTES} minutes. If you did not ask for it, ignore this message.\n"
    )
    EmailMessage(f"Your code for {settings.BLUELAMP.force}", body, to=[recipient.email]).send()
