"""Packages whose custody.json, or an event in it, is not what it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bluelamp.formats import package as bag
from bluelamp.formats.signed_note import verifier_key
from tests.verify.build import (
    OTHER_KEY,
    VKEY,
    WITNESS_VKEY,
)
from tests.verify.cases import Case, bad
from tests.verify.package_cases import MEDIUM, document, sealed


def _first(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda plain: change(plain["events"][0])


def _event(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda plain: change(plain["events"][0]["event"])


def _unpadded(plain: dict[str, Any]) -> None:
    """Another spelling of the same 32 bytes: the last letter before the padding has bits that mean nothing."""
    first = plain["path"][0]
    plain["path"][0] = first[:-2] + chr(ord(first[-2]) + 1) + "="


_CUSTODY = [
    bad(f"custody.json with {name}", sealed(bag.CUSTODY, document(change)), 4, ("statement", bag.CUSTODY))
    for name, change in {
        "no keys": lambda plain: plain.update(keys=[]),
        "a key twice": lambda plain: plain.update(keys=[VKEY, VKEY]),
        "keys of two logs": lambda plain: plain["keys"].append(verifier_key("other.example", OTHER_KEY)),
        "a key that is none": lambda plain: plain.update(keys=["x"]),
        "a key with another hash": lambda plain: plain.update(keys=[VKEY.replace("+0cd5237a+", "+0cd5237b+")]),
        "a key's hash in capitals": lambda plain: plain.update(keys=[VKEY.replace("+0cd5237a+", "+0CD5237A+")]),
        "a witness's key for the log's": lambda plain: plain.update(keys=[WITNESS_VKEY]),
        "the log's key for a witness's": lambda plain: plain.update(witnesses=[VKEY]),
        "a space around a key": lambda plain: plain.update(witnesses=[f"{WITNESS_VKEY} "]),
        "a key's name beyond ASCII": lambda plain: plain["keys"].append(verifier_key("logé.example", OTHER_KEY)),
        "21 keys": lambda plain: plain.update(keys=[VKEY] * 21),
        "keys that are no list": lambda plain: plain.update(keys=VKEY),
        "a key that is a number": lambda plain: plain.update(keys=[1]),
        "a checkpoint that is null": lambda plain: plain.update(checkpoint=None),
        "events in another order": lambda plain: plain["events"].reverse(),
        "an event twice": lambda plain: plain["events"].append(plain["events"][-1]),
        "a negative index": _first(lambda plain: plain.update(index=-1)),
        "an index that is text": _first(lambda plain: plain.update(index="0")),
        "a path of 64 hashes": _first(lambda plain: plain.update(path=plain["path"][:1] * 64)),
        "a hash of another spelling": _first(_unpadded),
        "a hash without padding": _first(lambda plain: plain["path"].__setitem__(0, plain["path"][0][:-1])),
        "a hash in base64 for addresses": _first(lambda plain: plain["path"].__setitem__(0, "-_" * 21 + "A=")),
        "a hash of 31 bytes": _first(lambda plain: plain["path"].__setitem__(0, "AAAA" * 10 + "AA==")),
        "a hash with a line break": _first(lambda plain: plain["path"].__setitem__(0, plain["path"][0][:-1] + "\n=")),
        "a hash that is null": _first(lambda plain: plain["path"].__setitem__(0, None)),
        "a salt in capitals": _event(lambda plain: plain["salts"].update(tag="AB" * 16)),
        "a salt of 15 bytes": _event(lambda plain: plain["salts"].update(tag="ab" * 15)),
        "half a byte of salt": _event(lambda plain: plain["salts"].update(tag="a" * 33)),
        "a salt too few": _event(lambda plain: plain["salts"].pop("tag")),
        "a salt too many": _event(lambda plain: plain["salts"].update(other="ab" * 16)),
        "a field that was erased too": _event(lambda plain: plain["erased"].update(tag="ab" * 32)),
        "a commitment of 33 bytes": _event(lambda plain: plain["erased"].update(other="ab" * 33)),
        "a commitment of 31 bytes": _event(lambda plain: plain["erased"].update(other="ab" * 31)),
        "fields that are a list": _event(lambda plain: plain.update(fields=[])),
        "201 erased fields": _event(lambda plain: plain.update(erased={str(at): "ab" * 32 for at in range(201)})),
        "a value nested 33 deep": _event(lambda plain: plain["fields"].update(tag=json.loads("[" * 34 + "]" * 34))),
        "an event of another shape": _first(lambda plain: plain.update(event=[])),
    }.items()
] + [
    bad(
        "no event of collection",
        sealed(bag.CUSTODY, document(lambda plain: plain["events"].pop(0))),
        4,
        ("collection", MEDIUM),
    ),
    bad(
        "an event of collection of another file",
        sealed(bag.CUSTODY, document(_event(lambda plain: plain["fields"].update({"detail.sha256": "0" * 64})))),
        4,
        ("collection", MEDIUM),
    ),
    bad(
        "an event of collection whose hash is a list",
        sealed(bag.CUSTODY, document(_event(lambda plain: plain["fields"].update({"detail.sha256": ["0" * 64]})))),
        4,
        ("collection", MEDIUM),
    ),
    bad(
        "an event of another verb",
        sealed(bag.CUSTODY, document(_event(lambda plain: plain["fields"].update(tag="recording.viewed")))),
        4,
        ("collection", MEDIUM),
    ),
]

_OTHER_SALT = "ab" * 16
_EVENTS = [
    bad(f"an event with {name}", sealed(bag.CUSTODY, document(change)), 5, ("event", index))
    for name, index, change in [
        ("another actor", "5", _event(lambda plain: plain["fields"].update(actor="person:8"))),
        ("a number for a text", "5", _event(lambda plain: plain["fields"].update(reason=0))),
        ("true for a number", "5", _event(lambda plain: plain["fields"].update({"detail.size": True}))),
        ("null for nothing", "5", _event(lambda plain: plain["fields"].update(reason=None))),
        ("another salt", "5", _event(lambda plain: plain["salts"].update(actor=_OTHER_SALT))),
        ("a longer salt", "5", _event(lambda plain: plain["salts"].update(actor=plain["salts"]["actor"] + "00"))),
        (
            "a field more",
            "5",
            _event(lambda plain: (plain["fields"].update(x=1), plain["salts"].update(x=_OTHER_SALT))),
        ),
        ("a field fewer", "5", _event(lambda plain: (plain["fields"].pop("actor"), plain["salts"].pop("actor")))),
        (
            "a field erased without right",
            "5",
            _event(
                lambda plain: (
                    plain["fields"].pop("actor"),
                    plain["salts"].pop("actor"),
                    plain["erased"].update(actor="ab" * 32),
                )
            ),
        ),
        (
            "another commitment",
            "6",
            lambda plain: plain["events"][1]["event"]["erased"].update({"detail.note": "ab" * 32}),
        ),
        ("another place", "4", _first(lambda plain: plain.update(index=4))),
        ("a place beyond the tree", "9007199254740991", lambda plain: plain["events"][1].update(index=2**53 - 1)),
        ("a shorter path", "5", _first(lambda plain: plain["path"].pop())),
        ("a longer path", "5", _first(lambda plain: plain["path"].append(plain["path"][0]))),
        ("no path", "5", _first(lambda plain: plain.update(path=[]))),
        ("its path turned round", "5", _first(lambda plain: plain["path"].reverse())),
        ("another hash in its path", "5", _first(lambda plain: plain["path"].__setitem__(0, "A" * 43 + "="))),
    ]
]

CASES: list[Case] = [*_CUSTODY, *_EVENTS]
