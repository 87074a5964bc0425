"""Where other parts say what they know to intake's pages."""

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
