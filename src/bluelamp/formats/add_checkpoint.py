"""What is sent to a witness (C2SP tlog-witness, `POST /add-checkpoint`), and how a witness is named to this side.

old <size of the tree that the witness cosigned last>
<base64 of each hash of the consistency proof from there>

<the signed checkpoint>
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.ed25519 import decode_base64
from bluelamp.formats.errors import FormatError
from bluelamp.formats.merkle import HASH_SIZE
from bluelamp.formats.proofs import MOST_HASHES

SIZE_TYPE = "text/x.tlog.size"
"""The content type of the answer 409: the size that the witness cosigned last, and a newline."""

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n?")


class SubmissionError(FormatError):
    """What was sent to a witness, what it answered, or how it is named is malformed."""


@dataclass(frozen=True)
class Submission:
    """A checkpoint (`note`, unverified) with the proof that it continues the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def body(self) -> bytes:
        """The request's body."""
        hashes = [base64.b64encode(value).decode("ascii") for value in self.proof]
        return "\n".join((f"old {self.old}", *hashes, "", self.note)).encode()

    @classmethod
    def parse(cls, body: bytes) -> "Submission":
        """From a request's body. Raises SubmissionError."""
        try:
            head, separator, note = body.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise SubmissionError("The request is not UTF-8.") from error
        first, *lines = head.split("\n")
        found = _OLD.fullmatch(first)
        if not separator or found is None:
            raise SubmissionError("The request begins with `old` and a size; an empty line precedes the checkpoint.")
        old = int(found[1])
        if old >= 2**63 or len(lines) > MOST_HASHES:
            raise SubmissionError(f"The size has 63 bits, and a consistency proof at most {MOST_HASHES} hashes.")
        try:
            proof = tuple(decode_base64(line, HASH_SIZE, "hash in the consistency proof") for line in lines)
        except FormatError as error:
            raise SubmissionError(str(error)) from error
        return cls(old, proof, note)


def parse_size(content: bytes) -> int:
    """The size in an answer 409. Raises SubmissionError."""
    found = _SIZE.fullmatch(content.decode("ascii", "replace"))
    if found is None or int(found[1]) >= 2**63:
        raise SubmissionError("The witness did not say which size it cosigned last.")
    return int(found[1])


@dataclass(frozen=True)
class WitnessAddress:
    """Where a witness is asked: the prefix of its addresses, without a slash at the end, and its key."""

    url: str
    key: WitnessKey

    @classmethod
    def parse(cls, text: str) -> "WitnessAddress":
        """From `URL=VKEY`. Raises SubmissionError, or CosignatureError for the key."""
        url, separator, vkey = text.partition("=")
        parts = urlsplit(url)
        if not separator or parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise SubmissionError(
                f"A witness is written URL=VKEY, such as https://witness.example=name+…, not {text!r}."
            )
        return cls(url.rstrip("/"), WitnessKey.parse(vkey))


def parse_witnesses(text: str) -> tuple[WitnessAddress, ...]:
    """From `URL=VKEY` pairs separated by white space or commas. Raises as `WitnessAddress.parse`; a key stands once."""
    found = tuple(WitnessAddress.parse(part) for part in re.split(r"[\s,]+", text) if part)
    _refuse_twice(witness.key for witness in found)
    return found


def _refuse_twice(keys: Iterable[WitnessKey]) -> None:
    seen = set()
    for key in map(str, keys):
        if key in seen:
            raise SubmissionError(f"The witness {key.partition('+')[0]} is named twice.")
        seen.add(key)
