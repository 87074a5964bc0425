"""What waits for somebody to decide: footage that nobody has said anything of and that goes soon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet

from bluelamp.footage.models import EvidenceFlag, Recording
from bluelamp.kernel import clock
from bluelamp.people.models import Person

SOON = timedelta(days=7)


@dataclass(frozen=True)
class Undecided:
    """The first of them, those that go first at the top, and how many there are in all."""

    recordings: list[Recording]
    count: int


def undecided(*, wearer: Person | None = None, units: Iterable[int] = (), limit: int = 5) -> Undecided:
    """Footage that goes within SOON, with neither a flag nor a category nor a lock: of a wearer, or of units.

    What is in quarantine counts as well: a flag still brings it back.
    """
    now, states = clock.now(), (Recording.State.LIVE, Recording.State.QUARANTINED)
    found = _of(wearer, units).filter(state__in=states, due_at__lte=now + SOON, category=None, locked_at=None)
    found = found.exclude(Exists(EvidenceFlag.objects.filter(recording=OuterRef("pk"), released_at=None)))
    return Undecided(list(found.order_by("due_at")[:limit]), found.count())


def in_review(*, units: Iterable[int], limit: int = 5) -> Undecided:
    """Footage of units that came late and was given time, which runs, for somebody to look at it."""
    found = _of(None, units).filter(state=Recording.State.LIVE, review_until__gt=clock.now())
    return Undecided(list(found.order_by("review_until")[:limit]), found.count())


def lately_by(wearer: Person, limit: int = 5) -> list[Recording]:
    """The wearer's latest recordings that have not been deleted."""
    return list(_shown(Recording.objects.filter(wearer=wearer).exclude(state=Recording.State.DELETED))[:limit])


def _of(wearer: Person | None, units: Iterable[int]) -> QuerySet[Recording]:
    found = Recording.objects.all()
    return _shown(found.filter(wearer=wearer) if wearer is not None else found.filter(unit_id__in=list(units)))


def _shown(found: QuerySet[Recording]) -> QuerySet[Recording]:
    return found.select_related("wearer", "unit").defer("manifest", "track", "waveform", "search", "storyboard")
