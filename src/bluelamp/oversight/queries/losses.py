"""What was lost, since when at the earliest, what it touches, and what has come back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from bluelamp.custody import words
from bluelamp.oversight.models import Finding, Loss
from bluelamp.oversight.queries.checks import Dependent, dependents


@dataclass(frozen=True)
class Line:
    """One loss as a person reads it: the recording's name, what is wrong with which file, what hangs on it."""

    loss: Loss
    name: str
    files: tuple[str, ...]
    depends: Dependent
    names: tuple[str, ...]
    proposed_by: str
    accepted_by: str


@dataclass(frozen=True)
class Standing:
    """How many recordings are in each state."""

    lost: int
    accepted: int
    recovered: int
    deleted: int
    waiting: int


def standing() -> Standing:
    """Where all losses there ever were stand. `waiting`: proposed to be accepted."""
    counts = dict(Loss.objects.order_by().values_list("state").annotate(Count("pk")))
    waiting = Loss.objects.filter(state=Loss.State.LOST).exclude(proposed_by="").count()
    return Standing(*(counts.get(state, 0) for state in ("lost", "accepted", "recovered", "deleted")), waiting)


def all_of(state: str) -> QuerySet[Loss]:
    """The losses of a state (empty: all), the latest found first."""
    kept = Loss.objects.all() if not state else Loss.objects.filter(state=state)
    return kept.select_related("recording__camera")


def listing(losses: QuerySet[Loss] | list[Loss] | None) -> list[Line]:
    """The losses in words (all of them: None), with one question for each kind of thing that is named."""
    listed = list(all_of("")) if losses is None else list(losses)
    depends = dependents(loss.recording_id for loss in listed)
    files: dict[UUID, list[str]] = defaultdict(list)
    found = Finding.objects.filter(recording__in=[loss.recording_id for loss in listed], ended_at=None)
    for recording_id, name, problem in found.order_by("object_name").values_list("recording", "object_name", "problem"):
        label = Finding.Problem(problem).label
        files[recording_id].append(f"{name}: {label.lower()}" if name else label)
    ids = {f"recording:{loss.recording_id}" for loss in listed}
    ids |= {one for each in depends.values() for one in each.ids}
    ids |= {who for loss in listed for who in (loss.proposed_by, loss.accepted_by) if who}
    known = words.names(ids)
    return [
        Line(
            loss=loss,
            name=known[f"recording:{loss.recording_id}"],
            files=tuple(files[loss.recording_id]) if loss.ended_at is None else (),
            depends=depends[loss.recording_id],
            names=tuple(known[one] for one in depends[loss.recording_id].ids),
            proposed_by=known.get(loss.proposed_by, ""),
            accepted_by=known.get(loss.accepted_by, ""),
        )
        for loss in listed
    ]
