"""What is on its way in: docking sessions, and uploads until their recordings are accepted.

Nothing here outlives its recording's content: manifests, file names and client metadata are cleared when an upload
ends, so that deleting a recording leaves no copy of its facts behind.
"""

from bluelamp.ingest.models.additions import AddedFile, Addition
from bluelamp.ingest.models.axis import (
    AxisAlert,
    AxisConnection,
    AxisContainer,
    AxisDevice,
    AxisObject,
    AxisUser,
)
from bluelamp.ingest.models.discrepancies import Discrepancy, Offer, Reconciliation
from bluelamp.ingest.models.docking import DockingSession
from bluelamp.ingest.models.imports import ImportItem, ImportRun
from bluelamp.ingest.models.uploads import Upload

__all__ = [
    "AddedFile",
    "Addition",
    "AxisAlert",
    "AxisConnection",
    "AxisContainer",
    "AxisDevice",
    "AxisObject",
    "AxisUser",
    "Discrepancy",
    "DockingSession",
    "ImportItem",
    "ImportRun",
    "Offer",
    "Reconciliation",
    "Upload",
]
