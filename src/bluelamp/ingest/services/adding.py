"""Footage from elsewhere: a person says what it is and sends files; what was said becomes part of each recording."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from bluelamp import custody
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Recording
from bluelamp.ingest.adding import errors
from bluelamp.ingest.adding.events import AdditionClosed, AdditionOpened, RecordingAdded, RecordingAddedAgain
from bluelamp.ingest.arrival import Arrival
from bluelamp.ingest.models import AddedFile, Addition, Upload
from bluelamp.ingest.services import deposits
from bluelamp.ingest.services.uploads import abandon, most_bytes, release
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import Conflict
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, may
from bluelamp.web.filters import clock_error

MOST_UNFINISHED = 50
"""Files on their way that one person may have at once."""

CLOSED_AFTER = timedelta(days=30)
"""How long an addition takes files, unless its maker ends it before."""

_LONGEST_NAME = 255
_MARK = re.compile(r"[0-9a-f]{64}")
_ACTOR = "system:intake"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a person says of the files. `shown_at` is aware: what the clock showed, read as London's.

    `offset` is what must be added to it to come to the right time; `reference` is (kind, number).
    """

    kind: str
    place: str
    shown_at: datetime
    clock: str
    offset: timedelta = timedelta()
    handed_over: str = ""
    exhibit: str = ""
    reference: tuple[str, str] | None = None
    category: Category | None = None
    is_evidence: bool = False
    reason: str = ""


@custody.service
def open_addition(said: Said, *, by: Person) -> Addition:
    """Keep what is said, before any file is sent."""
    made = Addition.objects.create(
        kind=said.kind,
        place=said.place,
        shown_at=said.shown_at,
        clock=said.clock,
        clock_offset_ms=round(said.offset / timedelta(milliseconds=1)),
        handed_over=said.handed_over,
        exhibit=said.exhibit,
        reference_kind=said.reference[0] if said.reference else "",
        reference=said.reference[1] if said.reference else "",
        category=said.category,
        is_evidence=said.is_evidence,
        reason=said.reason,
        maker=by,
        unit=by.unit,
        opened_at=clock.now(),
    )
    custody.record(
        AdditionOpened(
            actor=by.custody_id,
            subject=made.custody_id,
            kind=made.kind,
            shown_at=made.shown_at,
            clock=made.clock,
            offset_ms=made.clock_offset_ms,
            is_evidence=made.is_evidence,
        )
    )
    return made


@custody.service
def add_file(addition: Addition, *, length: int, filename: str, mark: str = "", metadata: str = "") -> Upload:
    """A new upload of one of the addition's files (`length` bytes), at offset 0.

    Raises AdditionIsClosed, TooManyUnfinished, FileIsEmpty, FileIsTooLarge, StorageFull.
    """
    custody.nothing_changed()  # bytes on their way are no recording yet; their end, good or bad, is recorded
    addition = Addition.objects.select_for_update(of=("self",)).select_related("maker").get(pk=addition.pk)
    if addition.closed_at is not None:
        raise errors.AdditionIsClosed
    if length == 0:
        raise errors.FileIsEmpty
    if length > most_bytes():
        raise errors.FileIsTooLarge(length, most_bytes())
    owner = addition.maker.custody_id
    if Upload.objects.filter(owner=owner, state=Upload.State.RECEIVING).count() >= MOST_UNFINISHED:
        raise errors.TooManyUnfinished(MOST_UNFINISHED)
    upload = deposits.announce(
        origin=Upload.Origin.BROWSER,
        owner=owner,
        arrival=_arrival(addition, plain_name(filename)),
        length=length,
        metadata=metadata,
    )
    AddedFile.objects.create(
        addition=addition, upload=upload, recording=upload.recording_id, mark=mark if _MARK.fullmatch(mark) else ""
    )
    return upload


@custody.service
def finish(addition: Addition, *, actor: str, reason: str = "") -> int:
    """Take no more files. Those that have not arrived whole are given up; returns how many."""
    addition = Addition.objects.select_for_update().get(pk=addition.pk)
    if addition.closed_at is not None:
        custody.nothing_changed()
        return 0
    given_up = 0
    for upload in Upload.objects.filter(added_file__addition=addition, state=Upload.State.RECEIVING):
        if abandon(upload.pk, actor=actor, reason=reason or "Its addition was marked as finished."):
            given_up += 1
    addition.closed_at = clock.now()
    addition.save(update_fields=["closed_at"])
    here = Recording.objects.filter(pk__in=addition.files.values("recording")).count()
    custody.record(
        AdditionClosed(actor=actor, subject=addition.custody_id, reason=reason, here=here, given_up=given_up)
    )
    return given_up


