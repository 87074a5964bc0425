"""Reading imports: where each stands, what was wrong, and the whole list of its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from bluelamp.footage.models import Recording
from bluelamp.ingest.imports import rules
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel.errors import NotFound

State = ImportItem.State

PROVEN = Q(checked_at__isnull=False, here_sha256=F("sha256")) & ~Q(sha256="")
_DAMAGED = Q(state__in=ImportItem.HERE, checked_at__isnull=False) & ~Q(here_sha256=F("sha256"))
_EMPTY = Q(state__in=ImportItem.HERE, taken_size=0)
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


def playing(of: ImportRun) -> rules.Playing:
    """How many of a run's files are here and show nothing, and why. Reads one row for each of its recordings."""
    held = of.items.filter(state__in=ImportItem.HERE)
    return rules.Playing(
        empty=of.items.filter(_EMPTY).count(),
        unplayable=held.filter(_prepared(Recording.Processing.FAILED)).exclude(_EMPTY).count(),
        unprepared=held.filter(_prepared(Recording.Processing.WAITING)).exclude(_EMPTY).count(),
    )


def unplayable(shown: Iterable[ImportItem]) -> dict[UUID, str]:
    """Why recordings of these files cannot be played, by recording."""
    stands = Recording.objects.filter(pk__in=[item.recording for item in shown if item.is_here and item.recording])
    failed = stands.filter(processing=Recording.Processing.FAILED).exclude(state=Recording.State.DELETED)
    return dict(failed.values_list("pk", "processing_error"))


def _prepared(how: Recording.Processing) -> Q:
    stands = Recording.objects.exclude(state=Recording.State.DELETED)
    return Q(recording__in=stands.filter(processing=how).values("pk"))


def items(of: ImportRun, *, state: str = "", words: str = "") -> QuerySet[ImportItem]:
    """A run's files in the order of its source. `state` "problems" shows whatever keeps it from being complete,
    "unplayable" what is here and shows nothing."""
    found = of.items.order_by("pk")
    if state == "problems":
        found = found.filter(Q(state__in=ImportItem.PROBLEMS) | _DAMAGED)
    elif state == "unplayable":
        found = found.filter(_EMPTY | _prepared(Recording.Processing.FAILED), state__in=ImportItem.HERE)
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
