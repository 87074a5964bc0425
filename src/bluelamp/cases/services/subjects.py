"""Persons whom a case is about: what happened to the proceedings against them, and their MoPI review group.

What is recorded here starts and stops the clocks that keep the case's footage. The next thing that happens (a charge,
an outcome, an appeal) may give footage an end, and the ordinary time for review follows. A correction of what was
recorded never shortens by itself: the former date stays until a second person has approved it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from bluelamp import custody
from bluelamp.cases import words
from bluelamp.cases.events import GroupRecorded, GroupReviewed, ProceedingsRecorded, SubjectAdded, SubjectConsulted
from bluelamp.cases.models import Case, GroupReview, Subject, SubjectAppeal
from bluelamp.cases.rules import Known, is_correction, of_group, of_proceedings, problems, promises, with_review
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import many as locked_recordings
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.models import Person
from bluelamp.retention import queries as retention
from bluelamp.retention import rules
from bluelamp.retention import services as retention_services
from bluelamp.retention.models import Shortening

_LONGEST_LABEL = 100


@custody.service
def add_subject(case: Case, label: str, *, actor: Person) -> Subject:
    """Add a person whom the case is about. Nothing is decided about the person yet, so its footage never expires.

    Raises Invalid without a name to call the person by, Conflict where the case has somebody of that name.
    """
    label = required(label, "what the team calls this person", _LONGEST_LABEL)
    recordings = _lock(case)
    if case.subjects.filter(label__iexact=label).exists():
        raise Conflict(f"The case has “{label}” already.", "Nothing was changed.", "Open that person's page.")
    made = Subject.objects.create(case=case, label=label, added_by=actor, added_at=clock.now())
    custody.record(SubjectAdded(actor=actor.custody_id, subject=case.custody_id, person=made.pk))
    _decide_again(recordings, actor)
    return made


@custody.service
def record_known(subject: Subject, after: Known, *, actor: Person, reason: str = "") -> None:
    """Record what is known of a person now: where proceedings stand, appeals, the review group.

    `reason` says why a group was chosen, or why what was recorded before was wrong. Reviews are not recorded here but
    by `review_group`. `after` is reckoned from what `subject` was read with. Raises Invalid where nothing would change,
    where a date cannot be, or without a reason for a correction or a group; Conflict where somebody else has recorded
    something of the person since.
    """
    read = subject.known
    recordings = _lock(subject.case)
    subject.refresh_from_db(from_queryset=Subject.objects.select_for_update(of=("self",)))
    before = subject.known
    if before != read:
        raise Conflict(
            "Somebody has just recorded something else about this person.",
            "Nothing of yours was saved.",
            "Look at the person's page, and record it again if it is still needed.",
        )
    if after == before:
        raise Invalid("That is what is recorded already.", "Nothing was changed.")
    if wrong := problems(after, today()):
        raise Invalid(wrong[0], "Nothing was changed.")
    correction = is_correction(before, after)
    if correction or after.mopi != before.mopi:
        reason = required(reason, "a reason", LONGEST_REASON)
    # Once something was corrected, whatever shortens afterwards is taken for a correction as well: taking a date away
    # and giving an earlier one would else be two steps of which neither shortens.
    held = correction or subject.corrected
    subject.corrected = held
    _write_proceedings(subject, after)
    if after.mopi != before.mopi:
        _write_group(subject, after, actor, reason)
    subject.save()
    _tell(subject, before, after, actor, reason, correction)
    if held:
        _hold_back(recordings, before, subject.known, actor, reason)
    _decide_again(recordings, actor)


@custody.service
def review_group(subject: Subject, *, keep: bool, following: date | None, reason: str, actor: Person) -> GroupReview:
    """Record a review of a person's group: keep until the next one (`following`; None: the usual years), or let go.

    Raises Invalid without a reason or with a next review that is no later, Conflict where no group is set, NotAllowed
    where somebody lets go what the own choice of a group keeps: another person must look.
    """
    reason = required(reason, "a reason", LONGEST_REASON)
    recordings = _lock(subject.case)
    subject.refresh_from_db(from_queryset=Subject.objects.select_for_update(of=("self",)))
    before = subject.known
    if before.mopi is None:
        raise Conflict("No review group is set for this person.", "Nothing was changed.", "Set the group first.")
    if not keep and subject.group_by_id == actor.pk:
        raise NotAllowed(
            "You chose this person's group yourself.",
            "The footage is still kept: nobody shortens retention without a second person.",
            "Ask a colleague with a role in the case to make this review.",
        )
    review = rules.MopiReview(today(), keep, following if keep else None)
    if wrong := problems(with_review(before, review), today()):
        raise Invalid(wrong[0], "Nothing was changed.")
    made = GroupReview.objects.create(
        subject=subject, on=review.on, keep=keep, next=review.next, reason=reason, reviewed_by=actor
    )
    custody.record(
        GroupReviewed(
            actor=actor.custody_id,
            subject=subject.case.custody_id,
            reason=reason,
            person=subject.pk,
            keep=keep,
            following=_text(review.next),
        )
    )
    known = subject.known
    last = known.mopi.last_review if known.mopi is not None else None
    if last is not None and not last.keep:
        retention_services.end_promise(recordings, of_group(known.proceedings.code), by=actor)
    _decide_again(recordings, actor)
    return made


@custody.service
def log_consultation(subjects: Iterable[Subject], *, actor: Person) -> None:
    """That `actor` read what is recorded of these persons; one event for each."""
    read = [
        SubjectConsulted(actor=actor.custody_id, subject=subject.case.custody_id, person=subject.pk)
        for subject in subjects
    ]
    if not read:
        custody.nothing_changed()
        return
    custody.record_all(read)


@custody.unrecorded("reads the clock")
def today() -> date:
    """London's date now."""
    return clock.now().astimezone(rules.LONDON).date()


