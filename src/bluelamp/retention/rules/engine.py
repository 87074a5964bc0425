"""Facts in, one decision out: the longest of all rules that apply."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bluelamp.retention.rules import calendar, codes, mopi, proceedings
from bluelamp.retention.rules.calendar import count
from bluelamp.retention.rules.decision import Decision, Rule, Step
from bluelamp.retention.rules.facts import Facts, Flag, Policy, RetentionReason, SpecialPeriod

_OF_A_CASE = "Criminal Procedure and Investigations Act 1996 s.23 (code), or management of police information"


def decide(facts: Facts, policy: Policy) -> Decision:
    """The decision about one recording: the longest of all rules that apply to it."""
    considered = tuple(sorted(_rules(facts, policy), key=_length, reverse=True))
    limit = limit_of(facts, policy)
    floors = [rule.gone_by for rule in considered if rule.code != codes.DEFAULT]
    dated = [gone_by for gone_by in floors if gone_by is not None]
    if len(dated) < len(floors):
        return Decision(None, None, None, considered, policy.version)
    # The default's deletion begins early so as to end inside its limit; no floor may be undercut by that.
    delete_at = max([limit - policy.margin, *dated])
    return Decision(
        due_at=max([limit, *dated]),
        delete_at=delete_at,
        quarantine_at=delete_at - policy.quarantine,
        considered=considered,
        version=policy.version,
    )


def default_due(started_at: datetime, policy: Policy, special: SpecialPeriod | None = None) -> datetime:
    """By when unreserved footage must be gone, everywhere: counted from the start of the recording.

    A limit: by the clock or by London's calendar, whichever is earlier. A special period replaces the default's length.
    """
    return calendar.limit_after(started_at, policy.default if special is None else special.length)


def limit_of(facts: Facts, policy: Policy) -> datetime:
    """By when the recording must be gone unless something keeps it."""
    return default_due(facts.started_at, policy, facts.special)


def arrived_late(facts: Facts, policy: Policy) -> bool:
    """Whether it arrived so late that the default would leave less than the review grace to look at it."""
    return facts.received_at + policy.review_grace > limit_of(facts, policy)


def grace_when_a_reason_ends(decision: Decision, now: datetime, policy: Policy) -> datetime | None:
    """Until when to keep a recording whose last reason has just ended, if `decision` would already let it go.

    None where its quarantine still lies ahead: then the ordinary date is in time. So the end of a reason never deletes
    anything by itself, and never keeps longer what is not yet due.
    """
    grace = now + policy.review_grace
    if decision.step(now) is not Step.KEEP:
        return grace
    # An outcome or a review keeps to the end of its day, which leaves nobody the time to look.
    over = decision.governing.code.partition(":")[0] in (codes.PROCEEDINGS, codes.MOPI)
    return grace if over and decision.due_at is not None and decision.due_at < grace else None


def after_approval(
    former: datetime | None, new: datetime | None, approved_at: datetime, policy: Policy
) -> datetime | None:
    """By when a recording is gone once a second person has approved an edit that shortens from `former` to `new`.

    Nothing goes before the cooling period is over, and nothing later than it would have gone without the edit. None:
    never.
    """
    if new is None:
        return former
    cooled = max(new, approved_at + policy.cooling)
    return cooled if former is None else min(former, cooled)


def flagged_until(flag: Flag, started_at: datetime) -> datetime | None:
    """Until when `flag` keeps a recording that began at `started_at` in use; None: without end.

    The category's period counts from recording, so that flagging late does not keep longer than flagging at once.
    """
    return None if flag.keep is None else calendar.floor_after(started_at, flag.keep)


def of_incident(until: datetime | None) -> RetentionReason:
    """The reason of a file because another one of its incident is kept until then; None: for as long as that one."""
    return RetentionReason(
        code=codes.INCIDENT,
        title="Another file of the incident",
        why="another file of the same incident is held, flagged or locked",
        basis="Criminal Procedure and Investigations Act 1996 s.23 (code); force policy",
        until=until,
    )


def _rules(facts: Facts, policy: Policy) -> Iterable[Rule]:
    yield _default(facts, policy)
    if arrived_late(facts, policy):
        # Footage that arrives late is never silently accepted into deletion.
        until = facts.received_at + policy.review_grace
        basis = "Force policy: time to review footage that arrives late"
        why = f"it arrived late and is given {count(policy.review_grace.days, 'day')} from receipt to be reviewed"
        yield Rule(codes.LATE_ARRIVAL, "Arrived late", until, until, basis, why)
    if facts.review_until is not None:
        basis = "Force policy: no reason that ends deletes footage by itself"
        why = "its last reason to be kept ended after it was due, and it is given time to be reviewed"
        yield Rule(codes.REVIEW, "Review after a reason ended", facts.review_until, facts.review_until, basis, why)
    if facts.flag is not None:
        yield _evidence(facts.flag, facts.started_at, policy)
    for hold in facts.holds:
        # A request, complaint or lock stops deletion at once, even on day 31; destroying what was asked for is an
        # offence (FOIA 2000 s.77, DPA 2018 s.173).
        title, why = f"Hold: {hold.title}", f"a hold stands ({hold.title})"
        yield _in_use(codes.HOLD, title, None, hold.basis, why, "If the hold were released", policy)
    if facts.locked:
        # After a death or serious injury nothing may go before the post-incident manager has released it.
        basis, why = "Post-incident procedures after a death or serious injury", "it is locked after an incident"
        yield _in_use(codes.LOCK, "Incident lock", None, basis, why, "If the lock were released", policy)
    for until in facts.extensions:
        basis, why = "Decision with a stated reason, which cannot be taken back", "its time was extended"
        yield _in_use(codes.EXTENSION, "Extension", until, basis, why, "", policy)
    for reason in facts.reasons:
        end = "If that reason ended"
        yield _in_use(reason.code, reason.title, reason.until, reason.basis, reason.why, end, policy)
    for case in facts.proceedings:
        yield _of_clock(proceedings.clock(case), case.code, codes.PROCEEDINGS, codes.PROCEEDINGS_OPEN, policy)
    for group in facts.mopi:
        yield _of_clock(mopi.clock(group, policy.mopi), group.code, codes.MOPI, codes.MOPI_OPEN, policy)


def _default(facts: Facts, policy: Policy) -> Rule:
    # DPA 2018 s.39(1): kept no longer than necessary (fifth data protection principle). The period is the force's
    # published policy: not retained as evidence or for a policing purpose, automatically deleted within 31 days.
    limit = limit_of(facts, policy)
    if facts.special is not None:
        why = f"the period of {calendar.period(facts.special.length)} from recording ({facts.special.title})"
        # The title stands on the certificate, which tells nothing of the content; what the period is for is its reason.
        return Rule(codes.DEFAULT, "Special period", limit, limit, facts.special.basis, why)
    why = f"the default of {count(policy.default.days, 'day')} from recording"
    return Rule(codes.DEFAULT, "Default period", limit, limit, "Data Protection Act 2018 s.39(1); force policy", why)


def _evidence(flag: Flag, started_at: datetime, policy: Policy) -> Rule:
    # CPIA 1996 s.23 code: relevant material is kept until the decision on proceedings, hence undecided never expires.
    until = flagged_until(flag, started_at)
    if flag.keep is None:
        why = f"it is flagged as evidence ({flag.category}) and nobody has decided for how long"
    else:
        why = f"it is flagged as evidence ({flag.category}, {calendar.period(flag.keep)} from recording)"
    return _in_use(codes.EVIDENCE, "Flagged as evidence", until, flag.basis, why, "If the flag were released", policy)


def _of_clock(clock: proceedings.Clock, of: str, dated: str, without_end: str, policy: Policy) -> Rule:
    # Wearers and all others who may read a recording's facts read this, and certificates and the ledger repeat it: that
    # a case needs it, and nothing of the person there. What the clock itself says is for the case's own pages.
    code = f"{without_end if clock.until is None else dated}:{of}"
    end = "What is recorded in the case gives it an end." if clock.until is None else ""
    return _in_use(code, "Case", clock.until, _OF_A_CASE, "a case that it belongs to needs it", end, policy)


def _in_use(
    code: str, title: str, until: datetime | None, basis: str, why: str, would_end: str, policy: Policy
) -> Rule:
    """A rule that keeps the recording in use until its date; quarantine comes after it."""
    gone_by = None if until is None else calendar.later(until, policy.quarantine)
    return Rule(code, title, until, gone_by, basis, why, would_end)


def _length(rule: Rule) -> tuple[bool, datetime, bool]:
    # Rules without an end are the longest; among equals the default names itself last.
    forever = rule.gone_by is None
    return forever, rule.gone_by or datetime.max.replace(tzinfo=UTC), rule.code != codes.DEFAULT
