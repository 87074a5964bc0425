"""Holds in a list, and the reviews that are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.people.policy import Role
from bluelamp.retention import rules
from bluelamp.retention.models import Hold
from bluelamp.retention.queries.decisions import decisions, policy

ROLE = "role:"


@dataclass(frozen=True)
class ReleasePreview:
    """What a release of holds would make due: of `count` recordings (`bytes`), by when they would be gone.

    `kept` have no date even then; `soon` would be gone within the time for review and a week, the first at `first_due`.
    """

    count: int
    bytes: int
    kept: int
    soon: int
    first_due: datetime | None


def preview_release(holds: QuerySet[Hold]) -> ReleasePreview:
    """What releasing these standing holds would make due: the rules themselves say, as if they stood no longer."""
    standing = dict(holds.filter(released_at=None).values_list("pk", "recording"))
    kept = Recording.objects.exclude(state=Recording.State.DELETED)
    held = kept.filter(pk__in=among(standing.values()))
    incidents = held.exclude(incident=None).values_list("incident", flat=True)
    listed = list(kept.filter(Q(pk__in=held.values("pk")) | Q(incident__in=among(incidents))))
    found = decisions(listed, without_holds=standing)
    now, periods = clock.now(), policy()
    due = sorted(
        max(decision.due_at, rules.grace_when_a_reason_ends(decision, now, periods) or decision.due_at)
        for decision in found.values()
        if decision.due_at is not None
    )
    soon = now + periods.review_grace + timedelta(days=7)
    return ReleasePreview(
        count=len(found),
        bytes=sum(recording.size for recording in listed),
        kept=len(found) - len(due),
        soon=sum(at <= soon for at in due),
        first_due=due[0] if due else None,
    )


def holds(
    *, state: str = "standing", kind: str = "", owner: str = "", placed_by: str = "", words: str = ""
) -> QuerySet[Hold]:
    """Holds by what is asked for. `state`: standing, due (for review), without_review, released, or "" for all."""
    found = Hold.objects.select_related("recording__wearer", "recording__unit", "recording__camera")
    now = clock.now()
    conditions = {
        "standing": Q(released_at=None),
        "due": Q(released_at=None, review_at__lte=now),
        "without_review": Q(released_at=None, review_at=None),
        "released": Q(released_at__isnull=False),
    }
    if state in conditions:
        found = found.filter(conditions[state])
    if kind:
        found = found.filter(kind=kind)
    if owner:
        found = found.filter(owner=owner)
    if placed_by:
        found = found.filter(placed_by=placed_by)
    if words:
        found = found.filter(reason__icontains=words)
    return (
        found.order_by("-released_at", "-placed_at", "-pk")
        if state == "released"
        else found.order_by("review_at", "placed_at", "pk")
    )


def holds_due() -> QuerySet[Hold]:
    """Standing holds whose review is due, the longest overdue first."""
    return holds(state="due")


def today() -> date:
    """London's date."""
    return clock.now().astimezone(rules.LONDON).date()


def roles_that_own() -> list[tuple[str, str]]:
    """Roles that may own a hold, by what stands in it, with their words."""
    owning = (Role.BWV_MANAGER, Role.RIGHTS_OFFICER, Role.PROFESSIONAL_STANDARDS)
    return [(f"{ROLE}{role.value}", role.words) for role in owning]


def holds_by_kind() -> dict[str, dict[str, Any]]:
    """How many standing holds there are of each kind, with the bytes of their recordings."""
    found = (
        Hold.objects.filter(released_at=None).values("kind").annotate(count=Count("pk"), bytes=Sum("recording__size"))
    )
    return {row["kind"]: row for row in found.order_by()}
