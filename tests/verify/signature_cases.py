"""Packages whose signatures or keys are not what they should be, or not enough to tell."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import package as bag
from bluelamp.formats.cosignature import cosign
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
from tests.verify.package_cases import document, recipe, sealed
from tests.verify.seal_cases import (
    CUSTODY_CHECKPOINT,
    EVERY_NOTE,
    FORGER,
    FORGER_VKEY,
    OTHER_WITNESS_VKEY,
    SEAL_CHECKPOINT,
    SEAL_NOTE,
    extra_line,
    flip,
    note,
    proof,
    replaced,
    seal,
    signed_line,
)

ORDER = 2**252 + 27742317777372353535851937790883648493


def _same_scalar(blob: bytes) -> bytes:
    """The signature with S + L for S: it fits the same equation, and RFC 8032 refuses it."""
    scalar = int.from_bytes(blob[36:], "little") + ORDER
    return blob[:36] + scalar.to_bytes(32, "little")


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
    bad("a changed signature of the note", seal(note(signed_line(-1, flip(40)))), 6, ("signature", SEAL_NOTE)),
    bad("a changed point in the note's signature", seal(note(signed_line(-1, flip(4)))), 6, ("signature", SEAL_NOTE)),
    bad("another key's hash in the note", seal(note(signed_line(-1, flip(0)))), 6, ("signature-unknown", SEAL_NOTE)),
    bad(
        "another key's name in the note",
        seal(note(replaced(f"— {ORIGIN}", "— log.farce.example"))),
        6,
        ("signature-unknown", SEAL_NOTE),
    ),
    bad("a signature that RFC 8032 refuses", seal(note(signed_line(-1, _same_scalar))), 6, ("signature", SEAL_NOTE)),
    bad(
        "a signature that is too long",
        seal(note(signed_line(-1, lambda raw: raw + b"\0"))),
        6,
        ("signature", SEAL_NOTE),
    ),
    bad(
        "a signature that is too short",
        seal(note(signed_line(-1, lambda raw: raw[:-1]))),
        6,
        ("signature", SEAL_NOTE),
    ),
    bad(
        "a signature of nothing but the key's hash",
        seal(note(signed_line(-1, lambda blob: blob[:5]))),
        6,
        ("signature", SEAL_NOTE),
    ),
    bad("a changed cosignature", seal(proof(signed_line(-1, flip(20)))), 6, ("signature", SEAL_CHECKPOINT)),
    bad("a cosignature at another time", seal(proof(signed_line(-1, flip(11)))), 6, ("signature", SEAL_CHECKPOINT)),
    bad(
        "a cosignature that is too short",
        seal(proof(signed_line(-1, lambda blob: blob[:8]))),
        6,
        ("signature", SEAL_CHECKPOINT),
    ),
    bad(
        "a cosignature in the far future",
        seal(proof(signed_line(-1, lambda blob: blob[:4] + b"\xff" + blob[5:]))),
        6,
        ("signature", SEAL_CHECKPOINT),
    ),
    bad(
        "a changed signature of the seal's checkpoint",
        seal(proof(signed_line(-2, flip(30)))),
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
                        lambda text: signed_line(
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
    return recipe(keys=(VKEY, vkey), tampered={bag.SEAL: document(note(extra_line(f"— {ORIGIN} {line}\n")))})


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

CASES: list[Case] = [*_SIGNATURES, *_TRUST, *_WEAK]
