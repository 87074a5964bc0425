"""What can go wrong with a source as a whole, in words for whoever runs the import."""

from __future__ import annotations

from bluelamp.kernel.errors import Conflict, Invalid


class ManifestUnreadable(Invalid):
    """The list of what the source should have cannot be relied on."""

    title = "The manifest cannot be read"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"The manifest {name} cannot be read: {what}",
            "Nothing was imported: without its manifest nobody could say what is missing. Do not delete the source.",
            "Have the export made again, or mend the manifest, and run the same command.",
        )


class SourceUnreadable(Invalid):
    """There is nothing at the source, or it has gone."""

    title = "The source cannot be read"

    def __init__(self, source: str, what: str) -> None:
        super().__init__(
            f"The source {source} cannot be read: {what}",
            "Nothing was imported now, and the source was not changed; what was imported before is safe here.",
            "Connect or mount it, or correct the path, and run the command: an import that was begun goes on where it "
            "stopped.",
        )


class AlreadyRunning(Conflict):
    """Another process imports the same source."""

    title = "This import is running"

    def __init__(self, source: str) -> None:
        super().__init__(
            f"Another process is importing {source} just now.",
            "Nothing was changed; it goes on.",
            "Look how far it is with `bluelamp import --status`.",
        )
