"""What the virtual camera tells a person."""


class CameraError(Exception):
    """The camera or the dock cannot do what was asked. Plain sentences: what happened, what it means for the
    footage, what to do next."""

    exit_code = 1

    def __init__(self, what_happened: str, meaning: str = "", next_step: str = "") -> None:
        self.what_happened = what_happened
        self.meaning = meaning
        self.next_step = next_step
        super().__init__(" ".join(part for part in (what_happened, meaning, next_step) if part))
