"""Packages whose seal, signatures or keys are not what they should be, or not enough to tell."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import package as bag
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.signed_note import sign_note, verifier_key
from tests.verify.build import (
    LOG_KEY,
    ORIGIN,
    OTHER_KEY,
    OTHER_VKEY,
    OTHER_WITNESS_KEY,
    VKEY,
    WITNESS,
    WITNESS_KEY,
    WITNESS_VKEY,
    WITNESSED_AT,
    Log,
)
from tests.verify.cases import Case, bad, good, unsure
from tests.verify.package_cases import document, recipe, sealed, tampered

SEAL_NOTE = "seal.json: note"
SEAL_CHECKPOINT = "seal.json: checkpoint"
CUSTODY_CHECKPOINT = "custody.json: checkpoint"
EVERY_NOTE = (SEAL_NOTE, SEAL_CHECKPOINT, CUSTODY_CHECKPOINT)

ORDER = 2**252 + 27742317777372353535851937790883648493
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


def _blob(at: int, change: Callable[[bytes], bytes]) -> Callable[[str], str]:
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


def _flip(place: int) -> Callable[[bytes], bytes]:
    return lambda blob: blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]


def _same_scalar(blob: bytes) -> bytes:
    """The signature with S + L for S: it fits the same equation, and RFC 8032 refuses it."""
    scalar = int.from_bytes(blob[36:], "little") + ORDER
    return blob[:36] + scalar.to_bytes(32, "little")


def _extra_line(line: str) -> Callable[[str], str]:
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
            "an empty signature line": note(_extra_line("\n")),
            "a line of text below the signatures": note(_extra_line("hello\n")),
            "a hyphen for the dash": note(replaced("— ", "- ")),
            "two spaces": note(replaced(f"{ORIGIN} ", f"{ORIGIN}  ")),
            "a space at the end of a signature": note(lambda text: text[:-1] + " \n"),
            "a signature of another spelling": note(_other_bits),
            "a signature of four bytes": note(_blob(-1, lambda blob: blob[:4])),
            "a signature that is not base64": note(lambda text: text[:-2] + "!\n"),
            "the same signature twice": note(lambda text: text + text.split("\n\n")[1]),
            "101 signatures": note(_extra_line("— x AAAAAAAA\n" * 101)),
            "a letter beyond ASCII in the note": note(replaced("bluelamp", "bluelämp")),
            "a letter beyond ASCII in a key's name": note(_extra_line("— zeuge.müller AAAAAAAA\n")),
            "a control character in the note": note(replaced("bluelamp", "blue\tlamp")),
            "a plus in a key's name": note(_extra_line("— x+y AAAAAAAA\n")),
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


def _swap_bits(text: str) -> str:
    """The log's own line (68 bytes: one letter of padding) in another spelling."""
    return _other_bits(text.rpartition("\n— ")[0]) + "\n— " + text.rpartition("\n— ")[2]


def _forked(plain: dict[str, Any]) -> None:
    """A checkpoint of the seal's size with another root, signed by the log: a second history."""
    fork = Log([bytes([number]) * 32 for number in range(10)])
    plain.update(checkpoint=fork.checkpoint())


def _resigned(key: Ed25519PrivateKey) -> Callable[[str], str]:
    """The note's text signed by another key in place of all signatures."""
    return lambda text: sign_note(text.split("\n\n")[0] + "\n", ORIGIN, key)


def _cosigned_by(key: Ed25519PrivateKey, name: str) -> Callable[[str], str]:
    """One more cosignature on the seal's checkpoint."""

    def edit(text: str) -> str:
        checkpoint = text.partition("\n\n")[2].partition("\n\n")[0] + "\n"
        return text + cosign(checkpoint, name, key, WITNESSED_AT)

    return edit


