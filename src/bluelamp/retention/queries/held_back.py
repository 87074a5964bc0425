"""Edits held back until a second person has looked at them, and the sample that must be looked at."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet, Sum

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import NotFound
from bluelamp.retention import rules
from bluelamp.retention.models import Look, Shortening

LOOK_COUNTS_FOR = timedelta(days=7)
"""What was opened before that has to be opened again: it may have changed since."""

JUST_NOW = timedelta(minutes=1)
"""Longer than any transaction takes."""

_HELD = "held_back"
_OF_THE_LIMIT = (Shortening.Cause.DATE, Shortening.Cause.CATEGORY)
_SAMPLE_SHARE = 0.1
_SMALLEST_SAMPLE = 5
_BASIS = "Force policy: no edit shortens retention without a second person"


@dataclass(frozen=True)
class HeldBack:
    """What waits for a second person: how many edits, and the bytes of their recordings."""

    count: int
    bytes: int


def reasons_of_shortenings(ids: Collection[UUID], policy: rules.Policy) -> dict[UUID, list[rules.RetentionReason]]:
    """What keeps recordings because an edit was held back, refused, or approved not long ago."""
    found: dict[UUID, list[rules.RetentionReason]] = defaultdict(list)
    held = Shortening.objects.filter(recording__in=among(ids)).exclude(state=Shortening.State.UNDONE)
    for each in held.order_by("pk"):
        found[each.recording_id].append(_reason(each, policy))
    return found


def _reason(held: Shortening, policy: rules.Policy) -> rules.RetentionReason:
    approved = held.state == Shortening.State.APPROVED
    until = held.not_before if approved else held.former_due_at
    # The default is a limit, whose deletion begins early so as to end inside it; and so must what stands in its place.
    before = policy.quarantine + (policy.margin if held.cause in _OF_THE_LIMIT else timedelta(0))
    whys = {
        Shortening.State.WAITING: "an edit would shorten its time, and a second person has not decided on that yet",
        Shortening.State.REFUSED: "an edit would have shortened its time, and a second person refused that",
        Shortening.State.APPROVED: "an edit that shortens its time was approved, and its cooling period comes first",
    }
    return rules.RetentionReason(
        code=f"{_HELD}:{held.pk}",
        title="Cooling period of an edit" if approved else "Edit held back",
        why=whys[Shortening.State(held.state)],
        basis=_BASIS,
        # What keeps in use until its date is followed by quarantine; these dates are when it is gone.
        until=None if until is None else until - before,
    )


def shortenings(state: str = Shortening.State.WAITING, cause: str = "") -> QuerySet[Shortening]:
    """Edits held back, the oldest first, of recordings that have not gone."""
    found = Shortening.objects.exclude(recording__state=Recording.State.DELETED).filter(state=state)
    if cause:
        found = found.filter(cause=cause)
    return found.select_related("recording__wearer", "recording__unit", "recording__camera", "recording__category")


def held_back() -> HeldBack:
    """How much waits for a second person."""
    found = shortenings().order_by().aggregate(count=Count("pk"), bytes=Sum("recording__size"))
    return HeldBack(found["count"], found["bytes"] or 0)


def shortening(shortening_id: int) -> Shortening:
    """One edit with its recording. Raises NotFound."""
    found = Shortening.objects.select_related("recording").filter(pk=shortening_id).first()
    if found is None:
        raise NotFound("There is no such edit.", "Nothing was changed.", "Look at the list of edits held back.")
    return found


def made_a_step_of(held: Shortening, person: str) -> bool:
    """Whether `person` (custody id) made the edit, or an earlier one of the same promise that nobody approved."""
    steps = Shortening.objects.filter(recording=held.recording_id, edited_by=person)
    steps = steps.exclude(state=Shortening.State.APPROVED)
    return held.edited_by == person or (held.source != "" and steps.filter(source=held.source).exists())


def sample(subjects: Iterable[str], person: str) -> list[str]:
    """Which of `subjects` (`shortening:7`) a person must look at before deciding on all of them together.

    One in ten, at least five, all where there are fewer; at random, but the same each time for the same person, so that
    nobody draws until the draw suits.
    """
    listed = list(subjects)
    size = max(_SMALLEST_SAMPLE, math.ceil(len(listed) * _SAMPLE_SHARE))
    key = settings.SECRET_KEY.encode()
    drawn = sorted(listed, key=lambda each: hmac.new(key, f"sample {person} {each}".encode(), hashlib.sha256).digest())
    return drawn[:size]


def looked_at(subjects: Iterable[str], person: str) -> dict[str, datetime]:
    """Those of `subjects` that the person has opened lately (`LOOK_COUNTS_FOR`), and when."""
    looks = Look.objects.filter(subject__in=list(subjects), by=person, at__gt=clock.now() - LOOK_COUNTS_FOR)
    return dict(looks.values_list("subject", "at"))
