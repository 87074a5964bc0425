"""Changing the policy: proposed, looked at, approved where it shortens, and in force from its date.

Nothing that a version makes due goes before the cooling period of the policy before it has passed since the version
was put in force, and nothing is kept beyond its former date on that account (`queries.cooling`).
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bluelamp import custody
from bluelamp.footage.models import Category, Recording
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from bluelamp.kernel.transaction import atomic, claim
from bluelamp.retention import queries
from bluelamp.retention.events import PolicyDecidedAgainst, PolicyInForce, PolicyProposed, PolicyVersionMade
from bluelamp.retention.models import PolicyProposal, PolicyVersion, RetentionPolicy, VersionInForce
from bluelamp.retention.services.deciding import settle
from bluelamp.retention.terms import PERIOD_NAMES, Change, Terms, changes

log = structlog.get_logger(__name__)

POLICY = "policy:retention"
_BATCH = 500
_FIRST = UUID(int=0)
_FURTHEST = timedelta(days=366)


@custody.service
def propose_policy(terms: Terms, *, effective_at: datetime, reason: str, actor: str) -> PolicyProposal:
    """Propose that the policy become `terms`. Nothing changes by it.

    Raises Invalid without a reason, for terms that cannot be a policy or change nothing, and for a date in the past or
    more than a year ahead.
    """
    reason = required(reason, "a reason for the change", LONGEST_REASON)
    if problems := terms.problems():
        raise Invalid(problems[0], "Nothing was proposed.", " ".join(problems[1:]))
    latest, now = queries.latest_version(), clock.now()
    changed = _changes(latest, terms)
    if not changed:
        raise Invalid("That is the policy as it stands.", "Nothing was proposed.", "Change at least one period.")
    effective_at = max(effective_at, now, latest.effective_at)
    if effective_at > now + _FURTHEST:
        raise Invalid("That date is more than a year ahead.", "Nothing was proposed.", "Choose an earlier day.")
    made = PolicyProposal.objects.create(
        based_on=latest.number,
        terms=terms.to_json(),
        effective_at=effective_at,
        reason=reason,
        proposed_by=actor,
        proposed_at=now,
    )
    dry = _reckon(made)
    custody.record(
        PolicyProposed(
            actor=actor,
            subject=POLICY,
            reason=reason,
            based_on=latest.number,
            changes=_in_words(changed),
            effective_at=effective_at,
            earlier=dry.earlier,
            bytes=dry.bytes,
        )
    )
    return made


@custody.unrecorded("what it reckons changes nothing; the decision's own event says what was found then")
def reckon_proposal(proposal_id: int) -> None:
    """Reckon anew what a proposal would do, for all who read it. Raises NotFound, Conflict where it is decided."""
    with atomic():
        _reckon(_waiting(proposal_id))


@custody.service
def approve_policy(proposal_id: int, *, reason: str, actor: str) -> PolicyVersion:
    """Make a proposal the next version. One that shortens nothing is for its author to confirm, or for anybody else.

    Raises NotFound, Conflict where it is decided already or another version has been made since, NotAllowed for the
    author of one that shortens, Invalid without a reason.
    """
    proposal = _waiting(proposal_id)
    latest, now, terms = queries.latest_version(), clock.now(), Terms.from_json(proposal.terms)
    if proposal.based_on != latest.number:
        raise Conflict(
            f"Version {latest.number} has been made since this was proposed.",
            "Nothing was changed: what was looked at then is not what would happen now.",
            "Propose the change again, from the policy as it stands.",
        )
    changed = _changes(latest, terms)
    shortens = any(change.shortens for change in changed)
    if shortens:
        reason = required(reason, "a reason for approving it", LONGEST_REASON)
        if actor == proposal.proposed_by:
            raise NotAllowed(
                "You proposed this change yourself.",
                "Nothing was changed: nobody shortens retention without a second person.",
                "Ask a colleague who may approve changes of the policy.",
            )
    proposal.effective_at = max(proposal.effective_at, now, latest.effective_at)
    not_before = queries.not_before(proposal, now) if shortens else None
    dry = _reckon(proposal)
    number = latest.number + 1
    recorded = custody.record(
        PolicyVersionMade(
            actor=actor,
            subject=POLICY,
            reason=reason or proposal.reason,
            version=number,
            proposed_by=proposal.proposed_by,
            shortens=shortens,
            changes=_in_words(changed),
            effective_at=proposal.effective_at,
            not_before=not_before,
            earlier=dry.earlier,
            bytes=dry.bytes,
        )
    )
    _decided(proposal, PolicyProposal.State.APPROVED, reason, actor, now)
    return PolicyVersion.objects.create(
        number=number,
        terms=proposal.terms,
        effective_at=proposal.effective_at,
        reason=proposal.reason,
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        approved_by=actor if actor != proposal.proposed_by else "",
        approved_at=now,
        approval_reason=reason,
        shortens=shortens,
        not_before=not_before,
        event=recorded.id,
    )


@custody.service
def refuse_policy(proposal_id: int, *, reason: str, actor: str) -> None:
    """Decide against a proposal; its author withdraws it so. Raises NotFound, Conflict, Invalid without a reason."""
    reason = required(reason, "a reason", LONGEST_REASON)
    proposal = _waiting(proposal_id)
    own = actor == proposal.proposed_by
    state = PolicyProposal.State.WITHDRAWN if own else PolicyProposal.State.REFUSED
    _decided(proposal, state, reason, actor, clock.now())
    custody.record(PolicyDecidedAgainst(actor=actor, subject=POLICY, reason=reason, proposed_by=proposal.proposed_by))


@custody.unrecorded("each version's effect is a service of its own, and each recording's date records its own event")
def carry_out_policy(seconds: float = math.inf) -> int:
    """Put versions in force whose date has come, and bring what is kept into line. Returns how many dates changed.

    Begins no further batch after `seconds`; the next call goes on from there, as it does from one that was interrupted.
    Must not be called inside a transaction. Two at once do it once.
    """
    until = time.monotonic() + seconds
    with claim("retention.policy") as alone:
        if not alone:
            return 0
        while _put_in_force():
            pass
        changed = 0
        while time.monotonic() < until and RetentionPolicy.objects.filter(recomputing_after__isnull=False).exists():
            changed += _recompute_some()
        return changed


def _put_in_force() -> bool:
    with atomic():
        row = RetentionPolicy.objects.select_for_update().get(pk=1)
        due = PolicyVersion.objects.filter(number=row.version + 1, effective_at__lte=clock.now()).first()
        if due is not None:
            _materialise(row, due)
    return due is not None


@custody.service
def _materialise(row: RetentionPolicy, version: PolicyVersion) -> None:
    terms = Terms.from_json(version.terms)
    row.version = version.number
    for name in PERIOD_NAMES:
        setattr(row, name, getattr(terms, name))
    row.recomputing_after = _FIRST
    # First the row: the categories' trigger asks which version is in force.
    row.save()
    for category in Category.objects.filter(code__in=terms.keep):
        keep, special = terms.keep[category.code], terms.special.get(category.code)
        if (category.keep_days, category.special_days) != (keep, special):
            category.keep_days, category.special_days = keep, special
            category.save(update_fields=["keep_days", "special_days"])
    now = clock.now()
    VersionInForce.objects.create(version=version, at=now, cooled_at=queries.cooled_at(version, now))
    custody.record(PolicyInForce(actor="system:retention", subject=POLICY, version=version.number))


def _recompute_some() -> int:
    after = RetentionPolicy.objects.values_list("recomputing_after", flat=True).get(pk=1)
    kept = Recording.objects.exclude(state=Recording.State.DELETED).filter(pk__gt=after)
    batch = list(kept.order_by("pk").defer("manifest", "track", "waveform", "search", "storyboard", "events")[:_BATCH])
    decisions = queries.decisions(batch)
    stored = {recording.pk: (recording.due_at, recording.due_rule) for recording in batch}
    moved = [pk for pk, decision in decisions.items() if stored[pk] != (decision.due_at, decision.governing.code)]
    changed = 0
    for recording_id in moved:
        try:
            changed += _settle_one(recording_id)
        except Exception:
            # The nightly reconsideration comes back to it, and the sweep decides anew in any case.
            log.exception("retention could not reckon a recording's date anew", recording=str(recording_id))
    last = batch[-1].pk if len(batch) == _BATCH else None
    RetentionPolicy.objects.filter(recomputing_after=after).update(recomputing_after=last)
    return changed


def _settle_one(recording_id: UUID) -> int:
    with atomic():
        kept = Recording.objects.select_for_update(of=("self",)).exclude(state=Recording.State.DELETED)
        recording = kept.filter(pk=recording_id).first()
        if recording is not None:
            settle(recording, clock.now())
    return recording is not None


def _reckon(proposal: PolicyProposal) -> queries.DryRun:
    """What the proposal would do from now on, kept with it: a million recordings are not reckoned for each reader."""
    proposal.reckoned_at = clock.now()
    not_before = queries.not_before(proposal, proposal.reckoned_at)
    dry = queries.dry_run(Terms.from_json(proposal.terms), not_before=not_before)
    proposal.dry_run = dry.to_json()
    proposal.save(update_fields=["dry_run", "reckoned_at"])
    return dry


def _waiting(proposal_id: int) -> PolicyProposal:
    # The policy's row first: of two who approve at once, the second finds what the first has made.
    RetentionPolicy.objects.select_for_update().get(pk=1)
    proposal = PolicyProposal.objects.select_for_update().filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("There is no such proposal.", "Nothing was changed.", "Look at the retention policy's page.")
    if proposal.state != PolicyProposal.State.WAITING:
        raise Conflict(
            "This proposal has been decided already.", "Nothing was changed.", "Look at the versions of the policy."
        )
    return proposal


def _decided(proposal: PolicyProposal, state: str, reason: str, actor: str, now: datetime) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at, proposal.decision_reason = state, actor, now, reason
    proposal.dry_run = None  # the decision's event has its figures; the recordings of its sample may be gone tomorrow
    proposal.save()


def _changes(latest: PolicyVersion, terms: Terms) -> list[Change]:
    return changes(Terms.from_json(latest.terms), terms, queries.category_names())


def _in_words(changed: list[Change]) -> list[str]:
    return [f"{change.what}: {change.before} → {change.after}" for change in changed]
