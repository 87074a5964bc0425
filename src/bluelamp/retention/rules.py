"""How long a recording is kept: facts in, one decision out. No Django, no clock, no disk.

The longest rule wins. The default is a limit: the recording must be gone by then, quarantine included. Every other
rule is a floor. A flag, an extension or a reason keeps the recording in use until its date, and quarantine follows;
time given for review ends with deletion, as the default does. Sources of the rules stand at each of them; periods are
the force's configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

DEFAULT = "default"
LATE_ARRIVAL = "late_arrival"
REVIEW = "review"
EVIDENCE = "evidence"
INCIDENT = "incident"


@dataclass(frozen=True)
class Policy:
    """The force's periods.

    `margin` is how long before the limit deletion begins, so that it ends inside the limit; `longest_extension` how far
    ahead one person may extend.
    """

    default: timedelta = timedelta(days=31)
    quarantine: timedelta = timedelta(days=3)
    review_grace: timedelta = timedelta(days=7)
    margin: timedelta = timedelta(minutes=15)
    longest_extension: timedelta = timedelta(days=2557)


@dataclass(frozen=True)
class Flag:
    """A standing flag as evidence. `keep` is its category's period; None: undecided, which never expires."""

    category: str
    keep: timedelta | None
    basis: str


@dataclass(frozen=True)
class Hold:
    """A standing hold, by what it is called to people, and the law or policy behind it."""

    title: str
    basis: str


@dataclass(frozen=True)
class RetentionReason:
    """A reason that another room gives for keeping a recording; `until` None: for as long as the reason stands.

    `code` is unique among the reasons of one recording (`case:<uuid>`); `why` continues "Kept because ..." and must
    name nothing that the reader of the recording's facts may not know.
    """

    code: str
    title: str
    why: str
    basis: str
    until: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """All that bears on one recording's retention. Instants are aware; `started_at` is corrected time.

    `extensions` are the instants to which people extended it; `review_until` is the end of a review grace given when
    its last reason ended after it was due.
    """

    started_at: datetime
    received_at: datetime
    flag: Flag | None = None
    holds: tuple[Hold, ...] = ()
    extensions: tuple[datetime, ...] = ()
    reasons: tuple[RetentionReason, ...] = ()
    review_until: datetime | None = None
    locked: bool = False


@dataclass(frozen=True)
class Rule:
    """One rule applied to one recording. `until` None: no end while it stands. `why` continues "... because".

    `gone_by`: when the recording would be gone if this rule alone governed.
    """

    code: str
    title: str
    until: datetime | None
    gone_by: datetime | None
    basis: str
    why: str
    would_end: str = ""


class Step(StrEnum):
    """Where a recording stands on its way out at one instant."""

    KEEP = "keep"
    QUARANTINE = "quarantine"
    DELETE = "delete"


