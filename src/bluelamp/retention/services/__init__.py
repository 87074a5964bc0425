"""The verbs of retention. Each module below holds those of one matter."""

from bluelamp.retention.services.deciding import extend, recompute
from bluelamp.retention.services.deleting import check_again, finish_deletion
from bluelamp.retention.services.holds import (
    HoldsPlaced,
    place_hold,
    place_holds,
    release_hold,
    release_holds,
)
from bluelamp.retention.services.sweeping import SweepResult, reconsider, sweep

__all__ = [
    "HoldsPlaced",
    "SweepResult",
    "check_again",
    "extend",
    "finish_deletion",
    "place_hold",
    "place_holds",
    "recompute",
    "reconsider",
    "release_hold",
    "release_holds",
    "sweep",
]
