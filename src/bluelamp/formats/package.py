"""What stands in a package that a force hands out (docs/protocols/package.md): names, manifests, documents.

All of it is pure text. The ZIP file around it is read by `bluelamp.verify.zipreader`.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

from bluelamp.formats import fields as check
from bluelamp.formats.anchor import Anchor
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.ed25519 import decode_base64
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import LogProof
from bluelamp.formats.merkle import HASH_SIZE
from bluelamp.formats.package_json import read_json, write_json
from bluelamp.formats.proofs import MOST_HASHES
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.formats.strictjson import exact_fields

FORMAT = "bluelamp-package-1"
CUSTODY_FORMAT = "bluelamp-custody-1"
SEAL_FORMAT = "bluelamp-seal-1"
SEALED_TAG = "package.sealed"
COLLECTED_TAG = "recording.collected"

# The bag's files. All of these, and besides them nothing but the media below data/.
BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
PACKAGE = "package.json"
CUSTODY = "custody.json"
READ_ME = "read-me-first.html"
VERIFIER = "verify.html"
TAG_MANIFEST = "tagmanifest-sha256.txt"
SEAL = "seal.json"
DATA = "data/"
LABEL = "data/exhibit-label.pdf"
REPORT_PDF = "data/custody-report.pdf"
REPORT_JSON = "data/custody-report.json"

TAG_FILES = (BAGIT, BAG_INFO, MANIFEST, PACKAGE, CUSTODY, READ_ME, VERIFIER)
"""What the tag manifest names."""
PAPERS = (LABEL, REPORT_PDF, REPORT_JSON)
"""What stands below data/ beside the media."""
KINDS = ("original", "copy")

BAGIT_TEXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

MOST_FILES = 10_000
MOST_PATH = 240
MOST_MANIFEST_BYTES = 16 * 2**20
MOST_INFO_BYTES = 4 * 2**20
MOST_CUSTODY_BYTES = 64 * 2**20
MOST_SEAL_BYTES = 2**20
MOST_KEYS = 20
MOST_EVENTS = 100_000

# One name, one spelling, on every system: no two Unicode forms, no device, no hidden file, nothing that Windows trims.
_PART = re.compile(r"[A-Za-z0-9_(\[](?:[A-Za-z0-9 !#&'()+,\-.=@\[\]_]{0,118}[A-Za-z0-9!#&'()+,\-=@\[\]_])?")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
# Control characters, line separators, and what turns the direction of writing: a text must read as it stands.
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class PackageError(FormatError):
    """A file of a package is not what its format says; the message says which and how."""


def check_path(path: str) -> str:
    """The path of a file in a bag, `/` between its parts. Raises PackageError where some system reads it otherwise."""
    parts = path.split("/")
    if len(path) > MOST_PATH or not all(_PART.fullmatch(part) and not _DEVICE.fullmatch(part) for part in parts):
        raise PackageError(f"{path[:MOST_PATH]!r} cannot be the name of a file in a package.")
    return path


def check_paths(paths: Iterable[str]) -> None:
    """Raises PackageError for a wrong name, for two that differ in case only, and for a file that is also a folder."""
    files: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        lower = check_path(path).lower()
        if lower in files:
            raise PackageError(f"{path!r} stands in the package twice.")
        files.add(lower)
        parts = lower.split("/")
        folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
    if both := files & folders:
        raise PackageError(f"{min(both)!r} is both a file and a folder.")


def write_manifest(hashes: Mapping[str, str]) -> str:
    """A manifest's text, in the order of paths; `hashes` has SHA-256 (hex) by path. Raises PackageError."""
    check_paths(hashes)
    try:
        return "".join(f"{check.digest(hashes[path], 'file hash')}  {path}\n" for path in sorted(hashes))
    except FormatError as error:
        raise PackageError(str(error)) from error


def read_manifest(content: bytes) -> dict[str, str]:
    """SHA-256 (hex) by path from a manifest's bytes. Raises PackageError."""
    if len(content) > MOST_MANIFEST_BYTES:
        raise PackageError("The manifest is too large.")
    lines = content.decode("ascii", "replace").split("\n")
    if lines.pop():
        raise PackageError("The manifest does not end with a newline.")
    hashes: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if not found or found[2] in hashes:
            raise PackageError(f"The manifest's line {line[:300]!r} is not a hash, two spaces and a new path.")
        hashes[check_path(found[2])] = found[1]
    return hashes


