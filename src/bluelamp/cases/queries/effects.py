"""What a change of a case would do to its footage, reckoned before it is made: how many recordings, until when."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from bluelamp.cases.models import Case, Subject
from bluelamp.cases.queries.casework import reason_of_open_case
from bluelamp.cases.rules import Known, is_correction, promises
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.retention import queries as retention
from bluelamp.retention import rules
from bluelamp.retention.rules import Decision, Facts, Mopi, Policy, Proceedings, calendar


@dataclass(frozen=True)
class EffectLine:
    """So many recordings that are kept as `before` says now, and would be as `after` says. `shorter`: not as long."""

    recordings: int
    before: str
    after: str
    shorter: bool


@dataclass(frozen=True)
class Effect:
    """What a change would do. `lines` name the recordings that it moves, the most first; `unchanged` are the others.

    `waiting` of them would go earlier by a correction, and keep their former date until a second person has approved.
    `review` would be due already, and are given time for review first.
    """

    lines: tuple[EffectLine, ...]
    unchanged: int
    waiting: int = 0
    review: int = 0

    @property
    def recordings(self) -> int:
        """All recordings that there still are in the case."""
        return self.unchanged + sum(line.recordings for line in self.lines)

    @property
    def digest(self) -> str:
        """The same for the same effect, so that what was shown is what is saved."""
        return hashlib.sha256(repr((self.lines, self.unchanged, self.waiting, self.review)).encode()).hexdigest()[:32]


def effect_of_knowing(subject: Subject, after: Known, *, closing: bool = False) -> Effect:
    """What it would do to record that `after` is known of the person, and, with `closing`, to close the case too."""
    before = subject.known

    def change(facts: Facts) -> Facts:
        facts = _without_open_case(facts, subject.case_id) if closing else facts
        return replace(
            facts,
            proceedings=_instead(facts.proceedings, before.proceedings.code, after.proceedings),
            mopi=_instead(facts.mopi, before.proceedings.code, after.mopi),
        )

    promise = (before, after) if subject.corrected or is_correction(before, after) else None
    return _effect(subject.case, change, promise)


def effect_of_closing(case: Case) -> Effect:
    """What it would do to close the case as it stands."""
    return _effect(case, partial(_without_open_case, case_id=case.pk), None)


def _without_open_case(facts: Facts, case_id: UUID) -> Facts:
    code = reason_of_open_case(case_id).code
    return replace(facts, reasons=tuple(reason for reason in facts.reasons if reason.code != code))


def _effect(case: Case, change: Callable[[Facts], Facts], promise: tuple[Known, Known] | None) -> Effect:
    policy, now = retention.policy(), clock.now()
    recordings = Recording.objects.filter(case_links__case=case).exclude(state=Recording.State.DELETED)
    moved: Counter[tuple[str, str, bool]] = Counter()
    unchanged = waiting = review = 0
    for facts in retention.facts(recordings).values():
        before, after = rules.decide(facts, policy), rules.decide(change(facts), policy)
        due, waits = _held_back(facts, after, promise, policy)
        if not waits and _is_an_edit(before, after):
            due, waits = before.due_at, True
        grace = None if waits else rules.grace_when_a_reason_ends(after, now, policy)
        if grace is not None and before.step(now) is rules.Step.KEEP:
            due = max(due or grace, grace)
            review += 1
        waiting += waits
        if due == before.due_at:
            unchanged += 1
        else:
            shorter = due is not None and (before.due_at is None or due < before.due_at)
            moved[_words(before.due_at), _words(due), shorter] += 1
    lines = [EffectLine(count, *words) for words, count in moved.most_common()]
    return Effect(tuple(lines), unchanged, waiting, review)


def _held_back(
    facts: Facts, after: Decision, promise: tuple[Known, Known] | None, policy: Policy
) -> tuple[datetime | None, bool]:
    """By when it would be gone, and whether a correction's shortening waits for a second person."""
    if promise is None:
        return after.due_at, False
    found = promises(*promise, facts.started_at, facts.received_at, policy)
    taken = [each.before.due_at for each in found if each.is_shortened]
    if not taken:
        return after.due_at, False
    dated = [due for due in (*taken, after.due_at) if due is not None]
    return (max(dated) if len(dated) > len(taken) else None), True


def _is_an_edit(before: Decision, after: Decision) -> bool:
    """Whether only the date of the rule that governs moved, and that to an earlier one: a review that lets go, say."""
    code = before.governing.code
    stands = rules.is_editable(code) and code in {rule.code for rule in after.considered}
    return stands and after.earlier_than(before.due_at)


def _instead(known: Iterable[Proceedings | Mopi], code: str, now: Proceedings | Mopi | None) -> tuple[object, ...]:
    """The same with `now` in place of what has the code."""
    return (*(one for one in known if one.code != code), *(() if now is None else (now,)))


def _words(due_at: datetime | None) -> str:
    if due_at is None:
        return "Kept without an end date"
    return f"Gone by {calendar.on(due_at.astimezone(rules.LONDON).date())}"
