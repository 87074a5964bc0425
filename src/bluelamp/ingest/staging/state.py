"""What is acknowledged of an upload, as one small file that is replaced as a whole.

    state = "BLSTATE1" || header of the sealed object (40) || segments (8) || plaintext offset (8) || generation (16)
            || nonce (12) || AES-256-GCM(tail)

The tail is the plaintext that no segment holds yet. It is sealed under a key of its own (HKDF-SHA256 of the data key)
with a random nonce each time, and everything before it is authenticated with it. The generation is random: a hash that
a process remembers belongs to the generation after which it was taken.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluelamp.formats import sealed
from bluelamp.kernel.errors import BluelampError
from bluelamp.vault.disk import fsync_folder, sync

_MAGIC = b"BLSTATE1"
_GENERATION_SIZE = 16
_NONCE_SIZE = 12
_FIXED = len(_MAGIC) + sealed.HEADER_SIZE + 8 + 8 + _GENERATION_SIZE
_KEY_INFO = b"bluelamp staging state"


class StagingDamaged(BluelampError):
    """What waits in staging is not what was written there."""

    title = "The unfinished upload is damaged"
    status = 410

    def __init__(self, what: str) -> None:
        super().__init__(
            f"What had arrived of this upload cannot be read back: {what}.",
            "No receipt was given for it, so the camera still has the whole recording.",
            "Dock the camera again: the recording is asked for afresh.",
        )


@dataclass(frozen=True)
class State:
    """An acknowledged state: `segments` full segments under `header`, then `tail`."""

    header: bytes
    segments: int
    tail: bytes = field(repr=False)
    generation: bytes = field(default_factory=lambda: secrets.token_bytes(_GENERATION_SIZE))

    @property
    def offset(self) -> int:
        """Acknowledged plaintext bytes."""
        return sealed.plaintext_start(self.segments) + len(self.tail)

    @property
    def sealed_name(self) -> str:
        """The name of the file that holds the segments: told apart by the header's salt."""
        return sealed_name(self.header)

    @property
    def sealed_bytes(self) -> int:
        """How long that file is when nothing but these segments is in it."""
        return max(self.segments * sealed.SEGMENT, sealed.HEADER_SIZE)


class StateFile:
    """Reads and writes the state of one upload."""

    def __init__(self, folder: Path, upload_id: UUID, data_key: bytes) -> None:
        self._folder = folder
        self._upload = upload_id.bytes
        self._cipher = AESGCM(HKDF(SHA256(), sealed.KEY_SIZE, None, _KEY_INFO + self._upload).derive(data_key))

    def save(self, state: State) -> None:
        """Replace the state, durably. The segments it counts must be durable already."""
        fixed = (
            _MAGIC
            + state.header
            + state.segments.to_bytes(8, "big")
            + state.offset.to_bytes(8, "big")
            + state.generation
        )
        nonce = secrets.token_bytes(_NONCE_SIZE)
        aside = self._folder / "state.new"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            write_all(file.fileno(), fixed + nonce + self._cipher.encrypt(nonce, state.tail, fixed + self._upload))
            sync(file.fileno())
        aside.rename(_path(self._folder))
        fsync_folder(self._folder)

    def load(self) -> State | None:
        """The acknowledged state; None when nothing was acknowledged. Raises StagingDamaged."""
        try:
            content = _path(self._folder).read_bytes()
        except FileNotFoundError:
            return None
        fixed, nonce = content[:_FIXED], content[_FIXED : _FIXED + _NONCE_SIZE]
        try:
            tail = self._cipher.decrypt(nonce, content[_FIXED + _NONCE_SIZE :], fixed + self._upload)
        except (InvalidTag, ValueError) as error:
            raise StagingDamaged("the record of what was acknowledged does not open") from error
        header, segments, _, generation = _fixed_parts(fixed)
        return State(header, segments, tail, generation)


def acknowledged_offset(folder: Path) -> int:
    """Acknowledged plaintext bytes, read without the key; whoever goes on from there checks the record itself."""
    fixed = _peek(folder)
    return _fixed_parts(fixed)[2] if fixed else 0


def forget(folder: Path) -> None:
    """Drop what was acknowledged, under the folder's lease: the next writer begins under a salt of its own."""
    _path(folder).unlink(missing_ok=True)


def sealed_file(folder: Path) -> Path | None:
    """The sealed file that the state names; None when nothing was acknowledged."""
    fixed = _peek(folder)
    return folder / sealed_name(_fixed_parts(fixed)[0]) if fixed else None


def sealed_name(header: bytes) -> str:
    """The name of the sealed file with this header."""
    return f"sealed-{header[1:5].hex()}"


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`, as often as the kernel takes only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _peek(folder: Path) -> bytes | None:
    try:
        with open(_path(folder), "rb") as file:
            fixed = file.read(_FIXED)
    except FileNotFoundError:
        return None
    return fixed if len(fixed) == _FIXED and fixed.startswith(_MAGIC) else None


def _fixed_parts(fixed: bytes) -> tuple[bytes, int, int, bytes]:
    at = len(_MAGIC)
    header = fixed[at : at + sealed.HEADER_SIZE]
    at += sealed.HEADER_SIZE
    return (
        header,
        int.from_bytes(fixed[at : at + 8], "big"),
        int.from_bytes(fixed[at + 8 : at + 16], "big"),
        fixed[at + 16 :],
    )


def _path(folder: Path) -> Path:
    return folder / "state"
