"""Packages that are good, and those whose files or manifests are not what they should be."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

from bluelamp.formats import package as bag
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.package_json import write_json
from tests.verify.build import (
    PACKAGE_ID,
    VKEY,
    WITNESS_VKEY,
    Content,
    Edit,
    Recipe,
    event,
    streamed_zip,
)
from tests.verify.cases import Case, bad, good

MEDIUM = "data/AB-1 front door.mp4"
NEXT_ID = PACKAGE_ID[:-1] + "b"


def recipe(**changes: Any) -> Callable[[], bytes]:
    """A package by a recipe."""
    return Recipe(**changes).zip


def sealed(path: str, edit: Edit) -> Callable[[], bytes]:
    """A package that a force sealed with this file so: every hash and signature is right."""
    return recipe(sealed={path: edit})


def tampered(path: str, edit: Edit) -> Callable[[], bytes]:
    """A package in which somebody changed a file afterwards."""
    return recipe(tampered={path: edit})


def document(change: Callable[[dict[str, Any]], object]) -> Edit:
    """An edit of JSON, written as packages write it."""

    def edit(content: bytes) -> bytes:
        plain = json.loads(content)
        change(plain)
        return write_json(plain).encode()

    return edit


def text(old: str, new: str, count: int = 1) -> Edit:
    """An edit of text; what it replaces must be there."""

    def edit(content: bytes) -> bytes:
        assert old.encode() in content, old
        return content.replace(old.encode(), new.encode(), count)

    return edit


def _files(change: Callable[[dict[str, Content]], object]) -> Callable[[], bytes]:
    def make() -> bytes:
        files = Recipe().files()
        change(files)
        return streamed_zip(files)

    return make


def _listed(files: dict[str, Content], path: str) -> str:
    content = files[path]
    assert isinstance(content, bytes)
    return f"{hashlib.sha256(content).hexdigest()}  {path}\n"


def _in_other_manifest(files: dict[str, Content]) -> None:
    line = _listed(files, bag.LABEL).encode()
    payload, tags = files[bag.MANIFEST], files[bag.TAG_MANIFEST]
    assert isinstance(payload, bytes)
    assert isinstance(tags, bytes)
    files[bag.MANIFEST] = payload.replace(line, b"")
    files[bag.TAG_MANIFEST] = tags + line


def _any_value(chance: random.Random, depth: int = 0) -> Any:
    """Some value that an event may hold: odd texts, limits of numbers, nesting."""
    kinds = [
        None,
        True,
        False,
        0,
        -1,
        2**53 - 1,
        -(2**53 - 1),
        "",
        "é",
        "e\u0301",
        "\u2028",
        "\x7f",
        "\uffff",
        "\U0010ffff",
        "\x00",
    ]
    if depth > 3 or chance.random() < 0.6:
        return chance.choice([*kinds, chance.randrange(10**6), "".join(map(chr, chance.choices(range(0x250), k=9)))])
    if chance.random() < 0.5:
        return [_any_value(chance, depth + 1) for _ in range(chance.randrange(5))]
    names = [
        chance.choice(["a", "B", "é", "\uffee", "😀", "10", "9", "__proto__", ""]) for _ in range(chance.randrange(6))
    ]
    return {name: _any_value(chance, depth + 1) for name in names}


def _any_events() -> list[DisclosedEvent]:
    chance = random.Random(1)
    return [event({f"detail.{at}": _any_value(chance), "tag": "recording.noted"}) for at in range(120)]


_GOODS = [
    good("events of all shapes", recipe(events=_any_events())),
    good("two media", recipe(media={"data/a.mp4": b"one", "data/sub/b.mp4": b"two"})),
    good("an empty medium", recipe(media={"data/a.mp4": b""})),
    good("a medium of one piece", recipe(media={"data/a.mp4": bytes(8 * 2**20)})),
    good("a medium of a piece and a byte", recipe(media={"data/a.mp4": bytes(8 * 2**20 + 1)})),
    good("a copy without an event of collection", recipe(kind="copy")),
    good("no media", recipe(media={})),
    good(
        "field names that mean something to JavaScript",
        recipe(events=[event({"__proto__": 1, "constructor": [], "10": "b", "9": "a", "tag": "recording.shared"})]),
    ),
    good("an event with a list of 200,000", recipe(events=[event({"detail.at": list(range(200_000))})])),
    good("an event without fields", recipe(events=[event({})])),
    good("the longest texts", sealed(bag.PACKAGE, document(lambda plain: plain.update(purpose="😀" * 1000)))),
    good("escapes that are needed", recipe(events=[event({"reason": '"\\\b\f\n\r\t\x00\x1f\x7f\u2028/é😀'})])),
    good("JSON at the deepest", recipe(events=[event({"detail.deep": json.loads("[" * 32 + "]" * 32)})])),
    good(
        "keys by number of letters and bytes",
        recipe(events=[event({"\uffee": 1, "😀": 2, "é": 3, "z": {"😀": 1, "\uffee": None}})]),
    ),
    good("spaces around a key", Recipe().zip, keys=(f"  {VKEY}\r\n",), witnesses=(f"\t{WITNESS_VKEY} ",)),
]

_FILES = [
    bad(
        f"a byte of {path} changed",
        tampered(path, lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        2,
        ("file-changed", path),
    )
    for path in (MEDIUM, *bag.PAPERS, *(each for each in bag.TAG_FILES if each != bag.MANIFEST))
] + [
    bad("a missing medium", _files(lambda files: files.pop(MEDIUM)), 2, ("file-missing", MEDIUM)),
    bad("a missing label", _files(lambda files: files.pop(bag.LABEL)), 2, ("file-missing", bag.LABEL)),
    bad("a missing verifier", _files(lambda files: files.pop(bag.VERIFIER)), 2, ("file-missing", bag.VERIFIER)),
    bad("a missing seal", _files(lambda files: files.pop(bag.SEAL)), 2, ("file-missing", bag.SEAL)),
    bad("a missing manifest", _files(lambda files: files.pop(bag.MANIFEST)), 2, ("file-missing", bag.MANIFEST)),
    bad(
        "a missing tag manifest",
        _files(lambda files: files.pop(bag.TAG_MANIFEST)),
        2,
        ("file-missing", bag.TAG_MANIFEST),
    ),
    bad(
        "one more medium", _files(lambda files: files.update({"data/x.mp4": b"x"})), 2, ("file-unlisted", "data/x.mp4")
    ),
    bad(
        "one more tag file", _files(lambda files: files.update({"notes.txt": b"x"})), 2, ("file-unlisted", "notes.txt")
    ),
    bad(
        "one more tag file that the force sealed",
        sealed("notes.txt", lambda content: b"x"),
        2,
        ("file-unlisted", "notes.txt"),
    ),
    bad(
        "a fetch list that the force sealed",
        sealed("fetch.txt", lambda content: b"https://evil.example/ 1 data/x\n"),
        2,
        ("file-unlisted", "fetch.txt"),
    ),
    bad(
        "a label in the wrong manifest",
        _files(_in_other_manifest),
        2,
        ("file-changed", bag.MANIFEST),
        ("file-unlisted", bag.LABEL),
    ),
    bad(
        "an unlisted medium, its line taken away",
        tampered(
            bag.MANIFEST,
            lambda content: b"".join(line for line in content.splitlines(True) if b"front door" not in line),
        ),
        2,
        ("file-changed", bag.MANIFEST),
        ("file-unlisted", MEDIUM),
    ),
    bad(
        "a manifest that follows the change of a medium",
        _files(
            lambda files: (files.update({MEDIUM: b"other pictures"}), files.update({bag.MANIFEST: _relisted(files)}))
        ),
        2,
        ("file-changed", bag.MANIFEST),
    ),
    bad(
        "a seal that names itself",
        tampered(bag.TAG_MANIFEST, lambda content: content + b"0" * 64 + b"  seal.json\n"),
        2,
        ("file-unlisted", bag.SEAL),
    ),
    bad(
        "a listed file that is not there",
        sealed(bag.MANIFEST, lambda content: content + b"0" * 64 + b"  data/gone.mp4\n"),
        2,
        ("file-missing", "data/gone.mp4"),
    ),
    bad(
        "both manifests changed",
        lambda: Recipe(tampered={bag.MANIFEST: lambda content: b"", bag.TAG_MANIFEST: lambda content: b"\n"}).zip(),
        2,
        ("manifest", bag.TAG_MANIFEST),
        *(("file-unlisted", path) for path in (MEDIUM, *bag.PAPERS)),
    ),
]


def _relisted(files: dict[str, Content]) -> bytes:
    return "".join(_listed(files, path) for path in sorted(files) if path.startswith(bag.DATA)).encode()


_MANIFESTS = [
    bad(f"a manifest with {name}", sealed(bag.MANIFEST, edit), 2, ("manifest", bag.MANIFEST))
    for name, edit in {
        "line ends of Windows": lambda content: content.replace(b"\n", b"\r\n"),
        "an empty line": lambda content: content + b"\n",
        "no last line end": lambda content: content[:-1],
        "one space": lambda content: content.replace(b"  ", b" "),
        "a tab": lambda content: content.replace(b"  ", b" \t"),
        "a star for binary": lambda content: content.replace(b"  ", b" *"),
        "capital letters in a hash": lambda content: content[:64].upper() + content[64:],
        "a line twice": lambda content: content + content.splitlines(True)[0],
        "a path out of the folder": lambda content: content + b"0" * 64 + b"  data/../../evil\n",
        "an escaped path": lambda content: content + b"0" * 64 + b"  data/a%0Ab\n",
        "a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
        "a letter beyond ASCII": lambda content: content + b"0" * 64 + "  data/é\n".encode(),
    }.items()
]

CASES: list[Case] = [*_GOODS, *_FILES, *_MANIFESTS]