def _lock(case: Case) -> list[Recording]:
    """The case's recordings, locked. First the case, so that two who record outcomes of it come one after the other."""
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    return locked_recordings(case.links.values_list("recording_id", flat=True))


def _write_proceedings(subject: Subject, after: Known) -> None:
    proceedings = after.proceedings
    subject.stage, subject.stage_on = proceedings.stage.value, proceedings.on
    subject.custodial, subject.released_on = proceedings.custodial, proceedings.released_on
    rows: list[SubjectAppeal | None] = list(subject.appeals.all())
    rows += [None] * (len(proceedings.appeals) - len(rows))
    for row, appeal in zip(rows, proceedings.appeals, strict=True):
        if row is None:
            row = SubjectAppeal(subject=subject)
        row.ccrc, row.opened_on, row.closed_on = appeal.ccrc, appeal.opened_on, appeal.closed_on
        row.save()


def _write_group(subject: Subject, after: Known, actor: Person, reason: str) -> None:
    if after.mopi is None:
        raise Invalid(
            "A review group can be changed, but not taken away.", "Nothing was changed.", "Review it instead."
        )
    subject.group, subject.clear_from = after.mopi.group.value, after.mopi.clear_from
    subject.born, subject.years = after.mopi.born, after.mopi.years
    subject.group_by, subject.group_reason = actor, reason


def _tell(subject: Subject, before: Known, after: Known, actor: Person, reason: str, correction: bool) -> None:
    # Of the case alone, not of its recordings: a wearer reads their history, and learns nothing of the person there.
    who, case = actor.custody_id, subject.case.custody_id
    proceedings, mopi = after.proceedings, after.mopi
    if proceedings != before.proceedings:
        custody.record(
            ProceedingsRecorded(
                actor=who,
                subject=case,
                reason=reason,
                person=subject.pk,
                stage=proceedings.stage.value,
                on=_text(proceedings.on),
                custodial=proceedings.custodial,
                released_on=_text(proceedings.released_on),
                appeals=[
                    f"{'ccrc' if one.ccrc else 'appeal'} {one.opened_on.isoformat()}/{_text(one.closed_on)}"
                    for one in proceedings.appeals
                ],
                correction=correction,
            )
        )
    if mopi is not None and mopi != before.mopi:
        custody.record(
            GroupRecorded(
                actor=who,
                subject=case,
                reason=reason,
                person=subject.pk,
                group=mopi.group.value,
                clear_from=mopi.clear_from.isoformat(),
                years=mopi.years or 0,
                birth_known=mopi.born is not None,
                correction=correction,
            )
        )


def _hold_back(recordings: Sequence[Recording], before: Known, after: Known, actor: Person, reason: str) -> None:
    """Keep what the former record promised each recording by itself, also while something else governs today."""
    policy, code = retention.policy(), before.proceedings.code
    told = {
        of_proceedings(code): (words.of_proceedings(before.proceedings), words.of_proceedings(after.proceedings)),
        of_group(code): (words.of_group(before.mopi), words.of_group(after.mopi)),
    }
    for recording in recordings:
        if recording.state == Recording.State.DELETED:
            continue
        for promise in promises(before, after, recording.started_at, recording.received_at, policy):
            was, now = told[promise.source]
            edit = retention_services.Edit(
                promise.source, Shortening.Cause.CASE, by=actor.custody_id, reason=reason, before=was, after=now
            )
            retention_services.hold_back(recording, promise.before, promise.after, edit)


def _decide_again(recordings: Sequence[Recording], actor: Person) -> None:
    for recording in recordings:
        if recording.state != Recording.State.DELETED:
            retention_services.recompute(recording, edited_by=actor.custody_id)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