@dataclass(frozen=True)
class Medium:
    """A video, sound or picture of the package. Raises PackageError for a value outside the format."""

    file: str
    recording: str  # UUID
    sha256: str
    size: int  # bytes
    kind: str  # "original" or "copy"

    def __post_init__(self) -> None:
        try:
            check.identifier(self.recording, "recording's identifier")
            check.digest(self.sha256, "medium's hash")
            check.integer(self.size, "medium's size")
        except FormatError as error:
            raise PackageError(str(error)) from error
        if not isinstance(self.file, str) or not self.file.startswith(DATA) or self.file in PAPERS:
            raise PackageError("A medium's file lies below data/ and is none of the package's papers.")
        check_path(self.file)
        if self.kind not in KINDS:
            raise PackageError("A medium is an original or a copy.")


@dataclass(frozen=True)
class PackageInfo:
    """What a package says it is: package.json. Raises PackageError for a value outside the format.

    The texts are of one line; all but the force may be empty.
    """

    id: str  # UUID
    made_at: str  # ISO 8601 UTC with Z
    force: str
    exhibit: str
    case: str
    purpose: str
    recipient: str
    media: tuple[Medium, ...]

    def __post_init__(self) -> None:
        try:
            check.identifier(self.id, "package's identifier")
            check.moment(self.made_at, "time of the package")
        except FormatError as error:
            raise PackageError(str(error)) from error
        for name in ("force", "exhibit", "case", "purpose", "recipient"):
            _check_line(getattr(self, name), name)
        if not self.force:
            raise PackageError("A package says which force made it.")
        if len({medium.file for medium in self.media}) != len(self.media):
            raise PackageError("package.json names a file twice.")

    def text(self) -> str:
        """The content of package.json."""
        return write_json({"format": FORMAT, **asdict(self)})

    def bag_info(self, payload: Mapping[str, int]) -> str:
        """The content of bag-info.txt, which has no other; `payload` has the size in bytes of each file below data/."""
        return (
            f"Source-Organization: {self.force}\n"
            f"External-Identifier: {self.id}\n"
            f"Bagging-Date: {self.made_at[:10]}\n"
            f"Payload-Oxum: {sum(payload.values())}.{len(payload)}\n"
        )

    @classmethod
    def parse(cls, content: bytes) -> "PackageInfo":
        """From the bytes of package.json. Raises PackageError."""
        names = {field.name for field in fields(cls)}
        plain = _object(content, PACKAGE, MOST_INFO_BYTES, names | {"format"}, FORMAT)
        media = _list(plain["media"], MOST_FILES, "media")
        found = tuple(Medium(**_exact(item, {field.name for field in fields(Medium)}, "medium")) for item in media)
        return cls(**{name: plain[name] for name in names} | {"media": found})


@dataclass(frozen=True)
class ProvenEvent:
    """A disclosed event and where its leaf stands: the index and the inclusion proof, the leaf's sibling first."""

    index: int
    path: tuple[bytes, ...]
    event: DisclosedEvent

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "index": self.index,
            "path": [base64.b64encode(value).decode("ascii") for value in self.path],
            "event": self.event.document(),
        }

    @classmethod
    def parse(cls, document: object) -> "ProvenEvent":
        """From parsed JSON. Raises PackageError."""
        plain = _exact(document, {"index", "path", "event"}, "event with its proof")
        try:
            index = check.integer(plain["index"], "event's index")
            path = _list(plain["path"], MOST_HASHES, "path")
            hashes = tuple(decode_base64(_text(value, "hash"), HASH_SIZE, "hash in a path") for value in path)
            event = DisclosedEvent.parse(plain["event"])
            event.entry()
        except FormatError as error:
            raise PackageError(f"The event {plain['index']!r:.20} is malformed: {error}") from error
        return cls(index, hashes, event)


