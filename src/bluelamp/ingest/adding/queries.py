"""Reading additions, for whoever made them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bluelamp.footage.models import Recording
from bluelamp.ingest.adding.errors import AdditionUnknown
from bluelamp.ingest.models import AddedFile, Addition, Upload
from bluelamp.people import access
from bluelamp.people.policy import Action, Actor, Thing

_MOST_OPEN = 10


@dataclass(frozen=True)
class File:
    """One file of an addition as the page shows it. `recording`: what it became, or what was here already (`twin`).

    `name`: of a twin that of the recording, since the name under which it was sent ended with its upload.
    """

    upload: Upload
    name: str
    mark: str
    recording: Recording | None = None
    is_twin: bool = False

    @property
    def state(self) -> str:
        """here, twin, gone, arriving, settling or rejected."""
        if self.is_twin:
            return "twin"
        if self.recording is not None:
            return "gone" if self.has_left else "here"
        if self.upload.state == Upload.State.RECEIVED or self.upload.offset == self.upload.length:
            return "rejected" if self.upload.state == Upload.State.REJECTED else "settling"
        return "rejected" if self.upload.state == Upload.State.REJECTED else "arriving"

    @property
    def title(self) -> str:
        """What stands above it: its name, or of a twin whose bytes it has."""
        if not self.is_twin:
            return self.name
        if self.has_left:
            return "A file with the same bytes as one that was here"
        return f"A file with the same bytes as {self.name}, which is here already"

    @property
    def has_left(self) -> bool:
        """Whether the recording has been deleted."""
        return self.recording is not None and self.recording.state == Recording.State.DELETED

    @property
    def is_being_prepared(self) -> bool:
        """Whether it is here and will soon be known to show something, or nothing."""
        waiting = self.recording is not None and self.recording.processing == Recording.Processing.WAITING
        return self.state == "here" and waiting

    @property
    def cannot_be_shown(self) -> bool:
        """Whether it is here and could not be prepared for viewing."""
        return self.recording is not None and self.recording.processing == Recording.Processing.FAILED

    @property
    def percent(self) -> int:
        """How much of it has arrived, rounded down."""
        return 100 * self.upload.offset // (self.upload.length or 1)

    @property
    def problem(self) -> str:
        """Why it was rejected."""
        return str(self.upload.problem.get("detail", ""))


def addition_of(actor: Actor, addition_id: str | UUID, path: str) -> Addition:
    """The addition that `actor` began. Raises AdditionUnknown; for another's too, and that is recorded."""
    try:
        wanted = UUID(str(addition_id))
    except ValueError:
        raise AdditionUnknown from None
    found = Addition.objects.select_related("maker", "category", "unit").filter(pk=wanted).first()
    if found is None:
        raise AdditionUnknown
    if found.maker_id != actor.id:
        thing = Thing(subject=found.custody_id)
        access.refuse(actor, Action.ADD_FOOTAGE, thing, path, "Somebody else began this addition.")
        raise AdditionUnknown
    return found


def files(addition: Addition) -> list[File]:
    """Its files, the newest first; those given up are left out."""
    rows = list(
        AddedFile.objects.filter(addition=addition)
        .exclude(upload__state=Upload.State.ABANDONED)
        .select_related("upload")
        .order_by("-upload__created_at", "-pk")
    )
    ids = {row.twin or row.recording for row in rows}
    found = Recording.objects.defer("manifest", "track", "waveform", "search", "storyboard").in_bulk(ids)
    return [_file(row, found.get(row.twin or row.recording)) for row in rows]


def open_additions(actor: Actor) -> list[Addition]:
    """What the person began and has not marked as finished, the newest first."""
    return list(Addition.objects.filter(maker=actor.id, closed_at=None).order_by("-opened_at")[:_MOST_OPEN])


def _file(row: AddedFile, recording: Recording | None) -> File:
    name = row.upload.filename or (recording.filename if recording else "")
    return File(row.upload, name or "A file", row.mark, recording, row.twin is not None)
