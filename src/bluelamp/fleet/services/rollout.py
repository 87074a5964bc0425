"""The plan of the roll-out."""

from __future__ import annotations

from datetime import date

from bluelamp import custody
from bluelamp.fleet import events
from bluelamp.fleet.models import RolloutPlan
from bluelamp.kernel.errors import Invalid
from bluelamp.people.models import Unit


@custody.service
def plan_rollout(unit: Unit, planned: int, due_on: date | None, *, actor: str) -> RolloutPlan:
    """Set how many cameras `unit`, with everything below it, is to have, and by when.

    Raises Invalid for a negative number.
    """
    if planned < 0:
        raise Invalid("A plan cannot be below zero.", "The plan stays as it was.", "Give a number of cameras.")
    plan = RolloutPlan.objects.select_for_update().filter(unit=unit).first()
    if plan is not None and (plan.planned, plan.due_on) == (planned, due_on):
        custody.nothing_changed()
        return plan
    before = plan.planned if plan else None
    plan, _ = RolloutPlan.objects.update_or_create(unit=unit, defaults={"planned": planned, "due_on": due_on})
    custody.record(
        events.RolloutPlanned(
            actor=actor,
            subject=f"unit:{unit.pk}",
            unit=unit.code,
            planned_before=before,
            planned=planned,
            due_on=due_on.isoformat() if due_on else "",
        )
    )
    return plan
