"""Edits that would shorten: what was promised stands until a second person approves the edit, or the promise has ended.

Of one recording and one promise (its `source`) a single edit is undecided at a time. A later edit of the same promise
takes the place of the earlier one and is compared with the longest that was promised, so that several steps are decided
as the one that they come to, and none of them by somebody who made one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bluelamp import custody
from bluelamp.custody.queries import search
from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.footage.services.locked import incident
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.people.models import Person
from bluelamp.retention import queries, rules
from bluelamp.retention.events import ShorteningStopped, ShorteningUndone
from bluelamp.retention.models import Shortening
from bluelamp.retention.terms import kept

SYSTEM = "system:retention"

_UNDECIDED = (Shortening.State.WAITING, Shortening.State.REFUSED)
_CAUSES = {rules.EVIDENCE: Shortening.Cause.FLAG, rules.DEFAULT: Shortening.Cause.DATE}


@dataclass(frozen=True)
class Edit:
    """An edit of one promise: of `source`, by the custody id `by` ("" where nobody is known).

    `before` and `after` say in words what was recorded and what is now, `reason` is the editor's own: all three are for
    whoever decides on the edit.
    """

    source: str
    cause: str
    by: str = ""
    reason: str = ""
    before: str = ""
    after: str = ""


@custody.unrecorded(
    "part of the service of the room that edits, which records the edit; what it holds back is recorded here"
)
def hold_back(recording: Recording, promised: rules.Decision, now_promised: rules.Decision, edit: Edit) -> None:
    """Keep what was promised until a second person approves, where an edit promises less by itself.

    Both decisions are of the edited facts alone, so that what was promised stands also on the day on which another rule
    that governs now has ended. What earlier edits of the same promise took away, and nobody approved, counts as
    promised; and where the edit gives back all of it, nobody has to decide any more. The caller has locked the
    recording's row.
    """
    undecided = _undecided([recording], edit.source)
    former = _longest([promised.due_at, *(each.former_due_at for each in undecided)])
    for each in undecided:
        _undo(each)
    if now_promised.earlier_than(former) and now_promised.due_at is not None:
        _hold(recording, former, now_promised.due_at, edit)


@custody.unrecorded("part of the service that ends the promise, which records that; what it lets go is recorded here")
def end_promise(recordings: Iterable[Recording], source: str, *, by: Person) -> None:
    """The promise of `source` has ended lawfully: edits of it need no decision, waiting or refused.

    Not those which `by` made a step of, nor on footage that `by` wore the camera for: else ending what is left of a
    promise would approve the own edit of it. Those stay for a second person. The caller has locked the rows.
    """
    for each in _undecided(recordings, source):
        if by.pk != each.recording.wearer_id and not queries.made_a_step_of(each, by.custody_id):
            _undo(each)


@custody.unrecorded("part of footage's flagging, which records the new flag; what it keeps is recorded here")
def keep_former_period(recording: Recording, former: EvidenceFlag) -> None:
    """Keep what the flag `former` promised where the one that replaced it promises less."""
    new = recording.flags.filter(released_at=None).select_related("flagged_by", "category").first()
    if new is None:
        return
    edit = Edit(
        source=_of_flag(recording),
        cause=Shortening.Cause.FLAG,
        by=new.flagged_by.custody_id,
        reason=new.reason,
        before=_period_of(former.category),
        after=_period_of(new.category),
    )
    promised, now_promised = queries.decision_of_flag(recording, former), queries.decision_of_flag(recording, new)
    for file in incident(recording):
        hold_back(file, promised, now_promised, edit)


@custody.unrecorded("part of footage's release of a flag, which records it; what it lets go is recorded here")
def end_of_flag(recording: Recording, released: EvidenceFlag) -> None:
    """What edits of the recording's flag took away has ended with the flag."""
    if released.released_by is not None:
        end_promise(incident(recording), _of_flag(recording), by=released.released_by)


