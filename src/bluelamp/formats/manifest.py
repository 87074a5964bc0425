"""Manifest entries: what a camera says, under its signature, about each recording that it made.

Entries of one camera form a chain (each carries the hash of the one before), so that a recording which
never arrived leaves a visible gap. The format is described in docs/protocols/manifest.md. All times are the
device's own, uncorrected.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import canonical, iso8601
from bluelamp.formats import fields as check
from bluelamp.formats.ed25519 import (
    PUBLIC_KEY_SIZE,
    SIGNATURE_SIZE,
    decode_base64,
    load_public_key,
    public_key_text,
    signature_is_good,
)
from bluelamp.formats.errors import FormatError
from bluelamp.formats.strictjson import exact_fields, load_object

FORMAT = "bluelamp-manifest-1"
FIRST_PREVIOUS = "0" * 64
EVENT_KINDS = frozenset(
    {"start", "stop", "marker", "mute", "unmute", "stealth_on", "stealth_off", "power_loss", "split"}
)

# 4 hours of positions ten times a second fit; the bounds keep a hostile manifest from filling memory.
MAX_EVENTS = 10_000
MAX_TRACK = 150_000
MAX_JSON_BYTES = 16 * 1024 * 1024

_DEGREES = re.compile(r"-?(0|[1-9][0-9]{0,2})(\.[0-9]{1,9})?")


class ManifestError(FormatError):
    """A manifest entry is malformed, or its signature does not fit; the message says which and where."""


@dataclass(frozen=True)
class ManifestEntry:
    """One recording (or one part of a recording that was split) as the camera describes it.

    Raises ManifestError on construction when a value is outside the format.
    """

    serial: str
    model: str
    mount: str  # where the camera was worn: chest, cap, ballistic helmet
    sequence: int  # 1 for a camera's first recording, then one more each
    filename: str
    started_at: str  # ISO 8601 UTC with Z, device time
    ended_at: str
    size: int  # bytes
    sha256: str  # of the file, hexadecimal
    previous: str  # hash() of the camera's entry before, FIRST_PREVIOUS for its first
    clock_set: bool
    pre_event_seconds: int
    part: int  # 1.. for the parts of a recording that was split
    incident: str  # UUID that the parts of one recording share
    events: tuple[dict[str, str], ...]  # {"at", "kind", "note"}
    track: tuple[dict[str, str], ...]  # {"at", "lat", "lon"}, degrees (WGS 84) as decimal text
    told: bool | None  # whether people were told that they are recorded; None: not stated
    video: dict[str, int]  # {"width", "height", "fps"}

    def __post_init__(self) -> None:
        try:
            self._check()
        except ManifestError:
            raise
        except FormatError as error:
            raise ManifestError(str(error)) from error

    def _check(self) -> None:
        check.serial(self.serial)
        check.text(self.model, "model", 100)
        check.text(self.mount, "mount", 40)
        check.integer(self.sequence, "sequence", 1)
        _check_filename(self.filename)
        check.moment(self.started_at, "start")
        check.moment(self.ended_at, "end")
        if iso8601.parse(self.ended_at) < iso8601.parse(self.started_at):
            raise ManifestError("The recording's end lies before its start.")
        check.integer(self.size, "size")
        check.digest(self.sha256, "file's hash")
        check.digest(self.previous, "previous entry's hash")
        check.boolean(self.clock_set, "field clock_set")
        check.integer(self.pre_event_seconds, "pre-event length", 0, 3600)
        check.integer(self.part, "part number", 1, 10_000)
        check.identifier(self.incident, "incident")
        if self.told is not None:
            check.boolean(self.told, "field told")
        # Copies: what was checked and signed must not change through a list that the caller still holds.
        object.__setattr__(self, "events", _checked(self.events, _check_event, "events", MAX_EVENTS))
        object.__setattr__(self, "track", _checked(self.track, _check_position, "track", MAX_TRACK))
        object.__setattr__(self, "video", _check_video(self.video))

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["events"] = [dict(event) for event in self.events]
        plain["track"] = [dict(position) for position in self.track]
        plain["video"] = dict(self.video)
        return plain

    @classmethod
    def from_dict(cls, document: object) -> "ManifestEntry":
        """From plain JSON values; unknown, missing and mistyped fields raise ManifestError."""
        try:
            return cls(**exact_fields(document, FIELD_NAMES, "manifest entry"))
        except ManifestError:
            raise
        except FormatError as error:
            raise ManifestError(str(error)) from error

    def canonical(self) -> bytes:
        """The bytes that the camera signs: the canonical map of the format's name and all fields."""
        return canonical.encode({"format": FORMAT, **self.to_dict()})

    def hash(self) -> str:
        """SHA-256 of `canonical()` in hexadecimal; the next entry's `previous`. Reckoned once: tracks are long."""
        known: str | None = self.__dict__.get("_hash")
        if known is None:
            known = hashlib.sha256(self.canonical()).hexdigest()
            object.__setattr__(self, "_hash", known)
        return known


FIELD_NAMES = frozenset(field.name for field in fields(ManifestEntry))


