"""Shares themselves: made, sent again, revoked, opened, acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bluelamp import custody
from bluelamp.cases.models import Case
from bluelamp.footage import hooks
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording, Viewing
from bluelamp.footage.services import locked
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.models import Organisation, Person
from bluelamp.sharing import events, queries, rules
from bluelamp.sharing.models import Recipient, Share
from bluelamp.sharing.services import messages


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
    """Share a flagged recording with a named person and have the link sent to them.

    `days` until it expires. Raises Invalid for an address outside the organisation or known under another name, or an
    empty summary, Conflict for a recording that is not flagged, locked, or leaving.
    """
    recording = Recording.objects.select_for_update().get(pk=recording.pk)
    must_be_shareable(recording)
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
    made = Share.objects.create(
        recording=recording,
        case=case,
        recipient=recipient,
        urn=urn.strip().upper(),
        summary=summary.strip(),
        may_download=may_download,
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    custody.record(
        events.ShareCreated(
            actor=by.custody_id,
            subject=made.custody_id,
            also=subjects(made),
            recording=recording.pk,
            recipient=f"{recipient.name} <{recipient.email}>",
            organisation=organisation.name,
            urn=made.urn,
            may_download=may_download,
            expires_at=made.expires_at,
        )
    )
    hooks.facts_changed.call(recording)
    messages.defer_invitation(made)
    return made


@custody.service
def send_again(share_: Share, *, by: Person) -> None:
    """Have a new link sent; the earlier one stops working now. Raises Conflict for a share that has ended."""
    if queries.standing(share_) is not rules.Standing.ACTIVE:
        raise Conflict("This share has ended.", "Nothing was sent.", "Share the recording again.")
    Share.objects.filter(pk=share_.pk).update(token_sha256=None, invited_at=None)
    custody.record(events.InvitationRenewed(actor=by.custody_id, subject=share_.custody_id, also=subjects(share_)))
    messages.defer_invitation(share_)


@custody.service
def revoke(share_: Share, *, by: Person, reason: str) -> None:
    """End a share at once: the next request for a byte is refused.

    Raises Invalid without a reason, Conflict where it has been revoked before or its footage is deleted.
    """
    if not reason.strip():
        raise Invalid("Say why the share is revoked.", "It still stands.")
    # The recording's row comes first, as in its deletion, which clears what is written here.
    (recording,) = locked.many([share_.recording_id])
    if recording.state == Recording.State.DELETED:
        raise Conflict("This footage has been deleted, and the share ended with it.", "Nothing was changed.")
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
            also=subjects(share_),
            reason=reason.strip(),
            viewings_ended=ended,
        )
    )
    hooks.facts_changed.call(recording)


@custody.unrecorded("part of a recording's deletion, which is recorded")
def forget_content(recordings: Sequence[Recording]) -> None:
    """Clear what was written about recordings that are being deleted; that they were shared, with whom, stays known."""
    shares = Share.objects.filter(recording__in=among(recording.pk for recording in recordings))
    shares.update(summary="", urn="", revoke_reason="")


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
        events.ShareAcknowledged(actor=share_.recipient.custody_id, subject=share_.custody_id, also=subjects(share_))
    )


@custody.service
def record_refusal(actor: str, share_: Share, why: str) -> None:
    """Record that a recipient was refused a share."""
    custody.record(events.PortalRefused(actor=actor, subject=share_.custody_id, also=subjects(share_), why=why))


@custody.unrecorded("words only")
def ended_words(share_: Share, where: rules.Standing) -> tuple[str, str, str]:
    """What a recipient is told about a share that does not stand."""
    if where is rules.Standing.DELETED:
        return "This footage was deleted.", "There is nothing left to watch.", ""
    why = {
        rules.Standing.EXPIRED: "This share has expired.",
        rules.Standing.REVOKED: "This share was ended by the police.",
        rules.Standing.GONE: "This footage is not available at the moment.",
    }[where]
    return why, "You can no longer watch it here.", f"Ask {share_.created_by.name} if you still need it."


@custody.unrecorded("asks, changes nothing")
def must_be_shareable(recording: Recording) -> None:
    """Raises Conflict for a recording that is leaving, locked, or not flagged as evidence."""
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
    if _bare(found.name) != _bare(name):
        # Views are recorded under the name: two people behind one address would be told apart by nobody.
        raise Invalid(
            f"{email} is known as the address of {found.name}, not of {name}.",
            "Nothing was shared.",
            f"Share with {found.name}, or ask {name} for an address of their own.",
        )
    return found


def _bare(name: str) -> str:
    return " ".join(name.split()).casefold()


@custody.unrecorded("names what an event is also about")
def subjects(share_: Share) -> tuple[str, ...]:
    """What else an event about a share is about: its recording, recipient and case."""
    also = [f"recording:{share_.recording_id}", share_.recipient.custody_id]
    return tuple(also + ([f"case:{share_.case_id}"] if share_.case_id else []))
