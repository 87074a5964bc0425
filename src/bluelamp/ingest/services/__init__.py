"""The verbs of intake. Each module below holds those of one matter."""

from bluelamp.ingest.services.acceptance import accept_upload, open_writer, settled_receipt
from bluelamp.ingest.services.adding import add_file, open_addition
from bluelamp.ingest.services.adding import finish as finish_addition
from bluelamp.ingest.services.adding import tidy as tidy_additions
from bluelamp.ingest.services.deposits import announce, give_up, note_length, take, withdraw
from bluelamp.ingest.services.discrepancies import close as close_discrepancy
from bluelamp.ingest.services.discrepancies import close_all as close_discrepancies
from bluelamp.ingest.services.discrepancies import note_unavailable, reconcile, reconcile_docked, reconcile_waiting
from bluelamp.ingest.services.docking import Docked, Verdict, open_session
from bluelamp.ingest.services.joining import create_part, join, plan
from bluelamp.ingest.services.recovery import expire, recover
from bluelamp.ingest.services.refusals import refuse_camera, refuse_dock
from bluelamp.ingest.services.uploads import (
    abandon,
    clear,
    create_upload,
    declare_length,
    is_evidence,
    most_bytes,
    note_progress,
    reject,
)

__all__ = [
    "Docked",
    "Verdict",
    "abandon",
    "accept_upload",
    "add_file",
    "announce",
    "clear",
    "close_discrepancies",
    "close_discrepancy",
    "create_part",
    "create_upload",
    "declare_length",
    "expire",
    "finish_addition",
    "give_up",
    "is_evidence",
    "join",
    "most_bytes",
    "note_length",
    "note_progress",
    "note_unavailable",
    "open_addition",
    "open_session",
    "open_writer",
    "plan",
    "reconcile",
    "reconcile_docked",
    "reconcile_waiting",
    "recover",
    "refuse_camera",
    "refuse_dock",
    "reject",
    "settled_receipt",
    "take",
    "tidy_additions",
    "withdraw",
]