@custody.unrecorded("part of footage's categorising, which records it; what it holds back is recorded here")
def keep_former_category(recording: Recording, former: Category | None, by: Person, reason: str) -> None:
    """Keep the limit that the `former` category gave where the new one has an earlier one of its own."""
    edit = Edit(
        source=rules.DEFAULT,
        cause=Shortening.Cause.CATEGORY,
        by=by.custody_id,
        reason=reason,
        before=_limit_of(former),
        after=_limit_of(recording.category),
    )
    before = queries.decision_of_category(recording, former)
    after = queries.decision_of_category(recording, recording.category)
    if before.due_at != after.due_at:
        hold_back(recording, before, after, edit)


@custody.unrecorded("part of bringing a due date into line; what it holds back is recorded here")
def stop_shortening(recording: Recording, would_be_due_at: datetime | None, edited_by: str) -> None:
    """Keep the stored date of a rule that still stands and whose date moved: what it is reckoned from was edited.

    Where the edit itself has been held back already, nothing more is.
    """
    if would_be_due_at is None:
        return
    word = recording.due_rule.partition(":")[0]
    source = _of_flag(recording) if word == rules.EVIDENCE else recording.due_rule
    undecided = _undecided([recording], source)
    dates = [each.former_due_at for each in undecided]
    if dates and _longest([*dates, recording.due_at]) == _longest(dates):
        return
    for each in undecided:
        _undo(each)
    cause = _CAUSES.get(word, Shortening.Cause.OTHER)
    by = edited_by or last_editor(recording)
    _hold(recording, _longest([*dates, recording.due_at]), would_be_due_at, Edit(source, cause, by))


@custody.unrecorded("reads the ledger, changes nothing")
def last_editor(recording: Recording) -> str:
    """Who has just changed something about it, as the ledger has it; "" where nobody has."""
    for last in search(subject=recording.custody_id, operation=custody.Operation.ALTERATION, limit=1):
        if last.actor.startswith("person:") and clock.now() - last.at < queries.JUST_NOW:
            return last.actor
    return ""


def _hold(recording: Recording, kept_until: datetime | None, would_be_due_at: datetime, edit: Edit) -> None:
    Shortening.objects.create(
        recording=recording,
        cause=edit.cause,
        source=edit.source,
        before=edit.before,
        after=edit.after,
        edit_reason=edit.reason,
        former_due_at=kept_until,
        would_be_due_at=would_be_due_at,
        edited_by=edit.by,
        edited_at=clock.now(),
    )
    custody.record(
        ShorteningStopped(
            actor=SYSTEM,
            subject=recording.custody_id,
            also=(edit.by,) if edit.by.startswith("person:") else (),
            reason="An edit would have shortened retention; a second person has not approved it.",
            would_be_due_at=would_be_due_at,
            kept_until=kept_until,
        )
    )


def _undo(undecided: Shortening) -> None:
    undecided.state = Shortening.State.UNDONE
    undecided.save(update_fields=["state"])
    custody.record(ShorteningUndone(actor=SYSTEM, subject=undecided.recording.custody_id, shortening=undecided.pk))


def _undecided(recordings: Iterable[Recording], source: str) -> list[Shortening]:
    ids = among(recording.pk for recording in recordings)
    found = Shortening.objects.filter(recording__in=ids, source=source, state__in=_UNDECIDED)
    return list(found.select_related("recording").order_by("pk"))


def _longest(dates: Iterable[datetime | None]) -> datetime | None:
    listed = list(dates)
    dated = [date for date in listed if date is not None]
    return max(dated) if len(dated) == len(listed) else None


def _of_flag(recording: Recording) -> str:
    # By its recording: the other files of its incident are kept by it as well, and may have flags of their own.
    return f"{rules.EVIDENCE}:{recording.pk}"


def _period_of(category: Category) -> str:
    return f"{category.name} ({kept(category.keep_days).lower()})"


def _limit_of(category: Category | None) -> str:
    if category is None:
        return "No category (the default)"
    days = "the default" if category.special_days is None else rules.count(category.special_days, "day")
    return f"{category.name} ({days})"
