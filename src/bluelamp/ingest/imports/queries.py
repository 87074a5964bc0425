"""Reading imports: where each stands, what was wrong, and the whole list of its files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from bluelamp.footage.models import Recording
from bluelamp.ingest.imports import rules
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel.errors import NotFound

State = ImportItem.State

PROVEN = Q(checked_at__isnull=False, here_sha256=F("sha256")) & ~Q(sha256="")
DAMAGED = Q(state__in=ImportItem.HERE, checked_at__isnull=False) & ~Q(here_sha256=F("sha256"))
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
        damaged=of.items.filter(DAMAGED).count(),
    )
    return Standing(of, figures, rules.verdict(figures))


def showing(of: ImportRun) -> rules.Showing:
    """How many of a run's files were proven to be here and show nothing, or of how many the list could not be used in
    full; none while the run is under way."""
    if of.state in ImportRun.RUNNING:
        return rules.Showing()
    found = _with_looks(of.items.filter(PROVEN, state__in=ImportItem.HERE))
    counted = dict(found.order_by().values_list("looks").annotate(files=Count("pk")))
    counted["unused"] = items(of, state="unused").count()
    names = (field.name for field in dataclasses.fields(rules.Showing))
    return rules.Showing(**{name: counted.get(name, 0) for name in names})


def reasons(shown: Iterable[ImportItem]) -> dict[UUID, str]:
    """Why recordings of these files could not be prepared for viewing, by recording; those that are empty left out."""
    ids = [item.recording for item in shown if item.is_here and item.recording and item.taken_size]
    failed = Recording.objects.filter(pk__in=ids, processing=Recording.Processing.FAILED)
    return dict(failed.exclude(state=Recording.State.DELETED).values_list("pk", "processing_error"))


def _with_looks(found: QuerySet[ImportItem]) -> QuerySet[ImportItem]:
    """With `looks` beside each: a field of Showing, "" of what can be watched, None of what has been deleted.

    A scalar subquery, so that PostgreSQL asks for the recordings of this run one by one, and never for all there are.
    """
    how = Recording.Processing
    looks = Case(
        When(size=0, then=Value("empty")),
        When(processing=how.FAILED, then=Value("unplayable")),
        When(processing=how.KEYLESS, then=Value("keyless")),
        When(processing=how.WAITING, state=Recording.State.LIVE, then=Value("unprepared")),
        default=Value(""),
    )
    held = Recording.objects.filter(pk=OuterRef("recording")).exclude(state=Recording.State.DELETED)
    return found.annotate(looks=Subquery(held.annotate(looks=looks).values("looks")[:1]))


def items(of: ImportRun, *, state: str = "", words: str = "") -> QuerySet[ImportItem]:
    """A run's files in the order of its source. `state` "problems" shows whatever keeps it from being complete,
    "nothing" what was proven to be here and shows nothing, "unused" what was proven to be here and of which the list
    says something that could not be used."""
    found = of.items.order_by("pk")
    if state == "problems":
        found = found.filter(Q(state__in=ImportItem.PROBLEMS) | DAMAGED)
    elif state == "nothing":
        found = _with_looks(found.filter(PROVEN, state__in=ImportItem.HERE))
        found = found.filter(looks__in=("empty", "unplayable", "keyless"))
    elif state == "unused":
        found = found.filter(PROVEN, state=State.IMPORTED, facts__has_key="unused")
    elif state:
        found = found.filter(state=state)
    if words:
        found = found.filter(Q(path__icontains=words) | Q(sha256__startswith=words.lower()))
    return found


def every(found: QuerySet[ImportItem]) -> Iterator[ImportItem]:
    """All of them, a chunk at a time, so that memory stays flat."""
    return chain.from_iterable(chunks(found))


def chunks(found: QuerySet[ImportItem]) -> Iterator[list[ImportItem]]:
    """All of them, in lists of bounded length."""
    last = 0
    while chunk := list(found.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        yield chunk
        last = chunk[-1].pk