@custody.unrecorded("removes only what an event has already said to have ended")
def clear_given_up(addition: Addition) -> None:
    """Remove what given-up files left, after `finish` has committed; what is being written goes with the recovery."""
    for upload in Upload.objects.filter(added_file__addition=addition, state=Upload.State.ABANDONED, cleared=False):
        release(upload.pk)


@custody.service
def tidy() -> int:
    """Close additions that were left open, and forget what was said where no recording of it is left. Returns how many
    were closed or forgotten."""
    custody.nothing_changed()
    done = 0
    for addition in Addition.objects.filter(closed_at=None, opened_at__lt=clock.now() - CLOSED_AFTER)[:500]:
        if not Upload.objects.filter(added_file__addition=addition, state__in=Upload.LIVE).exists():
            finish(addition, actor=_ACTOR, reason=f"Left open for {CLOSED_AFTER.days} days.")
            done += 1
    kept = Recording.objects.exclude(state=Recording.State.DELETED).filter(pk=OuterRef("recording"))
    on_the_way = AddedFile.objects.filter(addition=OuterRef("pk"), upload__state__in=Upload.LIVE)
    here = AddedFile.objects.filter(Exists(kept), addition=OuterRef("pk"))
    over = Addition.objects.filter(~Exists(on_the_way), ~Exists(here), closed_at__isnull=False, forgotten=False)
    for addition in over[:500]:
        _forget(addition)
        done += 1
    return done


@custody.unrecorded("each file of an addition records recording.added")
def accepted(recordings: Iterable[Recording]) -> None:
    """In the transaction of acceptance: what was said becomes part of the recordings. Raises AlreadyHere."""
    for recording in recordings:
        if "addition" in recording.manifest:
            _say_what_was_said(recording)


@custody.service
def _say_what_was_said(recording: Recording) -> None:
    custody.nothing_changed()  # of a file that belongs to no addition any more
    added = _added(recording)
    if added is None:
        return
    twin = _twin(recording, added.addition)
    if twin is not None:
        raise errors.AlreadyHere(twin.pk)
    AddedFile.objects.filter(pk=added.pk).update(mark="")
    custody.record(
        RecordingAdded(
            actor=added.addition.maker.custody_id,
            subject=recording.custody_id,
            also=(added.addition.custody_id,),
            addition=added.addition.pk,
            kind=added.addition.kind,
            clock=added.addition.clock,
        )
    )
    _say(recording, added.addition)


@custody.service
def refused(upload: Upload, error: Conflict) -> None:
    """Acceptance found the same bytes here already: what was said is said of that recording, as far as its maker may.

    Raises Conflict where that recording is leaving in this very moment: then the file is accepted later after all.
    """
    custody.nothing_changed()
    if not isinstance(error, errors.AlreadyHere):
        return
    added = AddedFile.objects.select_related("addition__maker", "addition__category").get(upload=upload)
    twin = Recording.objects.select_for_update().get(pk=error.twin)
    if twin.state != Recording.State.LIVE:
        raise Conflict("The recording with the same bytes is leaving just now.", "The file that arrived is kept.")
    AddedFile.objects.filter(pk=added.pk).update(twin=twin.pk, mark="")
    custody.record(
        RecordingAddedAgain(
            actor=added.addition.maker.custody_id,
            subject=twin.custody_id,
            also=(added.addition.custody_id,),
            addition=added.addition.pk,
            sha256=twin.sha256,
        )
    )
    maker = access.actor(added.addition.maker)
    thing = footage_queries.thing(twin)
    _say(
        twin,
        added.addition,
        flags=may(maker, Action.FLAG, thing).allowed,
        notes=may(maker, Action.NOTE, thing).allowed,
    )


