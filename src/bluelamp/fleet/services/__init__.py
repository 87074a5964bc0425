"""The verbs of the fleet. `actor` is always a custody id, such as `person:7` or `dock:3`."""

from bluelamp.fleet.services.assignments import issue, return_camera
from bluelamp.fleet.services.cameras import change_state, forget_key, pin_key, record_docking, register_camera
from bluelamp.fleet.services.docks import add_dock, revoke_dock
from bluelamp.fleet.services.rollout import plan_rollout

__all__ = [
    "add_dock",
    "change_state",
    "forget_key",
    "issue",
    "pin_key",
    "plan_rollout",
    "record_docking",
    "register_camera",
    "return_camera",
    "revoke_dock",
]
