"""The verbs of intake. Each module below holds those of one matter."""

from bluelamp.ingest.services.acceptance import accept_upload, open_writer, settled_receipt
from bluelamp.ingest.services.docking import Docked, Verdict, open_session
from bluelamp.ingest.services.recovery import expire, recover
from bluelamp.ingest.services.refusals import refuse_camera, refuse_dock
from bluelamp.ingest.services.uploads import (
    abandon,
    clear,
    create_upload,
    note_progress,
    reject,
)

__all__ = [
    "Docked",
    "Verdict",
    "abandon",
    "accept_upload",
    "clear",
    "create_upload",
    "expire",
    "note_progress",
    "open_session",
    "open_writer",
    "recover",
    "refuse_camera",
    "refuse_dock",
    "reject",
    "settled_receipt",
]
