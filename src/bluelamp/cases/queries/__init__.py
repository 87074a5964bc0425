"""Reading cases: `casework` what they hold, `effects` what a change of them would do to their footage, `reviews`."""

from bluelamp.cases.queries.casework import (
    is_member,
    members,
    open_cases_of,
    people_of,
    reason_of_open_case,
    reasons_of_cases,
    recordings_of_member,
    retention_reasons,
    visible_to,
)
from bluelamp.cases.queries.effects import Effect, EffectLine, effect_of_closing, effect_of_knowing
from bluelamp.cases.queries.reviews import reviews_due

__all__ = [
    "Effect",
    "EffectLine",
    "effect_of_closing",
    "effect_of_knowing",
    "is_member",
    "members",
    "open_cases_of",
    "people_of",
    "reason_of_open_case",
    "reasons_of_cases",
    "recordings_of_member",
    "retention_reasons",
    "reviews_due",
    "visible_to",
]