_SIGNATURES = [
    bad(
        "a fork",
        sealed(bag.CUSTODY, document(_forked)),
        5,
        ("event", "5"),
        ("event", "6"),
        ("fork", CUSTODY_CHECKPOINT),
    ),
    bad("a changed signature of the note", seal(note(_blob(-1, _flip(40)))), 6, ("signature", SEAL_NOTE)),
    bad("a changed point in the note's signature", seal(note(_blob(-1, _flip(4)))), 6, ("signature", SEAL_NOTE)),
    bad("another key's hash in the note", seal(note(_blob(-1, _flip(0)))), 6, ("signature-unknown", SEAL_NOTE)),
    bad(
        "another key's name in the note",
        seal(note(replaced(f"— {ORIGIN}", "— log.farce.example"))),
        6,
        ("signature-unknown", SEAL_NOTE),
    ),
    bad("a signature that RFC 8032 refuses", seal(note(_blob(-1, _same_scalar))), 6, ("signature", SEAL_NOTE)),
    bad("a signature that is too long", seal(note(_blob(-1, lambda blob: blob + b"\0"))), 6, ("signature", SEAL_NOTE)),
    bad("a signature that is too short", seal(note(_blob(-1, lambda blob: blob[:-1]))), 6, ("signature", SEAL_NOTE)),
    bad(
        "a signature of nothing but the key's hash",
        seal(note(_blob(-1, lambda blob: blob[:5]))),
        6,
        ("signature", SEAL_NOTE),
    ),
    bad("a changed cosignature", seal(proof(_blob(-1, _flip(20)))), 6, ("signature", SEAL_CHECKPOINT)),
    bad("a cosignature at another time", seal(proof(_blob(-1, _flip(11)))), 6, ("signature", SEAL_CHECKPOINT)),
    bad(
        "a cosignature that is too short",
        seal(proof(_blob(-1, lambda blob: blob[:8]))),
        6,
        ("signature", SEAL_CHECKPOINT),
    ),
    bad(
        "a cosignature in the far future",
        seal(proof(_blob(-1, lambda blob: blob[:4] + b"\xff" + blob[5:]))),
        6,
        ("signature", SEAL_CHECKPOINT),
    ),
    bad(
        "a changed signature of the seal's checkpoint",
        seal(proof(_blob(-2, _flip(30)))),
        6,
        ("signature", SEAL_CHECKPOINT),
    ),
    bad(
        "a cosignature by nobody known",
        seal(proof(_cosigned_by(OTHER_WITNESS_KEY, "x.example"))),
        6,
        ("signature-unknown", SEAL_CHECKPOINT),
    ),
    bad(
        "a cosignature on the seal's note",
        seal(note(lambda text: text + cosign(text.split("\n\n")[0] + "\n", WITNESS, WITNESS_KEY, WITNESSED_AT))),
        6,
        ("signature-unknown", SEAL_NOTE),
    ),
    bad(
        "a cosignature for the log's signature",
        seal(proof(lambda text: text.replace(text.split("\n")[-3] + "\n", ""))),
        6,
        ("unsigned", SEAL_CHECKPOINT),
    ),
    bad(
        "a checkpoint of another log",
        recipe(origin="log.farce.example", custody_keys=(), seal_keys=()),
        6,
        ("unsigned", CUSTODY_CHECKPOINT),
        ("unsigned", SEAL_CHECKPOINT),
        ("unsigned", SEAL_NOTE),
    ),
    bad(
        "a forger's key in place of the log's, its key not named",
        recipe(note_key=FORGER, seal_keys=(FORGER,), custody_keys=(FORGER,)),
        6,
        *(("signature-unknown", where) for where in EVERY_NOTE),
    ),
    bad(
        "no witness named, one cosigned",
        recipe(witnesses=()),
        6,
        ("signature-unknown", SEAL_CHECKPOINT),
        ("signature-unknown", CUSTODY_CHECKPOINT),
    ),
    bad(
        "the trusted key's name and hash on another's signature",
        recipe(
            note_key=LOG_KEY,
            tampered={
                bag.SEAL: document(
                    note(
                        lambda text: _blob(
                            -1, lambda blob: blob[:4] + base64.b64decode(_resigned(FORGER)(text).split(" ")[-1])[4:]
                        )(text)
                    )
                )
            },
        ),
        6,
        ("signature", SEAL_NOTE),
    ),
    good("an event's witness that only the reader names", recipe(witnesses=()), witnesses=(WITNESS_VKEY,)),
    good("a witness that the package names and the reader too", recipe(), witnesses=(WITNESS_VKEY,)),
    good("a witness that did not cosign", recipe(), witnesses=(OTHER_WITNESS_VKEY,)),
]

