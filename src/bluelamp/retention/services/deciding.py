"""Bringing a recording's due date and state into line with the facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import EvidenceFlag, Recording
from bluelamp.footage.services.locked import changeable, incident
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.retention import object_hold, queries, rules
from bluelamp.retention.events import ArrivedLate, RetentionExtended, ReviewGiven, ShorteningStopped
from bluelamp.retention.models import Extension, Hold

SYSTEM = "system:retention"

# Rules whose dates come from things that can be edited: the recorded time, the category, the policy.
_EDITABLE = frozenset({rules.DEFAULT, rules.LATE_ARRIVAL, rules.EVIDENCE})


@custody.service
def recompute(recording: Recording) -> rules.Decision:
    """Decide again from the facts; set the due date, and bring back from quarantine what is to be kept.

    Raises Conflict for a recording that has been deleted: whatever wanted to keep it came too late.
    """
    decision = settle(changeable(recording), clock.now())
    custody.nothing_changed()  # settle records an event for each thing that it does change
    return decision


@custody.service
def extend(recording: Recording, *, until: datetime, reason: str, actor: str) -> Extension:
    """Keep the recording at least until `until` (aware). Extensions add up; none can be taken back.

    Raises Invalid without a reason, where it would extend nothing or lies beyond the policy's longest extension, and
    Conflict for a recording that has been deleted.
    """
    reason = required(reason, "a reason for keeping it longer", LONGEST_REASON)
    recording = changeable(recording)
    now = clock.now()
    if until <= now:
        raise Invalid("That date has passed.", "Nothing was changed.", "Choose a date in the future.")
    longest = queries.policy().longest_extension
    if until - now > longest:
        # No extension can be taken back, so a slip of the pen must not keep footage for a century.
        raise Invalid(
            f"That date is more than {rules.period(longest)} away.",
            "Nothing was changed: nobody can take an extension back.",
            "Choose an earlier date. What is needed for longer is flagged as evidence with its category, or ask "
            "information rights, professional standards or the body-worn video manager for a hold.",
        )
    if queries.decision(recording).is_dated_past(until):
        raise Invalid("The recording is kept longer than that already.", "Nothing was changed.", "Choose a later date.")
    made = Extension.objects.create(recording=recording, until=until, reason=reason, made_by=actor, made_at=now)
    custody.record(RetentionExtended(actor=actor, subject=recording.custody_id, reason=reason, until=until))
    settle(recording, clock.now())
    return made


@custody.unrecorded("part of the service that calls it; what it changes is recorded by footage's services and here")
def settle(recording: Recording, now: datetime) -> rules.Decision:
    """The decision about a recording whose row the caller has locked, carried out short of quarantine and deletion."""
    decision = queries.decision(recording)
    # An empty rule means that this recording was never decided about, so nothing can be shortened.
    if recording.due_rule and decision.earlier_than(recording.due_at):
        decision = _shortened(recording, decision, now)
    held = object_hold.wanted(recording)
    footage.set_due(recording, decision.due_at, decision.governing.code)
    if object_hold.wanted(recording) != held:
        object_hold.align_soon(recording)
    quarantined = recording.state == Recording.State.QUARANTINED
    if quarantined and decision.step(now) is rules.Step.KEEP:
        footage.mark_restored(recording, reason=f"Kept by the rule: {decision.governing.title}")
    return decision


@custody.unrecorded("part of footage's flagging, which records the new flag; what it keeps is recorded here")
def keep_former_period(recording: Recording, former: EvidenceFlag) -> None:
    """Keep what the flag `former` promised where the one that replaced it promises less.

    The two are compared by themselves: a hold or a case that governs today may end tomorrow, and what was promised
    under it must stand then.
    """
    promised, now_promised = queries.decision_of_flag(recording, former), queries.decision_of_standing_flag(recording)
    if now_promised.earlier_than(promised.due_at):
        for file in incident(recording):
            # A hold on one file keeps the others of its incident by itself; an extension does not.
            if file.pk == recording.pk or promised.due_at is not None:
                _stop_shortening(file, promised.due_at, now_promised.due_at, clock.now())


@custody.unrecorded("part of footage's acceptance, which records the due date and what this answers")
def welcome(recordings: Iterable[Recording], met: Collection[UUID]) -> dict[UUID, list[custody.Event]]:
    """Set the due dates of recordings that are just being accepted, before their rows are written.

    `met` are those of their incidents that had files before. Answers with an alert for each that arrives late.
    """
    policy = queries.policy()
    alerts: dict[UUID, list[custody.Event]] = {}
    for recording in recordings:
        facts = queries.facts_on_arrival(recording, met)
        if rules.arrived_late(facts, policy):
            recording.review_until = facts.received_at + policy.review_grace
            alerts[recording.pk] = [
                ArrivedLate(
                    actor=SYSTEM,
                    subject=recording.custody_id,
                    default_due_at=rules.default_due(facts.started_at, policy),
                    review_until=recording.review_until,
                )
            ]
            facts = replace(facts, review_until=recording.review_until)
        decision = rules.decide(facts, policy)
        recording.due_at, recording.due_rule = decision.due_at, decision.governing.code
        if object_hold.wanted(recording):
            object_hold.align_soon(recording)
    return alerts


def _shortened(recording: Recording, decision: rules.Decision, now: datetime) -> rules.Decision:
    """The decision to carry out where the facts now give an earlier one than before."""
    if recording.due_rule in _EDITABLE and recording.due_rule in {rule.code for rule in decision.considered}:
        _stop_shortening(recording, recording.due_at, decision.due_at, now)
    else:
        _give_review(recording, decision, now)
    return queries.decision(recording)


def _stop_shortening(
    recording: Recording, kept_until: datetime | None, would_be_due_at: datetime | None, now: datetime
) -> None:
    # The rule still stands and only its date moved: somebody edited what it is reckoned from. No edit shortens
    # retention without a second person, so the former date stays.
    why = "An edit would have shortened retention; a second person has not approved it."
    if kept_until is None:
        Hold.objects.create(recording=recording, kind=Hold.Kind.OTHER, reason=why, placed_by=SYSTEM, placed_at=now)
    else:
        until = kept_until - queries.policy().quarantine
        Extension.objects.create(recording=recording, until=until, reason=why, made_by=SYSTEM, made_at=now)
    custody.record(
        ShorteningStopped(
            actor=SYSTEM,
            subject=recording.custody_id,
            reason=why,
            would_be_due_at=would_be_due_at,
            kept_until=kept_until,
        )
    )


def _give_review(recording: Recording, decision: rules.Decision, now: datetime) -> None:
    until = rules.grace_when_a_reason_ends(decision, now, queries.policy())
    if until is None:
        return
    recording.review_until = until
    recording.save(update_fields=["review_until"])
    custody.record(ReviewGiven(actor=SYSTEM, subject=recording.custody_id, until=until))