@custody.unrecorded("part of footage's deletion, which records recording.deleted")
def deleted(recordings: Sequence[Recording]) -> None:
    """Forget what was said of closed additions with their last recordings."""
    ids = [recording.pk for recording in recordings]
    files = AddedFile.objects.filter(recording__in=among(ids), addition__closed_at__isnull=False)
    additions = set(files.values_list("addition", flat=True))
    if not additions:
        return
    others = AddedFile.objects.filter(addition__in=additions).exclude(recording__in=ids)
    here = Recording.objects.exclude(state=Recording.State.DELETED).values("pk")
    left = others.filter(Q(upload__state__in=Upload.LIVE) | Q(recording__in=here)).values_list("addition", flat=True)
    for addition in Addition.objects.filter(pk__in=additions.difference(left)):
        _forget(addition)


@custody.unrecorded("reads a text")
def plain_name(filename: str) -> str:
    """A file's name as it may be shown: without folders, control characters and what turns the direction of text."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C")
    return plain.strip()[:_LONGEST_NAME] or "without a name"


@custody.unrecorded("reads what was said")
def provenance(addition: Addition) -> str:
    """Where the file came from, as a note of the recording."""
    said = [f"{addition.get_kind_display()}. Handed over: {addition.handed_over}"]
    if addition.exhibit:
        said.append(f"Exhibit reference: {addition.exhibit}")
    said.append(f"Its clock: {clock_words(addition)}")
    return "\n".join(said)


@custody.unrecorded("reads what was said")
def clock_words(addition: Addition) -> str:
    """How the clock of the footage was, in words."""
    if addition.clock not in (Addition.Clock.FAST, Addition.Clock.SLOW):
        return "right." if addition.clock == Addition.Clock.RIGHT else "not compared with the right time."
    return f"{clock_error(addition.clock_offset_ms)}; the times here are corrected."


def _arrival(addition: Addition, filename: str) -> Arrival:
    right = addition.shown_at + timedelta(milliseconds=addition.clock_offset_ms)
    status = {
        Addition.Clock.RIGHT.value: Recording.ClockStatus.GOOD,
        Addition.Clock.UNKNOWN.value: Recording.ClockStatus.DOUBTFUL,
    }
    return Arrival(
        started_at=right,
        ended_at=right,  # nobody knows yet how long it is: its preparation tells
        filename=filename,
        device_started_at=addition.shown_at,
        clock_offset_ms=addition.clock_offset_ms,
        clock_status=status.get(addition.clock, Recording.ClockStatus.DRIFTING).value,
        unit=addition.unit_id,
        added_by=addition.maker_id,
        place=addition.place,
        source={"addition": str(addition.pk), "kind": addition.kind, "clock": addition.clock},
    )


def _added(recording: Recording) -> AddedFile | None:
    if "addition" not in recording.manifest:
        return None
    return (
        AddedFile.objects.select_related("addition__maker", "addition__category").filter(recording=recording.pk).first()
    )


def _twin(recording: Recording, addition: Addition) -> Recording | None:
    """A recording with the same bytes that serves as well: its facts are open to the maker, and where this one is to be
    evidence it is evidence, or the maker may make it so. Any other tells nobody that it is here."""
    with connection.cursor() as cursor:
        # Two files with the same bytes are accepted one after the other.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"added:{recording.sha256}"])
    maker = access.actor(addition.maker)
    same = Recording.objects.filter(sha256=recording.sha256, state=Recording.State.LIVE).exclude(pk=recording.pk)
    for found in same.order_by("received_at")[:20]:
        thing = footage_queries.thing(found)
        if not may(maker, Action.VIEW_FACTS, thing).allowed:
            continue
        if (
            not addition.is_evidence
            or footage_queries.standing_flag(found) is not None
            or may(maker, Action.FLAG, thing).allowed
        ):
            return found
    return None


def _say(recording: Recording, addition: Addition, *, flags: bool = True, notes: bool = True) -> None:
    by = addition.maker
    if notes:
        if addition.reference:
            footage.add_reference(recording, kind=addition.reference_kind, value=addition.reference, by=by)
        text = provenance(addition)
        if not recording.notes.filter(text=text).exists():
            footage.add_note(recording, text=text, by=by)
    if not flags or addition.category is None:
        return
    if not addition.is_evidence:
        if recording.category_id is None:
            footage.categorise(recording, category=addition.category, by=by, reason="Said when it was added")
    elif footage_queries.standing_flag(recording) is None:
        footage.flag(recording, category=addition.category, reason=addition.reason, by=by)


def _forget(addition: Addition) -> None:
    Addition.objects.filter(pk=addition.pk).update(
        place="", handed_over="", exhibit="", reference="", reference_kind="", reason="", forgotten=True
    )
    addition.files.update(mark="")
