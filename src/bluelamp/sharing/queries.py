"""Reading shares."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet, Sum

from bluelamp.cases import queries as cases
from bluelamp.custody import queries as ledger
from bluelamp.footage.models import Recording, Viewing
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.people.policy import Action, Actor, Thing, may
from bluelamp.retention.rules import RetentionReason
from bluelamp.sharing import rules
from bluelamp.sharing.models import Share


def standing(share: Share) -> rules.Standing:
    """Where a share stands now."""
    recording = share.recording
    live = recording.state == Recording.State.LIVE and recording.locked_at is None
    deleted = recording.state == Recording.State.DELETED
    return rules.standing(rules.ShareFacts(share.expires_at, share.revoked_at, live, deleted), clock.now())


def ended_at(share: Share, where: rules.Standing) -> datetime | None:
    """When a share that stands no more ended; None where its footage is only away for a while."""
    if where is rules.Standing.DELETED:
        deleted = ledger.search(tag="recording.deleted", subject=share.recording.custody_id, limit=1)
        return deleted[0].at if deleted else None
    return {rules.Standing.REVOKED: share.revoked_at, rules.Standing.EXPIRED: share.expires_at}.get(where)


def thing(share: Share) -> Thing:
    """What the policy needs to know about a share: who made it, and who has a role in its case, closed or not."""
    members = cases.people_of(share.case) if share.case else frozenset()
    return Thing(subject=share.custody_id, members=members, maker=share.created_by_id)


def grant_stands(viewing: Viewing) -> bool:
    """Whether a viewing under a share may still go on; asked at every request for bytes."""
    prefix, _, share_id = viewing.grant.partition(":")
    if prefix != "share":
        return False
    try:
        share = Share.objects.select_related("recording").filter(pk=UUID(share_id)).first()
    except (ValueError, ValidationError):
        return False
    if share is None or standing(share) is not rules.Standing.ACTIVE:
        return False
    return viewing.purpose == "view" or share.may_download


def by_token(token: str) -> Share | None:
    """The share that an invitation's link names, standing or not."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return Share.objects.select_related("recording", "recipient__organisation").filter(token_sha256=digest).first()


def of_recipient(recipient_id: UUID) -> QuerySet[Share]:
    """Everything shared with a recipient, newest first."""
    return Share.objects.filter(recipient_id=recipient_id).select_related("recording", "created_by", "case")


def visible_to(actor: Actor) -> QuerySet[Share]:
    """Shares that a person made or whose case they have a role in; managers and auditors see all."""
    shares = Share.objects.select_related("recording__wearer", "recipient__organisation", "created_by", "case")
    if may(actor, Action.VIEW_AUDIT).allowed or may(actor, Action.MANAGE_FLEET).allowed:
        return shares
    made = shares.filter(created_by_id=actor.id)
    in_case = shares.filter(case__members__person_id=actor.id, case__members__left_at=None)
    return (made | in_case).distinct()


def retention_reasons(recordings: Sequence[Recording]) -> dict[UUID, list[RetentionReason]]:
    """A share that stands keeps its recording until it expires: what was offered must be there."""
    shares = Share.objects.filter(recording__in=among(recording.pk for recording in recordings), revoked_at=None)
    found: dict[UUID, list[RetentionReason]] = defaultdict(list)
    for share in shares.filter(expires_at__gt=clock.now()):
        found[share.recording_id].append(
            RetentionReason(
                code=share.custody_id,
                title="Shared with a partner",
                why="it is shared with somebody outside the force",
                basis="Force policy: kept while a partner has access",
                until=share.expires_at,
            )
        )
    return found


def viewings(share: Share) -> QuerySet[Viewing]:
    """What the recipient opened under a share, newest first, with the bytes that left for each."""
    return (
        Viewing.objects.filter(grant=share.custody_id)
        .annotate(bytes_served=Sum(F("ranges__last_byte") - F("ranges__first_byte") + 1))
        .order_by("-opened_at")
    )
