"""Checkpoints of a transparency log (C2SP tlog-checkpoint): origin, tree size and root as lines of text.

A checkpoint is published as a signed note over this text (see `signed_note`).
"""

import base64
import re
from dataclasses import dataclass

from bluelamp.formats.ed25519 import decode_base64
from bluelamp.formats.errors import FormatError
from bluelamp.formats.merkle import HASH_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointError(FormatError):
    """A text is not a checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of the log named `origin` when it had `size` leaves: `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(line and line.isprintable() and line.strip() == line for line in lines):
            raise CheckpointError("A checkpoint's origin and extension lines must be printable and not empty.")
        if not 0 <= self.size < 2**63:
            raise CheckpointError("A checkpoint's tree size is out of range.")
        if len(self.root) != HASH_SIZE:
            raise CheckpointError(f"A checkpoint's root has {HASH_SIZE} bytes, not {len(self.root)}.")

    def text(self) -> str:
        """The lines to sign, each ended by a newline."""
        root = base64.b64encode(self.root).decode("ascii")
        return "\n".join((self.origin, str(self.size), root, *self.extensions)) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """From the text of a note. Raises CheckpointError; extension lines are kept, as they are signed."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise CheckpointError("A checkpoint has three lines: origin, tree size and root.")
        origin, size, root, *extensions = lines[:-1]
        if not _SIZE.fullmatch(size):
            raise CheckpointError("A checkpoint's tree size must be a decimal number without leading zeros.")
        try:
            digest = decode_base64(root, HASH_SIZE, "checkpoint's root")
        except FormatError as error:
            raise CheckpointError(str(error)) from error
        return cls(origin, int(size), digest, tuple(extensions))
