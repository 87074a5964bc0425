"""Staging: where an upload's bytes wait, sealed from the first one on, until the recording is accepted.

A folder an upload, `<data>/staging/<upload id>/`:

    sealed-<8 hex>   the sealed object as far as it is decided: header and full segments; at the end also the last
    state            what is acknowledged: which sealed file, how many of its segments, and the held-back tail
    wanted           somebody waits for the folder

Whoever writes holds the folder's lease. Nothing here knows the database.
"""

from bluelamp.ingest.staging.folder import Lease, all_folders, folder_of
from bluelamp.ingest.staging.room import require_room
from bluelamp.ingest.staging.spool import Spool
from bluelamp.ingest.staging.state import StagingDamaged, StateFile, acknowledged_offset, forget, sealed_file
from bluelamp.ingest.staging.writer import StagedWriter, plaintext

__all__ = [
    "Lease",
    "Spool",
    "StagedWriter",
    "StagingDamaged",
    "StateFile",
    "acknowledged_offset",
    "all_folders",
    "folder_of",
    "forget",
    "plaintext",
    "require_room",
    "sealed_file",
]
