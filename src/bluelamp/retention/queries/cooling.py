"""The cooling period after the policy was shortened, as it bears on each recording's decision.

A version that shortens makes nothing go before its cooling period is over, and keeps nothing beyond the date that the
version before it gave: due = max(date under the new version, min(date under the former one, end of the cooling
period)). Both dates come from the same facts, read under the two versions, so that nothing need be remembered of a
recording. The period is that of the version before. It counts from the version's own date or its approval, and from
the instant at which it was really put in force where an outage has delayed that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from bluelamp.kernel import clock
from bluelamp.retention import rules
from bluelamp.retention.models import PolicyVersion, VersionInForce
from bluelamp.retention.terms import Terms

COOLING = "cooling"

# Until all that a version made due has gone, with days to spare: then its cooling period bears on nothing.
_GONE_BY_THEN = timedelta(days=31)

FactsUnder = Callable[[Terms], Mapping[UUID, rules.Facts]]


@dataclass(frozen=True)
class _Transition:
    version: int
    former: Terms
    not_before: datetime


def with_cooling(
    found: Mapping[UUID, rules.Facts], under: FactsUnder, policy: Callable[[], rules.Policy]
) -> Mapping[UUID, rules.Facts]:
    """`found` with the floors of cooling periods that have not passed. `under` reads those facts under other terms."""
    active = _transitions()
    if not active:
        return found
    floors = _chain(active, under, policy())[-1][1]
    quarantine = policy().quarantine
    return {
        recording_id: _with_floor(each, active[-1].version, floors[recording_id], quarantine)
        for recording_id, each in found.items()
    }


def former_decisions(recording_id: UUID, under: FactsUnder, policy: Callable[[], rules.Policy]) -> list[rules.Decision]:
    """What the versions would have decided from today's facts that newer ones shortened lately; often none."""
    active = _transitions()
    return [decisions[recording_id] for decisions, _ in _chain(active, under, policy())] if active else []


def policy_of(terms: Terms, now: rules.Policy) -> rules.Policy:
    """The pure rules' periods under `terms`; what is not a matter of versions is as in `now`."""
    return replace(
        now,
        default=timedelta(days=terms.default_days),
        quarantine=timedelta(days=terms.quarantine_days),
        review_grace=timedelta(days=terms.review_grace_days),
        margin=timedelta(minutes=terms.margin_minutes),
        longest_extension=timedelta(days=terms.longest_extension_days),
        cooling=timedelta(days=terms.cooling_days),
        mopi=replace(
            now.mopi,
            age=terms.mopi_age,
            serious=terms.mopi_serious_years,
            other=terms.mopi_other_years,
            review=terms.mopi_review_years,
            review_again=terms.mopi_review_again_years,
        ),
    )


def _chain(
    active: list[_Transition], under: FactsUnder, now: rules.Policy
) -> list[tuple[dict[UUID, rules.Decision], dict[UUID, datetime]]]:
    """For each transition, the oldest first: the decisions before it, and the floors that it leaves."""
    steps: list[tuple[dict[UUID, rules.Decision], dict[UUID, datetime]]] = []
    for transition in active:
        periods = policy_of(transition.former, now)
        facts = under(transition.former)
        if steps:
            floors = steps[-1][1]
            facts = {
                recording_id: _with_floor(each, transition.version - 1, floors[recording_id], periods.quarantine)
                for recording_id, each in facts.items()
            }
        before = {recording_id: rules.decide(each, periods) for recording_id, each in facts.items()}
        # Its deletion's beginning, not its end: what is let go at its former date must be gone by then.
        floors = {
            recording_id: min(decision.delete_at or transition.not_before, transition.not_before)
            for recording_id, decision in before.items()
        }
        steps.append((before, floors))
    return steps


def _with_floor(facts: rules.Facts, version: int, floor: datetime, quarantine: timedelta) -> rules.Facts:
    reason = rules.RetentionReason(
        code=f"{COOLING}:v{version}",
        title="Cooling period of a changed policy",
        why=f"version {version} of the policy shortened its time, and nothing goes before its cooling period is over",
        basis="Force policy: a change of the policy makes nothing go at once",
        until=floor - quarantine,
    )
    return replace(facts, reasons=(*facts.reasons, reason))


def cooled_at(version: PolicyVersion, at: datetime) -> datetime | None:
    """Before when nothing goes that `version` makes due, if it is put in force at `at`; None: it shortens nothing."""
    if version.not_before is None:
        return None
    former = Terms.from_json(PolicyVersion.objects.get(number=version.number - 1).terms)
    return max(version.not_before, at + timedelta(days=former.cooling_days))


def _transitions() -> list[_Transition]:
    """Those whose cooling period bears on something still, the oldest first."""
    lately = VersionInForce.objects.filter(cooled_at__gt=clock.now() - _GONE_BY_THEN)
    listed = list(lately.order_by("version").values_list("version", "cooled_at"))
    if not listed:
        return []
    before = PolicyVersion.objects.in_bulk([number - 1 for number, _ in listed])
    return [
        _Transition(number, Terms.from_json(before[number - 1].terms), cooled) for number, cooled in listed if cooled
    ]
