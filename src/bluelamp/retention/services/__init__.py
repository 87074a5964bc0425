"""The verbs of retention. Each module below holds those of one matter."""

from bluelamp.retention.services.approving import (
    MOST_AT_ONCE,
    approve_shortening,
    decide_shortenings,
    look_into,
    refuse_shortening,
)
from bluelamp.retention.services.deciding import extend, recompute
from bluelamp.retention.services.deleting import check_again, finish_deletion, finish_deletions
from bluelamp.retention.services.holding_back import Edit, end_promise, hold_back
from bluelamp.retention.services.holds import (
    HoldsPlaced,
    decide_holds,
    keep_hold,
    place_hold,
    place_holds,
    release_hold,
    release_holds,
)
from bluelamp.retention.services.policies import (
    approve_policy,
    carry_out_policy,
    propose_policy,
    reckon_proposal,
    refuse_policy,
)
from bluelamp.retention.services.proving import Search, prove_gone
from bluelamp.retention.services.sweeping import SweepResult, reconsider, sweep

__all__ = [
    "MOST_AT_ONCE",
    "Edit",
    "HoldsPlaced",
    "Search",
    "SweepResult",
    "approve_policy",
    "approve_shortening",
    "carry_out_policy",
    "check_again",
    "decide_holds",
    "decide_shortenings",
    "end_promise",
    "extend",
    "finish_deletion",
    "finish_deletions",
    "hold_back",
    "keep_hold",
    "look_into",
    "place_hold",
    "place_holds",
    "propose_policy",
    "prove_gone",
    "reckon_proposal",
    "recompute",
    "reconsider",
    "refuse_policy",
    "refuse_shortening",
    "release_hold",
    "release_holds",
    "sweep",
]
