"""What may stand in the way of added footage."""

from __future__ import annotations

from uuid import UUID

from bluelamp.ingest.errors import TooLarge
from bluelamp.kernel.errors import Conflict, Invalid, NotFound
from bluelamp.web.filters import filesize


class AdditionUnknown(NotFound):
    """This person has no such addition."""

    def __init__(self) -> None:
        super().__init__(
            "You have not begun to add footage at this address.",
            "Nothing was taken.",
            "Begin at “Add footage”. What a colleague began, the colleague goes on with.",
        )


class AdditionIsClosed(Conflict):
    """Its maker, or time, has ended it."""

    title = "This is finished"

    def __init__(self) -> None:
        super().__init__(
            "No more files can be added here: it was marked as finished.",
            "What had arrived whole is safe. This file was not taken.",
            "Begin again at “Add footage”.",
        )


class TooManyUnfinished(Conflict):
    """One person has many files on their way already."""

    title = "Too many unfinished files"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"You have {most} files on their way that have not arrived whole.",
            "What has arrived of them is kept. This file was not taken.",
            "Let them finish, or mark an addition as finished; then add this file.",
        )


class FileIsEmpty(Invalid):
    """There is nothing in it."""

    title = "This file is empty"

    def __init__(self) -> None:
        super().__init__(
            "The file has no bytes in it.",
            "Nothing was taken.",
            "Copy it from its source again: the copy that you have holds nothing.",
        )


class FileIsTooLarge(TooLarge):
    """Larger than the server takes."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"The file has {filesize(size)}; this server takes at most {filesize(most)}.",
            "Nothing was taken.",
            "Keep the file, and ask the operator to raise the limit (BLUELAMP_MAX_UPLOAD_BYTES).",
        )


class NotAsAWhole(Invalid):
    """Parts, or a length to be told later."""

    def __init__(self) -> None:
        super().__init__(
            "A file added on a page is sent as a whole, with its length told first.",
            "Nothing was taken.",
            "Use the page “Add footage”.",
        )


class AlreadyHere(Conflict):
    """The same bytes are a recording already. `twin` is that recording's id."""

    title = "This file is here already"

    def __init__(self, twin: UUID) -> None:
        super().__init__(
            "A recording with exactly these bytes is here already.",
            "Nothing was stored twice, and the recording that is here stays as it is.",
            "Open it from the list of files.",
        )
        self.twin = twin
