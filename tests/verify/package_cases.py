"""Packages whose files, seal or statements are not what they should be."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

from bluelamp.formats import package as bag
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.package_json import write_json
from bluelamp.formats.signed_note import verifier_key
from tests.verify.build import (
    OTHER_KEY,
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


def _spelled(edit: Edit) -> list[tuple[str, Callable[[], bytes], int, tuple[str, str]]]:
    """The same wrong spelling in each of the three documents: sealed by the force in two, afterwards in the seal."""
    return [
        ("package.json", sealed(bag.PACKAGE, edit), 4, ("statement", bag.PACKAGE)),
        ("custody.json", sealed(bag.CUSTODY, edit), 4, ("statement", bag.CUSTODY)),
        ("seal.json", tampered(bag.SEAL, edit), 3, ("seal", bag.SEAL)),
    ]


def _into_format(value: str) -> Edit:
    """Something else for the value of the first member, "format"."""
    return lambda content: b'{"format":' + value.encode() + content[content.index(b",") :]


_SPELLINGS = [
    bad(f"{file} with {name}", make, step, problem)
    for name, edit in {
        "a name twice": lambda content: content[:1] + content[1 : content.index(b",") + 1] + content[1:],
        "a float": _into_format("1.5"),
        "a whole float": _into_format("1.0"),
        "an exponent": _into_format("1e3"),
        "minus zero": _into_format("-0"),
        "a leading zero": _into_format("01"),
        "a number beyond a browser": _into_format("9007199254740992"),
        "a huge number": _into_format("1" + "0" * 5000),
        "a huge negative number": _into_format("-9007199254740993"),
        "not a number": _into_format("NaN"),
        "infinity": _into_format("-Infinity"),
        "half a surrogate pair": _into_format('"\\ud83d"'),
        "a needless escape": _into_format('"\\u0041"'),
        "an escaped slash": _into_format('"\\/"'),
        "an escape in capitals": _into_format('"\\u001F"'),
        "a long escape for a line end": _into_format('"\\u000a"'),
        "a raw control character": _into_format('"\x01"'),
        "an unknown escape": _into_format('"\\x41"'),
        "JSON 65 deep": _into_format("[" * 64 + "]" * 64),
        "JSON 100,000 deep": _into_format("[" * 100_000 + "]" * 100_000),
        "a space": text(",", ", "),
        "a space at the end": lambda content: content[:-1] + b" \n",
        "two line ends": lambda content: content + b"\n",
        "no line end": lambda content: content[:-1],
        "a line end of Windows": lambda content: content[:-1] + b"\r\n",
        "a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
        "bytes that are no UTF-8": lambda content: content.replace(b"bluelamp", b"bluelamp\xff", 1),
        "a surrogate in UTF-8": lambda content: content.replace(b"bluelamp", b"bluelamp\xed\xa0\x80", 1),
        "a comma too many": lambda content: content[:-2] + b",}\n",
        "single quotes": lambda content: content.replace(b'"', b"'"),
        "a list instead": lambda content: b"[]\n",
        "nothing": lambda content: b"",
        "null": lambda content: b"null\n",
        "a member too many": document(lambda plain: plain.update(extra=1)),
        "a member too few": document(lambda plain: plain.pop("format")),
        "another format": document(lambda plain: plain.update(format="bluelamp-package-2")),
        "a format that is a list": document(lambda plain: plain.update(format=["bluelamp-package-1"])),
    }.items()
    for file, make, step, problem in _spelled(edit)
]

_INFO = [
    bad(f"package.json with {name}", sealed(bag.PACKAGE, document(change)), 4, ("statement", bag.PACKAGE))
    for name, change in {
        "an identifier in capitals": lambda plain: plain.update(id=PACKAGE_ID.upper()),
        "no identifier": lambda plain: plain.update(id=None),
        "a time without a zone": lambda plain: plain.update(made_at="2026-11-22T07:19:05"),
        "a day that is none": lambda plain: plain.update(made_at="2026-02-29T07:19:05Z"),
        "a leap day of 1900": lambda plain: plain.update(made_at="1900-02-29T07:19:05Z"),
        "the hour 24": lambda plain: plain.update(made_at="2026-11-22T24:00:00Z"),
        "the second 60": lambda plain: plain.update(made_at="2026-11-22T23:59:60Z"),
        "the year 0": lambda plain: plain.update(made_at="0000-01-01T00:00:00Z"),
        "the month 13": lambda plain: plain.update(made_at="2026-13-01T00:00:00Z"),
        "seven decimals": lambda plain: plain.update(made_at="2026-11-22T07:19:05.1234567Z"),
        "no force": lambda plain: plain.update(force=""),
        "a line break": lambda plain: plain.update(force="Force\nExternal-Identifier: x"),
        "text that turns its direction": lambda plain: plain.update(recipient="\u202eLLP"),
        "a line separator": lambda plain: plain.update(case="R v\u2028X"),
        "a space at the end of a text": lambda plain: plain.update(case="R v X "),
        "a text of 1,001 characters": lambda plain: plain.update(purpose="😀" * 1001),
        "a number for a text": lambda plain: plain.update(exhibit=1),
        "media that are no list": lambda plain: plain.update(media={}),
        "a file twice": lambda plain: plain["media"].append(plain["media"][0]),
        "a medium that is a paper": lambda plain: plain["media"][0].update(file=bag.LABEL),
        "a medium that is a tag file": lambda plain: plain["media"][0].update(file=bag.VERIFIER),
        "a medium out of the folder": lambda plain: plain["media"][0].update(file="data/../x"),
        "a negative size": lambda plain: plain["media"][0].update(size=-1),
        "a size that is true": lambda plain: plain["media"][0].update(size=True),
        "a hash in capitals": lambda plain: plain["media"][0].update(sha256="A" * 64),
        "another kind": lambda plain: plain["media"][0].update(kind="Original"),
    }.items()
] + [
    bad(
        "package.json with a leap day of 2000 and another date in bag-info.txt",
        sealed(bag.PACKAGE, document(lambda plain: plain.update(made_at="2000-02-29T07:19:05.123456Z"))),
        4,
        ("statement", bag.BAG_INFO),
    ),
    bad(
        "another package's package.json",
        sealed(bag.PACKAGE, document(lambda plain: plain.update(id=NEXT_ID))),
        4,
        ("package-id", bag.PACKAGE),
        ("statement", bag.BAG_INFO),
    ),
    bad(
        "another size of a medium",
        sealed(bag.PACKAGE, document(lambda plain: plain["media"][0].update(size=599))),
        4,
        ("medium", MEDIUM),
    ),
    bad(
        "another hash of a medium",
        sealed(bag.PACKAGE, document(lambda plain: plain["media"][0].update(sha256="0" * 64))),
        4,
        ("medium", MEDIUM),
    ),
    bad(
        "a medium that is not there",
        sealed(bag.PACKAGE, document(lambda plain: plain["media"][0].update(file="data/x.mp4"))),
        4,
        ("medium", "data/x.mp4"),
        ("medium", MEDIUM),
    ),
    bad(
        "a medium that package.json does not name",
        sealed(bag.PACKAGE, document(lambda plain: plain.update(media=[]))),
        4,
        ("medium", MEDIUM),
    ),
    bad(
        "another recording's original",
        sealed(bag.PACKAGE, document(lambda plain: plain["media"][0].update(recording=NEXT_ID))),
        4,
        ("collection", MEDIUM),
    ),
    bad(
        "another text in bagit.txt",
        sealed(bag.BAGIT, lambda content: content.replace(b"1.0", b"0.97")),
        4,
        ("statement", bag.BAGIT),
    ),
    bad(
        "another line in bag-info.txt",
        sealed(bag.BAG_INFO, lambda content: content + b"Contact-Name: x\n"),
        4,
        ("statement", bag.BAG_INFO),
    ),
    bad(
        "another force in bag-info.txt",
        sealed(bag.BAG_INFO, lambda content: content.replace(b"Metropolitan", b"Imaginary")),
        4,
        ("statement", bag.BAG_INFO),
    ),
]


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

CASES: list[Case] = [*_GOODS, *_FILES, *_MANIFESTS, *_SPELLINGS, *_INFO, *_CUSTODY, *_EVENTS]
