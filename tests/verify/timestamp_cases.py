"""Packages with a timestamp from outside. Without the authority's certificate neither verifier checks but its form."""

from __future__ import annotations

import base64
from typing import Any

from bluelamp.formats import package as bag
from tests.verify.build import VKEY
from tests.verify.cases import Case, bad, good
from tests.verify.package_cases import document, recipe

_STAMP = {"stamp": lambda text: b"not looked at without a certificate"}


def _sealed(change: Any) -> Any:
    return recipe(**_STAMP, sealed={bag.CUSTODY: document(lambda plain: change(plain["timestamp"]))})


def _without_field(plain: dict[str, Any]) -> None:
    del plain["response"]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


_FORMS = [
    ("a timestamp without its answer", _without_field),
    ("a timestamp with more than its fields", lambda plain: plain.update(note="")),
    ("a timestamp of no checkpoint", lambda plain: plain.update(checkpoint="log.force.example\n5\n")),
    ("a timestamp of a number", lambda plain: plain.update(checkpoint=5)),
    (
        "a timestamp whose checkpoint has other letters",
        lambda p: p.update(checkpoint=p["checkpoint"].replace("log", "lög")),
    ),
    ("a timestamp with an empty answer", lambda plain: plain.update(response="")),
    ("a timestamp whose answer has another spelling", lambda plain: plain.update(response=plain["response"] + "\n")),
    ("a timestamp whose answer is not text", lambda plain: plain.update(response=None)),
    ("a timestamp that is too large", lambda plain: plain.update(response=_b64(bytes(64 * 1024 + 1)))),
    ("a timestamp with a hash too short", lambda plain: plain.update(path=[_b64(bytes(31))])),
    ("a timestamp with too many hashes", lambda plain: plain.update(path=[_b64(bytes(32))] * 64)),
    ("a timestamp with a path that is none", lambda plain: plain.update(path="")),
]

CASES: list[Case] = [
    good("a timestamp that nobody checks", recipe(**_STAMP), keys=(VKEY,)),
    good(
        "a timestamp whose path leads nowhere, which nobody checks", _sealed(lambda p: p.update(path=[_b64(bytes(32))]))
    ),
    bad(
        "a timestamp that is no object",
        recipe(sealed={bag.CUSTODY: document(lambda plain: plain.update(timestamp=[]))}),
        4,
        ("statement", bag.CUSTODY),
    ),
    *(bad(name, _sealed(change), 4, ("statement", bag.CUSTODY)) for name, change in _FORMS),
]
