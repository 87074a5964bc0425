"""What people say about a recording: evidence or not, category, references, notes."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from bluelamp import custody
from bluelamp.footage import hooks, search
from bluelamp.footage.events import (
    FlagReleased,
    NoteAdded,
    RecordingCategorised,
    RecordingFlagged,
    ReferenceAdded,
)
from bluelamp.footage.models import Category, EvidenceFlag, Note, Recording, Reference
from bluelamp.footage.services.locked import changeable, incident
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.models import Person

LONGEST_REASON = 1000
LONGEST_NOTE = 4000
LONGEST_REFERENCE = 60

# How long a flag set by mistake may be taken back by whoever set it.
_SECOND_THOUGHTS = timedelta(hours=1)


@custody.service
def flag(
    recording: Recording, *, category: Category, reason: str, by: Person, reference: tuple[str, str] | None = None
) -> EvidenceFlag:
    """Flag `recording` as evidence, with a reference (kind, number) where there is one already. A standing flag is
    replaced, never doubled.

    Raises Invalid without a reason, or where the category is not one of evidence; Conflict for a recording that has
    been deleted.
    """
    reason = required(reason, "a reason for flagging", LONGEST_REASON)
    if not category.evidential:
        raise Invalid(f"“{category.name}” is not a category of evidence.", "The flag was not set.", "Choose another.")
    files = incident(recording)
    now = clock.now()
    former = _standing(recording)
    if former is not None:
        former.released_at, former.released_by, former.release_reason = now, by, "Replaced by a new flag"
        former.save(update_fields=["released_at", "released_by", "release_reason"])
    made = EvidenceFlag.objects.create(
        recording=recording, category=category, reason=reason, flagged_by=by, flagged_at=now
    )
    custody.record(
        RecordingFlagged(
            actor=by.custody_id, subject=recording.custody_id, reason=reason, flag=made.pk, category=category.code
        )
    )
    if former is not None:
        hooks.flag_replaced.call(recording, former)
    _set_category(recording, category, by, reason)
    if reference is not None:
        add_reference(recording, kind=reference[0], value=reference[1], by=by)
    _changed(recording, *files)
    return made


@custody.service
def release_flag(recording: Recording, *, reason: str, by: Person) -> None:
    """The recording is evidence no longer.

    Nobody shortens retention alone: whoever set the flag takes it back within the hour, later another person releases
    it. Raises NotAllowed for the one who set it, Conflict where it is not flagged, Invalid without a reason.
    """
    reason = required(reason, "a reason for releasing the flag", LONGEST_REASON)
    files = incident(recording)
    standing = _standing(recording)
    if standing is None:
        raise Conflict("The recording is not flagged as evidence.", "Nothing was changed.")
    if not may_be_released(standing, by.pk):
        raise NotAllowed(
            "You flagged this recording yourself.",
            "The flag stands: nobody shortens retention without a second person.",
            "Ask a colleague in professional standards, or a body-worn video manager, to release it.",
        )
    standing.released_at, standing.released_by, standing.release_reason = clock.now(), by, reason
    standing.save(update_fields=["released_at", "released_by", "release_reason"])
    custody.record(
        FlagReleased(
            actor=by.custody_id,
            subject=recording.custody_id,
            reason=reason,
            flag=standing.pk,
            category=standing.category.code,
        )
    )
    hooks.flag_released.call(recording, standing)
    _changed(recording, *files)


@custody.service
def categorise(recording: Recording, *, category: Category | None, by: Person, reason: str = "") -> None:
    """Say what the recording is about. Retention decides whether a new category may shorten anything."""
    recording = changeable(recording)
    if recording.category_id == (category.pk if category else None):
        custody.nothing_changed()
        return
    _set_category(recording, category, by, reason)
    _changed(recording)


@custody.service
def add_reference(recording: Recording, *, kind: str, value: str, by: Person) -> Reference:
    """Add a number of another system; a second time changes nothing. Raises Invalid for an unknown kind or no value."""
    value = " ".join(required(value, "the reference", LONGEST_REFERENCE).upper().split())
    if kind not in Reference.Kind.values:
        raise Invalid("That is not a kind of reference.", "Nothing was added.", "Choose one from the list.")
    recording = changeable(recording)
    made, new = Reference.objects.get_or_create(
        recording=recording, kind=kind, value=value, defaults={"added_by": by, "added_at": clock.now()}
    )
    if not new:
        custody.nothing_changed()
        return made
    custody.record(ReferenceAdded(actor=by.custody_id, subject=recording.custody_id, kind=kind, value=value))
    _changed(recording)
    return made


@custody.service
def add_note(recording: Recording, *, text: str, by: Person, at_ms: int | None = None) -> Note:
    """Write a note, at a moment of the recording (ms from its start) or about all of it. Raises Invalid."""
    text = required(text, "the note", LONGEST_NOTE)
    recording = changeable(recording)
    length = recording.duration_ms or int((recording.ended_at - recording.started_at).total_seconds() * 1000)
    if at_ms is not None and not 0 <= at_ms <= length:
        raise Invalid("That moment lies outside the recording.", "The note was not saved.", "Choose another moment.")
    note = Note.objects.create(recording=recording, text=text, at_ms=at_ms, written_by=by, written_at=clock.now())
    custody.record(
        NoteAdded(
            actor=by.custody_id,
            subject=recording.custody_id,
            note=note.pk,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            at_ms=at_ms,
        )
    )
    _changed(recording)
    return note


@custody.unrecorded("compares, changes nothing")
def may_be_released(flag: EvidenceFlag, person_id: int | None) -> bool:
    """Whether releasing `flag` is for this person to do: another one than set it, or the same within the hour."""
    if flag.flagged_by_id != person_id:
        return True
    # Not where it replaced another flag: then taking it back would take that one's time with it.
    replaced = EvidenceFlag.objects.filter(recording=flag.recording_id, released_at=flag.flagged_at).exists()
    return not replaced and clock.now() - flag.flagged_at <= _SECOND_THOUGHTS


@custody.unrecorded("checks a text, changes nothing")
def required(text: str, what: str, longest: int) -> str:
    """`text` without outer blanks. Raises Invalid where it is empty or longer than `longest` characters."""
    text = text.strip()
    if not text:
        raise Invalid(f"Enter {what}.", "Nothing was changed.")
    if len(text) > longest:
        raise Invalid(f"Shorten {what} to {longest} characters; it has {len(text)}.", "Nothing was changed.")
    return text


def _set_category(recording: Recording, category: Category | None, by: Person, reason: str) -> None:
    before = recording.category
    if before == category:
        return
    recording.category = category
    recording.save(update_fields=["category"])
    custody.record(
        RecordingCategorised(
            actor=by.custody_id,
            subject=recording.custody_id,
            reason=reason,
            before=before.code if before else None,
            after=category.code if category else None,
        )
    )
    hooks.category_changed.call(recording, before, by, reason)


def _standing(recording: Recording) -> EvidenceFlag | None:
    return recording.flags.filter(released_at=None).select_related("category").first()


def _changed(recording: Recording, *incident_files: Recording) -> None:
    """Tell search and retention; with the files of its incident where the change bears on them."""
    search.index(recording)
    hooks.facts_changed.call(recording)
    for file in incident_files:
        if file.pk != recording.pk:
            hooks.facts_changed.call(file)
