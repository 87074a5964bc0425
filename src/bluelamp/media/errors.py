"""What can go wrong with a video, in words that a person may be shown."""


class MediaError(Exception):
    """A video could not be worked on.

    `what_happened`, `meaning` (for the footage) and `next_step` are plain sentences.
    """

    meaning = "The original is safe and unchanged."
    next_step = ""

    def __init__(self, what_happened: str, *, meaning: str = "", next_step: str = "") -> None:
        self.what_happened = what_happened
        self.meaning = meaning or self.meaning
        self.next_step = next_step or self.next_step
        super().__init__(" ".join(part for part in (what_happened, self.meaning, self.next_step) if part))


class MediaRejected(MediaError):
    """The file is not a video that Bluelamp can show: trying again gives the same answer."""

    next_step = "Download the original and open it with the maker's own player, or ask where the file came from."


class MediaFailed(MediaError):
    """Working on the file crashed or ran out of time or memory: it can be tried again."""

    next_step = "Try again; if it fails again, tell the people who run the system."
