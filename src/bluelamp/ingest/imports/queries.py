"""Reading imports: where each stands, what was wrong, and the whole list of its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from bluelamp.ingest.imports import rules
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel.errors import NotFound

State = ImportItem.State

PROVEN = Q(checked_at__isnull=False, here_sha256=F("sha256")) & ~Q(sha256="")
_DAMAGED = Q(state__in=ImportItem.HERE, checked_at__isnull=False) & ~Q(here_sha256=F("sha256"))
_CHUNK = 2000


@dataclass(frozen=True)
class Standing:
    """One run, its figures and its verdict."""

    run: ImportRun
    figures: rules.Standing
    verdict: rules.Verdict

    @property
    def done(self) -> int:
        """Files that need no more work."""
        return self.figures.files - self.figures.count("waiting").files


def run(run_id: int) -> ImportRun:
    """One run. Raises NotFound."""
    found: ImportRun | None = ImportRun.objects.filter(pk=run_id).first()
    if found is None:
        raise NotFound("There is no import with that number.", "Nothing was changed.", "Look at the list of imports.")
    return found


def latest(identity: str) -> ImportRun | None:
    """The last run of a source."""
    found: ImportRun | None = ImportRun.objects.filter(identity=identity).order_by("-pk").first()
    return found


def runs() -> QuerySet[ImportRun]:
    """All runs, the latest first."""
    return ImportRun.objects.all()


def standing(of: ImportRun, *, finishing: bool = False) -> Standing:
    """Where a run stands. `finishing`: judge it as what it is when its work has just ended."""
    size = Coalesce("source_size", "taken_size", "claimed_size", 0)
    counted = (
        of.items.order_by()
        .values("state")
        .annotate(
            files=Count("pk"),
            bytes=Coalesce(Sum(size), 0),
            proven_files=Count("pk", filter=PROVEN),
            proven_bytes=Coalesce(Sum("here_size", filter=PROVEN), 0),
        )
    )
    states = {
        row["state"]: rules.Count(row["files"], int(row["bytes"]), row["proven_files"], int(row["proven_bytes"]))
        for row in counted
    }
    figures = rules.Standing(
        states=states,
        notes=tuple(of.notes),
        running=not finishing and of.state in ImportRun.RUNNING,
        has_manifest=of.has_manifest,
        claimed_files=of.items.filter(in_manifest=True).count() if of.has_manifest else 0,
        damaged=of.items.filter(_DAMAGED).count(),
    )
    return Standing(of, figures, rules.verdict(figures))


def items(of: ImportRun, *, state: str = "", words: str = "") -> QuerySet[ImportItem]:
    """A run's files in the order of its source. `state` "problems" shows whatever keeps it from being complete."""
    found = of.items.order_by("pk")
    if state == "problems":
        found = found.filter(Q(state__in=ImportItem.PROBLEMS) | _DAMAGED)
    elif state:
        found = found.filter(state=state)
    if words:
        found = found.filter(Q(path__icontains=words) | Q(sha256__startswith=words.lower()))
    return found


def every(found: QuerySet[ImportItem]) -> Iterator[ImportItem]:
    """All of them, a chunk at a time, so that memory stays flat."""
    last = 0
    while chunk := list(found.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        yield from chunk
        last = chunk[-1].pk
