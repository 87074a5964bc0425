"""Where other parts say what they know to intake, and hear of what it does."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp.kernel.hooks import Hook


@dataclass(frozen=True)
class Hindrance:
    """What holds uploads up just now, and what it means for the footage; sentences."""

    what: str
    means: str


hindrances = Hook("ingest.hindrances")
"""Functions without arguments, each giving a list of Hindrance: empty where nothing holds uploads up."""

refused = Hook("ingest.refused")
"""Functions of an upload and the Conflict that its acceptance raised, called before it is rejected for that. What one
raises itself leaves the complete upload for recovery."""