_TWO_KEYS = {"keys": (VKEY, OTHER_VKEY)}
_TRUST = [
    good(
        "signed by two keys, one of them trusted",
        recipe(**_TWO_KEYS, seal_keys=(LOG_KEY, OTHER_KEY), custody_keys=(OTHER_KEY, LOG_KEY)),
    ),
    good(
        "a key that changed in between, both trusted",
        recipe(**_TWO_KEYS, custody_keys=(OTHER_KEY,)),
        keys=(OTHER_VKEY, VKEY),
    ),
    good(
        "a trusted key that the package does not name",
        recipe(keys=(OTHER_VKEY,), seal_keys=(LOG_KEY, OTHER_KEY)),
        keys=(VKEY,),
    ),
    good("a key that signed nothing", recipe(**_TWO_KEYS), keys=(OTHER_VKEY, VKEY)),
    good("the same key twice", recipe(), keys=(VKEY, VKEY), witnesses=(WITNESS_VKEY, WITNESS_VKEY)),
    unsure("no key", recipe(), ("no-key", "")),
    unsure("no key, but a witness", recipe(), ("no-key", ""), witnesses=(WITNESS_VKEY,)),
    unsure("another key", recipe(), ("key-unknown", ""), keys=(OTHER_VKEY,)),
    unsure(
        "a forger's package",
        recipe(keys=(FORGER_VKEY,), note_key=FORGER, seal_keys=(FORGER,), custody_keys=(FORGER,)),
        ("key-unknown", ""),
        keys=(VKEY,),
    ),
    unsure(
        "a key that changed in between, the newer trusted",
        recipe(**_TWO_KEYS, custody_keys=(OTHER_KEY,)),
        ("key-other", CUSTODY_CHECKPOINT),
        keys=(VKEY,),
    ),
    unsure(
        "a key that changed in between, the older trusted",
        recipe(**_TWO_KEYS, custody_keys=(OTHER_KEY,)),
        ("key-other", SEAL_CHECKPOINT),
        ("key-other", SEAL_NOTE),
        keys=(OTHER_VKEY,),
    ),
    unsure(
        "a forger's note on a genuine log",
        recipe(keys=(VKEY, FORGER_VKEY), note_key=FORGER),
        ("key-other", SEAL_NOTE),
        keys=(VKEY,),
    ),
    *(
        unsure(f"a given key that is {name}", recipe(), ("key-malformed", ""), step=0, keys=keys, witnesses=witnesses)
        for name, keys, witnesses in [
            ("no key", ("hello",), ()),
            ("empty", ("",), ()),
            ("a witness's", (WITNESS_VKEY,), ()),
            ("for a witness and the log's", (VKEY,), (VKEY,)),
            ("with another hash", (VKEY.replace("+0c", "+0d"),), ()),
            ("with its hash in capitals", (VKEY.replace("+0cd5237a+", "+0CD5237A+"),), ()),
            ("of another spelling", (VKEY, VKEY[:-1]), ()),
            ("with a name beyond ASCII", (verifier_key("logé.example", OTHER_KEY),), ()),
            ("with spaces in its name", (VKEY.replace("log.", "log. "),), ()),
            ("two on a line", (f"{VKEY} {VKEY}",), ()),
        ]
    ),
]


def _weak(key: str, point: str) -> Callable[[], bytes]:
    """A package whose second key is a point of small order; R is given, S is 0: nobody signed."""
    typed = b"\x01" + bytes.fromhex(key)
    key_hash = hashlib.sha256(f"{ORIGIN}\n".encode() + typed).digest()[:4]
    vkey = f"{ORIGIN}+{key_hash.hex()}+{base64.b64encode(typed).decode()}"
    line = base64.b64encode(key_hash + bytes.fromhex(point) + bytes(32)).decode()
    return recipe(keys=(VKEY, vkey), tampered={bag.SEAL: document(note(_extra_line(f"— {ORIGIN} {line}\n")))})


_ZERO = "01" + "00" * 31
_ZERO_OTHERWISE = "ee" + "ff" * 30 + "7f"
_ZERO_NEGATIVE = "01" + "00" * 30 + "80"
_ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
_NO_POINT = "02" + "00" * 31
# RFC 8032 leaves open whether such keys and points are refused; both verifiers must do the same. None is trusted.
_WEAK = [
    good("a claimed key of small order", _weak(_ZERO, _ZERO)),
    good("a claimed key of small order in another spelling", _weak(_ZERO_OTHERWISE, _ZERO)),
    good("a claimed key of small order with a sign", _weak(_ZERO_NEGATIVE, _ZERO)),
    *(
        bad(name, _weak(key, point), 6, ("signature", SEAL_NOTE))
        for name, key, point in [
            ("a point of small order that only the cofactor forgives", _ZERO, _ORDER_8),
            ("a point in another spelling", _ZERO, _ZERO_OTHERWISE),
            ("a point with a sign", _ZERO, _ZERO_NEGATIVE),
            ("a claimed key that is no point", _NO_POINT, _ZERO),
        ]
    ),
]

CASES: list[Case] = [*_SEALS, *_CHECKPOINTS, *_SIGNATURES, *_TRUST, *_WEAK]
