"""Packages whose documents have another spelling, or whose package.json does not fit their files."""

from __future__ import annotations

from collections.abc import Callable

from bluelamp.formats import package as bag
from tests.verify.build import (
    PACKAGE_ID,
    Edit,
)
from tests.verify.cases import Case, bad
from tests.verify.package_cases import MEDIUM, NEXT_ID, document, sealed, tampered, text


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

CASES: list[Case] = [*_SPELLINGS, *_INFO]
