"""The files of a package, written and read."""

from __future__ import annotations

import pytest

from bluelamp.formats import package as bag
from bluelamp.formats.errors import FormatError
from bluelamp.formats.package import Custody, Medium, PackageError, PackageInfo, Seal, SealNote
from bluelamp.formats.package_json import read_json, write_json
from tests.verify.build import PACKAGE_ID, RECORDING_ID, Recipe

HASH = "ab" * 32


def _info(**changes: object) -> PackageInfo:
    fields = {
        "id": PACKAGE_ID,
        "made_at": "2026-11-22T07:19:05Z",
        "force": "Metropolitan Example Constabulary",
        "exhibit": "AB/1",
        "case": "",
        "purpose": "",
        "recipient": "",
        "media": (Medium("data/AB-1.mp4", RECORDING_ID, HASH, 600, "original"),),
    }
    return PackageInfo(**{**fields, **changes})


def test_what_is_written_is_read_again() -> None:
    assert PackageInfo.parse(_info().text().encode()) == _info()
    files = Recipe().files()
    custody, seal = files[bag.CUSTODY], files[bag.SEAL]
    assert isinstance(custody, bytes)
    assert isinstance(seal, bytes)
    assert Custody.parse(custody).text().encode() == custody
    assert Seal.parse(seal).text().encode() == seal
    note = SealNote(PACKAGE_ID, HASH)
    assert SealNote.parse(note.text()) == note


def test_a_manifest_is_in_the_order_of_paths_and_read_again() -> None:
    hashes = {"data/b.mp4": HASH, "data/a b (1).mp4": HASH}
    text = bag.write_manifest(hashes)
    assert text == f"{HASH}  data/a b (1).mp4\n{HASH}  data/b.mp4\n"
    assert bag.read_manifest(text.encode()) == hashes


def test_bag_info_counts_the_payload() -> None:
    assert _info().bag_info({"data/AB-1.mp4": 600, "data/exhibit-label.pdf": 4}) == (
        "Source-Organization: Metropolitan Example Constabulary\n"
        f"External-Identifier: {PACKAGE_ID}\n"
        "Bagging-Date: 2026-11-22\n"
        "Payload-Oxum: 604.2\n"
    )


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        "./a",
        "a\\b",
        "C:a",
        "a:b",
        "nul",
        "data/COM1.mp4",
        "a.",
        "a ",
        " a",
        ".a",
        "é",
        "e\u0301",
        "a\n",
        "a\0b",
        "a%0Ab",
        "a*",
        "a?",
        'a"',
        "a|b",
        "~a",
        "-a",
        "x" * 121,
        "x/" * 120 + "y",
    ],
)
def test_a_path_that_some_system_reads_otherwise_is_refused(path: str) -> None:
    with pytest.raises(PackageError):
        bag.check_path(path)


def test_an_ordinary_path_is_taken() -> None:
    for path in ("a", "data/AB-1 front door.mp4", "data/[1] (2)_#3,4=5@6!&'+.mp4", "x" * 120, "console/nulls.com1"):
        assert bag.check_path(path) == path


def test_paths_that_differ_in_case_or_are_folders_too_are_refused() -> None:
    for paths in (["a/b", "A/B"], ["a", "A/b"], ["a/b/c", "a/B"]):
        with pytest.raises(PackageError):
            bag.check_paths(paths)


@pytest.mark.parametrize("force", ["", "a\nb", "a\u2028b", "\u202eb", "a ", 7, "x" * 1001])
def test_a_text_that_does_not_read_as_one_line_is_refused(force: object) -> None:
    with pytest.raises(PackageError):
        _info(force=force)


def test_documents_have_one_spelling() -> None:
    document = {"b": [1, -7, None, True, "é\n\u2028"], "a": {}}
    content = write_json(document).encode()
    assert content == '{"b":[1,-7,null,true,"é\\n\u2028"],"a":{}}\n'.encode()
    assert read_json(content, "document", 100) == document
    for other in (
        content[:-1],
        content + b" ",
        content.replace(b",", b", "),
        b"[1.0]\n",
        b"[-0]\n",
        b"[9007199254740992]\n",
    ):
        with pytest.raises(FormatError):
            read_json(other, "document", 100)


def test_a_document_may_be_64_deep_and_no_deeper() -> None:
    assert read_json(b"[" * 64 + b"]" * 64 + b"\n", "document", 1000)
    for levels in (65, 100_000):
        with pytest.raises(FormatError):
            read_json(b"[" * levels + b"]" * levels + b"\n", "document", 10**6)


def test_a_document_that_is_too_large_is_refused() -> None:
    with pytest.raises(FormatError, match="larger than 3 bytes"):
        read_json(b"null\n", "document", 3)
