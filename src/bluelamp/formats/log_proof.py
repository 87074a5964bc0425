"""A proof that an entry stands in the log, as one text that is verified offline (C2SP tlog-proof).

c2sp.org/tlog-proof@v1
index <the leaf's index>
<base64 of each hash of the inclusion proof, the leaf's sibling first>

<the signed checkpoint, with whatever cosignatures it has>
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import Cosignature, WitnessKey, cosignatures
from bluelamp.formats.ed25519 import decode_base64
from bluelamp.formats.errors import FormatError
from bluelamp.formats.merkle import HASH_SIZE, leaf_hash
from bluelamp.formats.proofs import MOST_HASHES, ProofError, verify_inclusion
from bluelamp.formats.signed_note import VerifierKey, verify_note

HEADER = "c2sp.org/tlog-proof@v1"

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class LogProof:
    """Where a leaf stands (`index`), the path from it to the root, and the signed checkpoint (a note)."""

    index: int
    path: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """The proof as it is handed out."""
        hashes = [base64.b64encode(value).decode("ascii") for value in self.path]
        return "\n".join((HEADER, f"index {self.index}", *hashes, "", self.note))

    @classmethod
    def parse(cls, text: str) -> "LogProof":
        """From its text; a line of extra data is ignored, as it proves nothing. Raises ProofError."""
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines[0] != HEADER:
            raise ProofError(f"A proof begins with the line {HEADER}.")
        rest = lines[2:] if lines[1:] and lines[1].startswith("extra ") else lines[1:]
        found = _INDEX.fullmatch(rest[0]) if rest else None
        if found is None or len(rest) > MOST_HASHES + 1:
            raise ProofError("A proof says the leaf's index and then at most 63 hashes.")
        try:
            path = tuple(decode_base64(line, HASH_SIZE, "hash in the proof") for line in rest[1:])
        except FormatError as error:
            raise ProofError(str(error)) from error
        return cls(int(found[1]), path, note)

    def verify(self, entry: bytes, log: VerifierKey | Iterable[VerifierKey]) -> Checkpoint:
        """The checkpoint under which the entry is proven to stand.

        `log`: the key or keys that the reader trusts for this log; one good signature is enough, as keys are rotated.
        Raises ProofError (the path does not lead to the root) and NoteError or CheckpointError (the checkpoint cannot
        be trusted).
        """
        checkpoint = verify_checkpoint(self.note, log)
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint

    def cosigned(self, witnesses: Iterable[WitnessKey]) -> list[Cosignature]:
        """Which of the known witnesses cosigned the checkpoint. Raises CosignatureError for a forged line."""
        return cosignatures(self.note, witnesses)


def verify_checkpoint(note: str, log: VerifierKey | Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that one of the trusted keys signed under its own name as the log's origin.

    Raises NoteError when none did, CheckpointError when the text is none or names another log.
    """
    keys = [log] if isinstance(log, VerifierKey) else list(log)
    failure: FormatError = ProofError("No key of the log is trusted, so nothing can be verified.")
    for key in keys:
        try:
            checkpoint = Checkpoint.parse(verify_note(note, key))
        except FormatError as error:
            failure = error
            continue
        if checkpoint.origin != key.name:
            failure = ProofError(f"The checkpoint is of the log {checkpoint.origin}, not of {key.name}.")
            continue
        return checkpoint
    raise failure