@dataclass(frozen=True)
class Decision:
    """When a recording goes, and why not earlier.

    It is gone by `due_at`; None: not while a reason stands. Deletion begins at `delete_at`, quarantine at
    `quarantine_at`; both are None with `due_at`. `considered` holds every rule that applied, the longest first; the
    first one governs.
    """

    due_at: datetime | None
    delete_at: datetime | None
    quarantine_at: datetime | None
    considered: tuple[Rule, ...] = field(repr=False)

    @property
    def governing(self) -> Rule:
        return self.considered[0]

    def step(self, now: datetime) -> Step:
        """What is to be done with the recording at `now`."""
        if self.delete_at is None or self.quarantine_at is None or now < self.quarantine_at:
            return Step.KEEP
        return Step.DELETE if now >= self.delete_at else Step.QUARANTINE

    def earlier_than(self, due_at: datetime | None) -> bool:
        """Whether the recording goes earlier under this decision than at `due_at` (None: never)."""
        return self.due_at is not None and (due_at is None or self.due_at < due_at)

    def is_dated_past(self, instant: datetime) -> bool:
        """Whether it stays in use until a date that is `instant` or later; not so where there is no end yet."""
        return self.quarantine_at is not None and self.quarantine_at >= instant

    @property
    def sentence(self) -> str:
        """The decision in plain English: until when, why, and what would change it. Dates are London's."""
        return " ".join(part for part in (self._until_when(), self._what_would_change()) if part)

    def _until_when(self) -> str:
        rule = self.governing
        if self.due_at is None or self.delete_at is None or self.quarantine_at is None or rule.until is None:
            others = sum(other.until is None for other in self.considered) - 1
            more = f", and for {_count(others, 'more reason')}" if others else ""
            return f"Kept without an end date because {rule.why}{more}. It cannot be deleted while this stands."
        days = _count((self.delete_at - self.quarantine_at).days, "day")
        if rule.until < self.due_at:
            return (
                f"Kept until {when(rule.until)} because {rule.why}. Then it spends {days} in quarantine, from which "
                f"it can be brought back, and is gone by {when(self.due_at)}."
            )
        ends = (
            f"it will be gone by {when(self.due_at)}, the last {days} in quarantine, from which it can be brought back."
        )
        if rule.code == DEFAULT:
            return f"Nothing keeps this recording beyond {rule.why}: {ends}"
        return f"{rule.why[:1].upper()}{rule.why[1:]}: {ends}"

    def _what_would_change(self) -> str:
        rule = self.governing
        if not rule.would_end:
            return "A flag as evidence, a hold or an extension would keep it longer."
        after = self.considered[1]
        if after.gone_by is None:
            return f"{rule.would_end}, the next reason would keep it ({after.title.lower()})."
        return (
            f"{rule.would_end}, the next rule would govern ({after.title.lower()}, gone by {when(after.gone_by)}); "
            "a recording already due by then is first given time for review."
        )


def decide(facts: Facts, policy: Policy) -> Decision:
    """The decision about one recording: the longest of all rules that apply to it."""
    considered = tuple(sorted(_rules(facts, policy), key=_length, reverse=True))
    limit = default_due(facts.started_at, policy)
    floors = [rule.gone_by for rule in considered if rule.code != DEFAULT]
    dated = [gone_by for gone_by in floors if gone_by is not None]
    if len(dated) < len(floors):
        return Decision(None, None, None, considered)
    # The default's deletion begins early so as to end inside its limit; no floor may be undercut by that.
    delete_at = max([limit - policy.margin, *dated])
    return Decision(
        due_at=max([limit, *dated]),
        delete_at=delete_at,
        quarantine_at=delete_at - policy.quarantine,
        considered=considered,
    )


def default_due(started_at: datetime, policy: Policy) -> datetime:
    """By when unreserved footage must be gone, everywhere: counted from the start of the recording."""
    return started_at + policy.default


def arrived_late(facts: Facts, policy: Policy) -> bool:
    """Whether it arrived so late that the default would leave less than the review grace to look at it."""
    return facts.received_at + policy.review_grace > default_due(facts.started_at, policy)


def grace_when_a_reason_ends(decision: Decision, now: datetime, policy: Policy) -> datetime | None:
    """Until when to keep a recording whose last reason has just ended, if `decision` would already let it go.

    None where its quarantine still lies ahead: then the ordinary date is in time. So the end of a reason never deletes
    anything by itself, and never keeps longer what is not yet due.
    """
    return now + policy.review_grace if decision.step(now) is not Step.KEEP else None


def flagged_until(flag: Flag, started_at: datetime) -> datetime | None:
    """Until when `flag` keeps a recording that began at `started_at` in use; None: without end.

    The category's period counts from recording, so that flagging late does not keep longer than flagging at once.
    """
    return None if flag.keep is None else _later(started_at, flag.keep)


def of_incident(until: datetime | None) -> RetentionReason:
    """The reason of a file because another one of its incident is kept until then; None: for as long as that one."""
    return RetentionReason(
        code=INCIDENT,
        title="Another file of the incident",
        why="another file of the same incident is held, flagged or locked",
        basis="Criminal Procedure and Investigations Act 1996 s.23 (code); force policy",
        until=until,
    )


def when(instant: datetime) -> str:
    """An aware instant as a person in London reads it: "07:19 on 22 December 2026"."""
    local = instant.astimezone(LONDON)
    return f"{local:%H:%M} on {local.day} {local:%B %Y}"


