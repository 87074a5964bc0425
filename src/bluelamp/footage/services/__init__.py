"""The verbs of footage. Each module below holds those of one matter."""

from bluelamp.footage.services.acceptance import NewRecording, accept
from bluelamp.footage.services.due import (
    mark_deleted,
    mark_quarantined,
    mark_restored,
    set_due,
)
from bluelamp.footage.services.locking import let_watch, lock, unlock
from bluelamp.footage.services.marks import add_note, add_reference, categorise, flag, release_flag
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
    "add_note",
    "add_reference",
    "categorise",
    "close_viewing",
    "close_viewings",
    "flag",
    "let_watch",
    "lock",
    "log_consultation",
    "log_listing",
    "mark_deleted",
    "mark_quarantined",
    "mark_restored",
    "open_viewing",
    "record_range",
    "release_flag",
    "set_due",
    "unlock",
]
