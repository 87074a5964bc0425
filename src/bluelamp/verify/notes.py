"""The notes of a package: every signature line is by a key that the package names or the reader trusts, and genuine."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bluelamp.formats.cosignature import CosignatureError, WitnessKey, cosignatures
from bluelamp.formats.errors import FormatError
from bluelamp.formats.signed_note import NoteError, VerifierKey, split_note, verify_note

_Key = TypeVar("_Key", VerifierKey, WitnessKey)


@dataclass(frozen=True)
class Keys:
    """Those that the reader trusts, and those that the package claims besides."""

    trusted: tuple[VerifierKey, ...]
    witnesses: tuple[WitnessKey, ...]
    claimed: tuple[VerifierKey, ...] = ()
    claimed_witnesses: tuple[WitnessKey, ...] = ()


@dataclass
class Signers:
    """Who signed a note: keys of the log, and witnesses with their time (seconds since 1970)."""

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: list[tuple[WitnessKey, int]] = field(default_factory=list)


class SignatureProblem(Exception):
    """A line is by nobody known ("signature-unknown") or was not made by the key it names ("signature")."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(name)
        self.code, self.name = code, name


def note_lines(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and signature lines, where it is written as packages write notes. Raises NoteError."""
    text, lines = split_note(note)
    spelled = "".join(f"— {name} {base64.b64encode(blob).decode('ascii')}\n" for name, blob in lines)
    if f"{text}\n{spelled}" != note:
        raise NoteError("A signature line has another spelling.")
    names = "".join(name for name, _ in lines)
    if not f"{text}{names}".isascii() or not text.replace("\n", "").isprintable():
        raise NoteError("The note holds other characters than printable ASCII.")
    if len({(name, blob[:4]) for name, blob in lines}) != len(lines):
        raise NoteError("A key signed the note twice.")
    return text, lines


def signers(note: str, keys: Keys, *, witnessed: bool) -> Signers:
    """Who signed the note. Raises SignatureProblem; `witnessed` says whether witnesses may sign it.

    Of several keys with the same name and hash the trusted one counts: 4 bytes of hash are quickly forged.
    """
    found = Signers()
    for name, blob in note_lines(note)[1]:
        log = _named(keys.trusted + keys.claimed, name, blob)
        witness = _named(keys.witnesses + keys.claimed_witnesses, name, blob) if witnessed else None
        try:
            if log is not None:
                verify_note(note, log)
                found.logs.append(log)
            elif witness is not None:
                found.witnesses += [(witness, each.time) for each in cosignatures(note, [witness])]
            else:
                raise SignatureProblem("signature-unknown", name)
        except (NoteError, CosignatureError) as error:
            raise SignatureProblem("signature", name) from error
    return found


def _named(keys: Sequence[_Key], name: str, blob: bytes) -> _Key | None:
    return next((key for key in keys if key.name == name and key.key_hash == blob[:4]), None)


def parse_keys(keys: Iterable[str], witnesses: Iterable[str]) -> Keys:
    """The reader's keys from vkey strings; spaces around them do not matter. Raises FormatError."""
    logs = [key.strip(" \t\r\n") for key in keys]
    seers = [key.strip(" \t\r\n") for key in witnesses]
    found = Keys(tuple(VerifierKey.parse(key) for key in logs), tuple(WitnessKey.parse(key) for key in seers))
    spelled = [str(key) for key in (*found.trusted, *found.witnesses)]
    if spelled != logs + seers or not "".join(spelled).isascii():
        raise FormatError("A key is not written as keys of packages are, in printable ASCII.")
    return found
