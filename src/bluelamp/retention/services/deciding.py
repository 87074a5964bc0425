"""Bringing a recording's due date and state into line with the facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import changeable
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.retention import object_hold, queries, rules
from bluelamp.retention.events import (
    ArrivedLate,
    RetentionExtended,
    ReviewGiven,
)
from bluelamp.retention.models import Extension, RetentionPolicy
from bluelamp.retention.services.holding_back import SYSTEM, last_editor, stop_shortening


@custody.service
def recompute(recording: Recording, *, edited_by: str = "") -> rules.Decision:
    """Decide again from the facts; set the due date, and bring back from quarantine what is to be kept.

    `edited_by` is the custody id of whoever edited what it is reckoned from, who may not approve what that shortens.
    Raises Conflict for a recording that has been deleted: whatever wanted to keep it came too late.
    """
    decision = settle(changeable(recording), clock.now(), edited_by)
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
def settle(recording: Recording, now: datetime, edited_by: str = "") -> rules.Decision:
    """The decision about a recording whose row the caller has locked, carried out short of quarantine and deletion."""
    decision = queries.decision(recording)
    # An empty rule means that this recording was never decided about, so nothing can be shortened.
    if recording.due_rule and decision.earlier_than(recording.due_at):
        decision = _shortened(recording, decision, now, edited_by)
    held = object_hold.wanted(recording)
    footage.set_due(recording, decision.due_at, decision.governing.code)
    if object_hold.wanted(recording) != held:
        object_hold.align_soon(recording)
    quarantined = recording.state == Recording.State.QUARANTINED
    if quarantined and decision.step(now) is rules.Step.KEEP:
        footage.mark_restored(recording, reason=f"Kept by the rule: {decision.governing.title}")
    return decision


@custody.unrecorded("part of footage's acceptance, which records the due date and what this answers")
def welcome(recordings: Iterable[Recording], met: Collection[UUID]) -> dict[UUID, list[custody.Event]]:
    """Set the due dates of recordings that are just being accepted, before their rows are written.

    `met` are those of their incidents that had files before. Answers with an alert for each that arrives late.
    """
    policy, arriving = queries.policy(), list(recordings)
    all_facts = queries.facts_on_arrival(arriving, met)
    alerts: dict[UUID, list[custody.Event]] = {}
    for recording in arriving:
        facts = all_facts[recording.pk]
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


def _shortened(recording: Recording, decision: rules.Decision, now: datetime, edited_by: str) -> rules.Decision:
    """The decision to carry out where the facts now give an earlier one than before."""
    if not _may_be_an_edit(recording.due_rule) or recording.due_rule not in {rule.code for rule in decision.considered}:
        _give_review(recording, decision, now)
    elif not _follows_from_the_policy(recording, edited_by):
        stop_shortening(recording, decision.due_at, edited_by)
    else:
        return decision
    return queries.decision(recording)


def _may_be_an_edit(rule: str) -> bool:
    # The cooling period of a policy ends by the former date at the latest, which an edit can move.
    return rules.is_editable(rule) or rule.startswith(queries.COOLING)


def _follows_from_the_policy(recording: Recording, edited_by: str) -> bool:
    """Whether an approved version of the policy is all that makes it earlier; the date would stand without it.

    While dates are reckoned anew under a version, any that it explains; where somebody has edited something just now it
    is taken for that, to be on the safe side. Afterwards only what was passed over then: its stored date is to the
    instant what a former version gives from today's facts.
    """
    if edited_by or last_editor(recording):
        return False
    after = RetentionPolicy.objects.values_list("recomputing_after", flat=True).get(pk=1)
    former = queries.former_decisions(recording)
    if after is not None and recording.pk > after:
        return any(not each.earlier_than(recording.due_at) for each in former)
    return any(each.due_at == recording.due_at for each in former)


def _give_review(recording: Recording, decision: rules.Decision, now: datetime) -> None:
    until = rules.grace_when_a_reason_ends(decision, now, queries.policy())
    if until is None:
        return
    recording.review_until = until
    recording.save(update_fields=["review_until"])
    custody.record(ReviewGiven(actor=SYSTEM, subject=recording.custody_id, until=until))
