"""Packages whose seal or checkpoints are not what they should be."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import package as bag
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.signed_note import verifier_key
from tests.verify.build import (
    ORIGIN,
    OTHER_WITNESS_KEY,
)
from tests.verify.cases import Case, bad
from tests.verify.package_cases import document, recipe, sealed, tampered

SEAL_NOTE = "seal.json: note"
SEAL_CHECKPOINT = "seal.json: checkpoint"
CUSTODY_CHECKPOINT = "custody.json: checkpoint"
EVERY_NOTE = (SEAL_NOTE, SEAL_CHECKPOINT, CUSTODY_CHECKPOINT)

FORGER = Ed25519PrivateKey.from_private_bytes(bytes(range(9, 41)))
FORGER_VKEY = verifier_key(ORIGIN, FORGER)
OTHER_WITNESS_VKEY = str(WitnessKey("museum.example", OTHER_WITNESS_KEY.public_key()))


def seal(change: Callable[[dict[str, Any]], object]) -> Callable[[], bytes]:
    """A package in which somebody changed a value of seal.json afterwards."""
    return tampered(bag.SEAL, document(change))


def note(edit: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    """A change of the seal's note."""
    return lambda plain: plain.update(note=edit(plain["note"]))


def proof(edit: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    """A change of the seal's proof, checkpoint included."""
    return lambda plain: plain.update(proof=edit(plain["proof"]))


def replaced(old: str, new: str) -> Callable[[str], str]:
    """A change of text; what it replaces must be there."""

    def edit(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, 1)

    return edit


def signed_line(at: int, change: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """A change of the signature line `at` (from the end)."""

    def edit(text: str) -> str:
        lines = text.split("\n")
        dash, name, encoded = lines[at - 1].split(" ")
        blob = change(base64.b64decode(encoded))
        lines[at - 1] = f"{dash} {name} {base64.b64encode(blob).decode()}"
        return "\n".join(lines)

    return edit


def _other_bits(text: str) -> str:
    """The same bytes in another spelling: the last letter before the padding has bits that mean nothing."""
    end = text.rindex("=")
    return text[: end - 1] + chr(ord(text[end - 1]) + 1) + text[end:]


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda blob: blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]


def extra_line(line: str) -> Callable[[str], str]:
    return lambda text: text + line


def _fields(**changes: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda fields: {**fields, **{name.replace("__", "."): value for name, value in changes.items()}}


_SEALS = [
    bad(
        "the tag manifest's lines in another order",
        tampered(bag.TAG_MANIFEST, lambda content: b"".join(reversed(content.splitlines(True)))),
        3,
        ("seal-note", bag.SEAL),
    ),
    bad("a note about another package", seal(note(replaced("00aa\n", "00ab\n"))), 3, ("seal-event", bag.SEAL)),
    bad("an event of another tag", recipe(sealed_event=_fields(tag="package.made")), 3, ("seal-event", bag.SEAL)),
    bad(
        "an event about another package",
        recipe(sealed_event=_fields(subject="package:0190a6c0-0000-7000-8000-0000000000ab")),
        3,
        ("seal-event", bag.SEAL),
    ),
    bad(
        "an event of another hash",
        recipe(sealed_event=_fields(detail__tag_manifest_sha256="0" * 64)),
        3,
        ("seal-event", bag.SEAL),
    ),
    bad(
        "an event whose hash was erased",
        seal(lambda plain: _erase(plain["event"], "detail.tag_manifest_sha256")),
        3,
        ("seal-event", bag.SEAL),
        ("seal-proof", bag.SEAL),
    ),
    bad(
        "a sealing event with another actor",
        seal(lambda plain: plain["event"]["fields"].update(actor="person:8")),
        3,
        ("seal-proof", bag.SEAL),
    ),
    bad(
        "a sealing event with another salt",
        seal(lambda plain: plain["event"]["salts"].update(actor="ab" * 16)),
        3,
        ("seal-proof", bag.SEAL),
    ),
    bad("a proof of another place", seal(proof(replaced("index 8", "index 7"))), 3, ("seal-proof", bag.SEAL)),
    bad(
        "a proof of a place beyond the tree",
        seal(proof(replaced("index 8", "index 9223372036854775807"))),
        3,
        ("seal-proof", bag.SEAL),
    ),
    bad("a proof of a tree of no leaves", seal(proof(replaced("\n10\n", "\n0\n"))), 3, ("seal-proof", bag.SEAL)),
    bad("a proof of a tree of another size", seal(proof(replaced("\n10\n", "\n9\n"))), 3, ("seal-proof", bag.SEAL)),
    *(
        bad(f"a seal with {name}", seal(change), 3, ("seal", bag.SEAL))
        for name, change in {
            "a note of two lines": note(replaced("bluelamp-package-1\n", "")),
            "a note of another format": note(replaced("bluelamp-package-1\n", "bluelamp-package-2\n")),
            "a note of four lines": note(replaced("bluelamp-package-1\n", "bluelamp-package-1\nx\n")),
            "a note with a capital letter": note(replaced("00aa\n", "00AA\n")),
            "an unsigned note": note(lambda text: text.split("\n\n")[0] + "\n"),
            "no last line end": note(lambda text: text[:-1]),
            "an empty signature line": note(extra_line("\n")),
            "a line of text below the signatures": note(extra_line("hello\n")),
            "a hyphen for the dash": note(replaced("— ", "- ")),
            "two spaces": note(replaced(f"{ORIGIN} ", f"{ORIGIN}  ")),
            "a space at the end of a signature": note(lambda text: text[:-1] + " \n"),
            "a signature of another spelling": note(_other_bits),
            "a signature of four bytes": note(signed_line(-1, lambda blob: blob[:4])),
            "a signature that is not base64": note(lambda text: text[:-2] + "!\n"),
            "the same signature twice": note(lambda text: text + text.split("\n\n")[1]),
            "101 signatures": note(extra_line("— x AAAAAAAA\n" * 101)),
            "a letter beyond ASCII in the note": note(replaced("bluelamp", "bluelämp")),
            "a letter beyond ASCII in a key's name": note(extra_line("— zeuge.müller AAAAAAAA\n")),
            "a control character in the note": note(replaced("bluelamp", "blue\tlamp")),
            "a plus in a key's name": note(extra_line("— x+y AAAAAAAA\n")),
            "a note that is a list": lambda plain: plain.update(note=[]),
            "extra data in the proof": proof(replaced("index 8\n", "extra AAAA\nindex 8\n")),
            "another header in the proof": proof(replaced("@v1", "@v2")),
            "a leading zero in the index": proof(replaced("index 8", "index 08")),
            "an index of 20 digits": proof(replaced("index 8", "index 10000000000000000000")),
            "no index": proof(replaced("index 8\n", "")),
            "64 hashes": proof(replaced("index 8\n", "index 8\n" + ("A" * 43 + "=\n") * 64)),
            "an empty line in the proof": proof(replaced("index 8\n", "index 8\n\n")),
            "a size with a leading zero": proof(replaced("\n10\n", "\n010\n")),
            "a size of 2^63": proof(replaced("\n10\n", "\n9223372036854775808\n")),
            "a size in hexadecimal": proof(replaced("\n10\n", "\n0xa\n")),
            "a root of another spelling": proof(lambda text: _root(text, _other_bits)),
            "an empty line in the checkpoint": proof(replaced("\n10\n", "\n10\n\n")),
            "a space behind the origin": proof(replaced(f"{ORIGIN}\n", f"{ORIGIN} \n")),
            "a checkpoint of two lines": proof(replaced("\n10\n", "\n")),
            "a proof that is null": lambda plain: plain.update(proof=None),
            "an event that is null": lambda plain: plain.update(event=None),
            "a salt too few": lambda plain: plain["event"]["salts"].pop("tag"),
        }.items()
    ),
]


def _root(text: str, change: Callable[[str], str]) -> str:
    head, _, tail = text.partition("\n10\n")
    root, _, rest = tail.partition("\n")
    return f"{head}\n10\n{change(root)}\n{rest}"


def _erase(plain: dict[str, Any], name: str) -> None:
    plain["fields"].pop(name)
    plain["salts"].pop(name)
    plain["erased"][name] = "ab" * 32


def _swap_bits(text: str) -> str:
    """The log's own line (68 bytes: one letter of padding) in another spelling."""
    return _other_bits(text.rpartition("\n— ")[0]) + "\n— " + text.rpartition("\n— ")[2]


_CHECKPOINTS = [
    bad(
        f"a checkpoint of the events with {name}",
        sealed(bag.CUSTODY, document(lambda plain, edit=edit: plain.update(checkpoint=edit(plain["checkpoint"])))),
        5,
        ("checkpoint", CUSTODY_CHECKPOINT),
    )
    for name, edit in {
        "no signatures": lambda text: text.split("\n\n")[0] + "\n",
        "a size of another spelling": replaced("\n8\n", "\n+8\n"),
        "a root of 31 bytes": lambda text: text.replace(text.split("\n")[2], "AAAA" * 10 + "AA=="),
        "a signature of another spelling": lambda text: _swap_bits(text),
        "a letter beyond ASCII": replaced("log.force", "log.förce"),
        "a line of nothing": lambda text: "",
    }.items()
]

CASES: list[Case] = [*_SEALS, *_CHECKPOINTS]
