"""The verbs of footage. Each module below holds those of one matter."""

from bluelamp.footage.services.acceptance import NewRecording, accept, accept_all
from bluelamp.footage.services.due import (
    mark_all_deleted,
    mark_all_quarantined,
    mark_deleted,
    mark_quarantined,
    mark_restored,
    set_due,
)
from bluelamp.footage.services.facts import add_facts, attribute, number
from bluelamp.footage.services.locking import let_watch, lock, unlock
from bluelamp.footage.services.marks import add_note, add_reference, categorise, flag, release_flag
from bluelamp.footage.services.unwrapping import await_key, unwrapped
from bluelamp.footage.services.viewing import (
    close_viewing,
    close_viewings,
    log_consultation,
    log_listing,
    open_viewing,
    record_range,
)

__all__ = [
    "NewRecording",
    "accept",
    "accept_all",
    "add_facts",
    "add_note",
    "add_reference",
    "attribute",
    "await_key",
    "categorise",
    "close_viewing",
    "close_viewings",
    "flag",
    "let_watch",
    "lock",
    "log_consultation",
    "log_listing",
    "mark_all_deleted",
    "mark_all_quarantined",
    "mark_deleted",
    "mark_quarantined",
    "mark_restored",
    "number",
    "open_viewing",
    "record_range",
    "release_flag",
    "set_due",
    "unlock",
    "unwrapped",
]