@dataclass(frozen=True)
class SignedEntry:
    """An entry with the camera's signature and public key (base64). Not verified by being constructed."""

    entry: ManifestEntry
    signature: str
    public_key: str

    def __post_init__(self) -> None:
        try:
            decode_base64(self.signature, SIGNATURE_SIZE, "signature")
            decode_base64(self.public_key, PUBLIC_KEY_SIZE, "public key")
        except FormatError as error:
            raise ManifestError(str(error)) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: {"format", "entry", "signature", "public_key"}."""
        return {
            "format": FORMAT,
            "entry": self.entry.to_dict(),
            "signature": self.signature,
            "public_key": self.public_key,
        }

    def to_json(self) -> str:
        """One line of JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any]) -> "SignedEntry":
        """From JSON text, or from the plain values of `to_dict`. Raises ManifestError and nothing else."""
        try:
            if isinstance(document, str | bytes):
                document = load_object(document, what="manifest", max_bytes=MAX_JSON_BYTES)
            outer = exact_fields(document, {"format", "entry", "signature", "public_key"}, "signed manifest entry")
        except FormatError as error:
            raise ManifestError(str(error)) from error
        if outer["format"] != FORMAT:
            raise ManifestError(f"The manifest's format must be {FORMAT}.")
        return cls(ManifestEntry.from_dict(outer["entry"]), outer["signature"], outer["public_key"])


def sign_entry(entry: ManifestEntry, private_key: Ed25519PrivateKey) -> SignedEntry:
    """Sign with the camera's key."""
    signature = base64.b64encode(private_key.sign(entry.canonical())).decode("ascii")
    return SignedEntry(entry, signature, public_key_text(private_key))


def verify_entry(signed: SignedEntry, public_key_b64: str | None = None) -> ManifestEntry:
    """The entry, once its signature is found good. Raises ManifestError.

    Give the key that is registered for the camera: without it this shows only that whoever made the entry
    held some key.
    """
    if public_key_b64 is not None and public_key_b64 != signed.public_key:
        raise ManifestError("The manifest entry is signed with a key that is not the camera's registered one.")
    try:
        key = load_public_key(signed.public_key)
        signature = decode_base64(signed.signature, SIGNATURE_SIZE, "signature")
    except FormatError as error:
        raise ManifestError(str(error)) from error
    if not signature_is_good(key, signature, signed.entry.canonical()):
        raise ManifestError("The manifest entry's signature does not fit: the entry was changed after signing.")
    return signed.entry


def check_chain(entries: Iterable[ManifestEntry | SignedEntry]) -> list[str]:
    """Sentences for what is wrong with the chain of each camera among `entries`, in any order; none if sound.

    Found: gaps in the sequence, two different entries with one number, a wrong hash of the entry before, a
    chain that starts anew. The same entry given twice is no problem. A chain may begin past number 1 (its
    start was docked before). Signatures are not checked here.
    """
    cameras: dict[str, dict[int, dict[str, ManifestEntry]]] = {}
    for given in entries:
        entry = given.entry if isinstance(given, SignedEntry) else given
        cameras.setdefault(entry.serial, {}).setdefault(entry.sequence, {})[entry.hash()] = entry
    problems: list[str] = []
    for serial, by_sequence in sorted(cameras.items()):
        problems += [f"Camera {serial}: {problem}" for problem in _chain_problems(by_sequence)]
    return problems


def _chain_problems(by_sequence: dict[int, dict[str, ManifestEntry]]) -> Iterable[str]:
    before: int | None = None
    for sequence, same_number in sorted(by_sequence.items()):
        if len(same_number) > 1:
            yield f"{len(same_number)} different recordings carry the number {sequence}."
        if before is not None and sequence > before + 1:
            yield _gap(before + 1, sequence - 1)
        for entry in same_number.values():
            is_first = entry.previous == FIRST_PREVIOUS
            if sequence == 1 and not is_first:
                yield "recording 1 refers to one before it."
            elif sequence > 1 and is_first:
                yield f"recording {sequence} claims to be the camera's first."
            elif before == sequence - 1 and entry.previous not in by_sequence[before]:
                yield f"recording {sequence} does not follow from recording {before} as it arrived."
        before = sequence


def _gap(first: int, last: int) -> str:
    if first == last:
        return f"recording {first} is missing."
    return f"recordings {first} to {last} are missing."


def _checked(items: Any, one: Any, what: str, most: int) -> tuple[dict[str, str], ...]:
    if not isinstance(items, list | tuple):
        raise ManifestError(f"The {what} must be a list.")
    if len(items) > most:
        raise ManifestError(f"The {what} must be at most {most} long.")
    return tuple(one(item) for item in items)


def _check_event(item: Any) -> dict[str, str]:
    event = exact_fields(item, {"at", "kind", "note"}, "event")
    check.moment(event["at"], "time of an event")
    check.text(event["note"], "note of an event", 500, may_be_empty=True)
    if not isinstance(event["kind"], str) or event["kind"] not in EVENT_KINDS:
        raise ManifestError(f"An event's kind must be one of {', '.join(sorted(EVENT_KINDS))}.")
    return dict(event)


def _check_position(item: Any) -> dict[str, str]:
    position = exact_fields(item, {"at", "lat", "lon"}, "position")
    check.moment(position["at"], "time of a position")
    for name, most in (("lat", 90), ("lon", 180)):
        degrees = position[name]
        if not isinstance(degrees, str) or not _DEGREES.fullmatch(degrees) or abs(float(degrees)) > most:
            raise ManifestError(f"A position's {name} must be decimal text from -{most} to {most}.")
    return dict(position)


def _check_video(value: Any) -> dict[str, int]:
    video = exact_fields(value, {"width", "height", "fps"}, "video description")
    check.integer(video["width"], "video's width", 1, 16_384)
    check.integer(video["height"], "video's height", 1, 16_384)
    check.integer(video["fps"], "video's frame rate", 1, 1000)
    return dict(video)


def _check_filename(value: Any) -> None:
    check.text(value, "file name", 200)
    if value in {".", ".."} or "/" in value or "\\" in value:
        raise ManifestError("The file name must be a plain name without a folder.")