@dataclass(frozen=True)
class Custody:
    """The content of custody.json: a checkpoint (signed note), vkeys of the log and of witnesses, events by index.

    `timestamp`: by an outside authority, of a checkpoint that this one continues; None where there is none.
    """

    checkpoint: str
    keys: tuple[str, ...]
    witnesses: tuple[str, ...]
    events: tuple[ProvenEvent, ...]
    timestamp: Anchor | None = None

    def __post_init__(self) -> None:
        try:
            logs = [VerifierKey.parse(_text(key, "key")) for key in self.keys]
            spelled = [str(key) for key in (*logs, *(WitnessKey.parse(_text(key, "key")) for key in self.witnesses))]
        except FormatError as error:
            raise PackageError(f"custody.json names a key that is none: {error}") from error
        if spelled != [*self.keys, *self.witnesses] or not "".join(spelled).isascii():
            raise PackageError("custody.json names a key that is not printable ASCII, or has another spelling.")
        if len({key.name for key in logs}) != 1 or len({*self.keys, *self.witnesses}) != len(self.keys) + len(
            self.witnesses
        ):
            raise PackageError("custody.json names each key once, and keys of one log only.")
        indexes = [event.index for event in self.events]
        if any(first >= second for first, second in pairwise(indexes)):
            raise PackageError("The events of custody.json are not in the order of the log.")

    def text(self) -> str:
        """The content of the file."""
        return write_json(
            {
                "format": CUSTODY_FORMAT,
                "checkpoint": self.checkpoint,
                "keys": list(self.keys),
                "witnesses": list(self.witnesses),
                "timestamp": self.timestamp.document() if self.timestamp else None,
                "events": [event.document() for event in self.events],
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> "Custody":
        """From the bytes of custody.json. Raises PackageError."""
        names = {"format", "checkpoint", "keys", "witnesses", "timestamp", "events"}
        plain = _object(content, CUSTODY, MOST_CUSTODY_BYTES, names, CUSTODY_FORMAT)
        return cls(
            _text(plain["checkpoint"], "checkpoint"),
            tuple(_list(plain["keys"], MOST_KEYS, "keys")),
            tuple(_list(plain["witnesses"], MOST_KEYS, "witnesses")),
            tuple(ProvenEvent.parse(item) for item in _list(plain["events"], MOST_EVENTS, "events")),
            _anchor(plain["timestamp"]),
        )


@dataclass(frozen=True)
class SealNote:
    """What the seal's note says: which package, and the SHA-256 (hex) of its tag manifest."""

    package: str
    tag_manifest_sha256: str

    def text(self) -> str:
        """The text to sign (`signed_note.sign_note`)."""
        return f"{FORMAT}\n{self.package}\n{self.tag_manifest_sha256}\n"

    @classmethod
    def parse(cls, text: str) -> "SealNote":
        """From the note's text. Raises PackageError."""
        lines = text.split("\n")
        try:
            if len(lines) != 4 or lines[0] != FORMAT or lines[3]:
                raise FormatError("It is not three lines, of which the first is the format.")
            return cls(
                check.identifier(lines[1], "package's identifier"), check.digest(lines[2], "tag manifest's hash")
            )
        except FormatError as error:
            raise PackageError(f"The seal's note is malformed: {error}") from error


@dataclass(frozen=True)
class Seal:
    """The content of seal.json: the signed note, the event `package.sealed`, the proof that it stands in the log."""

    note: str
    event: DisclosedEvent
    proof: LogProof

    def text(self) -> str:
        """The content of the file."""
        return write_json(
            {"format": SEAL_FORMAT, "note": self.note, "event": self.event.document(), "proof": self.proof.text()}
        )

    @classmethod
    def parse(cls, content: bytes) -> "Seal":
        """From the bytes of seal.json. Raises PackageError."""
        plain = _object(content, SEAL, MOST_SEAL_BYTES, {"format", "note", "event", "proof"}, SEAL_FORMAT)
        try:
            event = DisclosedEvent.parse(plain["event"])
            event.entry()
            proof = LogProof.parse(_text(plain["proof"], "proof"))
        except FormatError as error:
            raise PackageError(f"seal.json is malformed: {error}") from error
        if proof.text() != plain["proof"]:
            # Such as a line of extra data: it would be covered by nothing.
            raise PackageError("The proof in seal.json holds more than a proof.")
        return cls(_text(plain["note"], "note"), event, proof)


def _anchor(document: object) -> Anchor | None:
    try:
        return None if document is None else Anchor.parse(document)
    except FormatError as error:
        raise PackageError(f"custody.json: {error}") from error


def _object(content: bytes, file: str, most: int, names: set[str], format_name: str) -> dict[str, Any]:
    try:
        plain = exact_fields(read_json(content, file, most), names, file)
    except FormatError as error:
        raise PackageError(str(error)) from error
    if plain["format"] != format_name:
        raise PackageError(f"The format of {file} is not {format_name}.")
    return plain


def _exact(document: object, names: set[str], what: str) -> dict[str, Any]:
    try:
        return exact_fields(document, names, what)
    except FormatError as error:
        raise PackageError(str(error)) from error


def _list(value: object, most: int, what: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise PackageError(f"The {what} are not a list of at most {most}.")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise PackageError(f"The {what} is not text.")
    return value


def _check_line(value: object, what: str) -> None:
    if not isinstance(value, str) or len(value) > 1000 or _UNREADABLE.search(value) or value != value.strip(" "):
        raise PackageError(f"The {what} is not one readable line of at most 1,000 characters.")
