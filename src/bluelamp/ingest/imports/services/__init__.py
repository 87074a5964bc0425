"""The verbs of imports."""

from bluelamp.ingest.imports.services.importing import Options, import_source
from bluelamp.ingest.imports.services.reporting import listing_taken, write_report
from bluelamp.ingest.imports.services.stages import Progress

__all__ = ["Options", "Progress", "import_source", "listing_taken", "write_report"]