def period(length: timedelta) -> str:
    """A period in words: "10 years" where the days are those of whole years, else "40 days"."""
    years = round(length.days / 365.25)
    whole = years > 0 and abs(length.days - years * 365.25) <= 1
    return _count(years, "year") if whole else _count(length.days, "day")


def _rules(facts: Facts, policy: Policy) -> Iterable[Rule]:
    yield _default(facts, policy)
    if arrived_late(facts, policy):
        # Footage that arrives late is never silently accepted into deletion.
        until = facts.received_at + policy.review_grace
        basis = "Force policy: time to review footage that arrives late"
        why = f"it arrived late and is given {_count(policy.review_grace.days, 'day')} from receipt to be reviewed"
        yield Rule(LATE_ARRIVAL, "Arrived late", until, until, basis, why)
    if facts.review_until is not None:
        basis = "Force policy: no reason that ends deletes footage by itself"
        why = "its last reason to be kept ended after it was due, and it is given time to be reviewed"
        yield Rule(REVIEW, "Review after a reason ended", facts.review_until, facts.review_until, basis, why)
    if facts.flag is not None:
        yield _evidence(facts.flag, facts.started_at, policy)
    for hold in facts.holds:
        # A request, complaint or lock stops deletion at once, even on day 31; destroying what was asked for is an
        # offence (FOIA 2000 s.77, DPA 2018 s.173).
        title, why = f"Hold: {hold.title}", f"a hold stands ({hold.title})"
        yield _in_use("hold", title, None, hold.basis, why, "If the hold were released", policy)
    if facts.locked:
        # After a death or serious injury nothing may go before the post-incident manager has released it.
        basis, why = "Post-incident procedures after a death or serious injury", "it is locked after an incident"
        yield _in_use("lock", "Incident lock", None, basis, why, "If the lock were released", policy)
    for until in facts.extensions:
        basis, why = "Decision with a stated reason, which cannot be taken back", "its time was extended"
        yield _in_use("extension", "Extension", until, basis, why, "", policy)
    for reason in facts.reasons:
        end = "If that reason ended"
        yield _in_use(reason.code, reason.title, reason.until, reason.basis, reason.why, end, policy)


def _default(facts: Facts, policy: Policy) -> Rule:
    # DPA 2018 s.39(1): kept no longer than necessary (fifth data protection principle). The period is the force's
    # published policy: not retained as evidence or for a policing purpose, automatically deleted within 31 days.
    limit = default_due(facts.started_at, policy)
    why = f"the default of {_count(policy.default.days, 'day')} from recording"
    return Rule(DEFAULT, "Default period", limit, limit, "Data Protection Act 2018 s.39(1); force policy", why)


def _evidence(flag: Flag, started_at: datetime, policy: Policy) -> Rule:
    # CPIA 1996 s.23 code: relevant material is kept until the decision on proceedings, hence undecided never expires.
    until = flagged_until(flag, started_at)
    if flag.keep is None:
        why = f"it is flagged as evidence ({flag.category}) and nobody has decided for how long"
    else:
        why = f"it is flagged as evidence ({flag.category}, {period(flag.keep)} from recording)"
    return _in_use(EVIDENCE, "Flagged as evidence", until, flag.basis, why, "If the flag were released", policy)


def _in_use(
    code: str, title: str, until: datetime | None, basis: str, why: str, would_end: str, policy: Policy
) -> Rule:
    """A rule that keeps the recording in use until its date; quarantine comes after it."""
    gone_by = None if until is None else _later(until, policy.quarantine)
    return Rule(code, title, until, gone_by, basis, why, would_end)


def _later(instant: datetime, by: timedelta) -> datetime | None:
    """None, which is never, where the calendar ends before."""
    try:
        return instant + by
    except OverflowError:
        return None


def _length(rule: Rule) -> tuple[bool, datetime, bool]:
    # Rules without an end are the longest; among equals the default names itself last.
    forever = rule.gone_by is None
    return forever, rule.gone_by or datetime.max.replace(tzinfo=UTC), rule.code != DEFAULT


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
