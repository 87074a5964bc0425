"""Lists, bags and camera folders are read strictly; what cannot be relied on stops the import, by name and line."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.ingest.imports import bagit_manifest, csv_manifest, moments
from bluelamp.ingest.imports.entries import key_of, plain_hash, plain_path, shown
from bluelamp.ingest.imports.errors import ManifestUnreadable
from tests.imports.sources import LONDON, fill, sha256

GOOD = sha256(b"one")


def read(text: str | bytes) -> list:
    data = text.encode() if isinstance(text, str) else text
    return csv_manifest.read(data, "list.csv", LONDON).entries


@pytest.mark.parametrize(
    "text",
    [
        f"File Path,SHA-256,Size\na/b.mp4,{GOOD},3\n",
        f"﻿filename;Checksum;Bytes\na\\b.mp4;{GOOD.upper()};3\n",
        f"path\tsha256 hash\tfile size (bytes)\n./a/b.mp4\tsha256:{GOOD}\t3\n",
        f"NAME|hash|length\na//b.mp4|{GOOD}|3\n\n",
    ],
)
def test_columns_and_separators_are_found_however_they_are_called(text: str) -> None:
    (entry,) = read(text)
    assert (entry.path, entry.hashes, entry.size) == ("a/b.mp4", {"sha256": GOOD}, 3)


def test_a_location_is_the_place_and_not_the_file() -> None:
    for head, row in (("Location,File name", "77 Quarry Lane,v.mp4"), ("File,Location", "v.mp4,77 Quarry Lane")):
        (entry,) = read(f"{head}\n{row}\n")
        assert (entry.path, entry.facts["place"]) == ("v.mp4", "77 Quarry Lane")


def test_lists_as_spreadsheets_save_them_are_read() -> None:
    text = "file,officer\ncafé.mp4,O’Brien\n"
    for encoding in ("utf-8", "utf-16", "cp1252"):
        (entry,) = read(text.encode(encoding))
        assert (entry.path, entry.facts["officer"]) == ("café.mp4", "O’Brien")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "its first line must name the columns"),
        ("who,when\nx,y\n", "it says: who, when"),
        ("file,size\n", "it lists no file"),
        ("file,sha256\na.mp4,xyz\n", "line 2: xyz is no sha256 hash"),
        (f"file,md5\na.mp4,{GOOD}\n", "is no md5 hash"),
        ("file,size\na.mp4,many\n", "line 2: many is no size in bytes"),
        ("file,size\na.mp4,1\n,2\n", "line 3 names no file"),
        ("file,size\na.mp4,1\na.mp4,2\n", "lines 2 and 3 say different things about a.mp4"),
        ("file\na.mp4,1\n", "line 2 has 2 fields"),
        ('file,size\n"a.mp4,1\n', "no proper CSV"),
        (b"file\n\x00\x01\x02.mp4\n", "it is no text"),
    ],
)
def test_a_list_that_cannot_be_relied_on_is_refused_by_name_and_line(text: str | bytes, said: str) -> None:
    with pytest.raises(ManifestUnreadable, match="list.csv cannot be read") as caught:
        read(text)
    assert said in str(caught.value)
    assert "Do not delete the source" in str(caught.value)


@given(st.binary(max_size=300))
def test_whatever_a_list_holds_it_is_read_or_refused(data: bytes) -> None:
    for text in (data, b"file,sha256,size,recorded,duration\n" + data):
        try:
            csv_manifest.read(text, "list.csv", LONDON)
        except ManifestUnreadable:
            pass


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "C:\\x", "c:/x", "", " ", ".", "a\0b"])
def test_a_path_that_leads_out_is_none(path: str) -> None:
    with pytest.raises(ValueError):
        plain_path(path)


def test_hashes_are_told_by_their_length() -> None:
    assert plain_hash("d41d8cd98f00b204e9800998ecf8427e")[0] == "md5"
    assert plain_hash(f"SHA-256:{GOOD}") == ("sha256", GOOD)


def test_a_path_is_known_however_its_accents_are_spelled() -> None:
    assert key_of("café") == key_of("cafe\u0301")
    assert shown("a\n\udce9") == "a\\n\\xe9"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-22T06:19:05Z", datetime(2026, 7, 22, 6, 19, 5, tzinfo=UTC)),
        ("2026-07-22 07:19:05", datetime(2026, 7, 22, 6, 19, 5, tzinfo=UTC)),
        ("22/07/2026 07:19", datetime(2026, 7, 22, 6, 19, tzinfo=UTC)),
        ("1784701145", datetime(2026, 7, 22, 6, 19, 5, tzinfo=UTC)),
        ("31/02/2026", None),
        ("0001-01-01", None),
        ("soon", None),
    ],
)
def test_times_are_read_as_british_systems_write_them(text: str, moment: datetime | None) -> None:
    assert moments.read_moment(text, LONDON) == moment


def test_lengths_are_read_as_clocks_and_as_seconds() -> None:
    assert moments.read_length("1:02:03") == timedelta(hours=1, minutes=2, seconds=3)
    assert moments.read_length("93.5") == timedelta(seconds=93.5)
    assert moments.read_length("-1") is None


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def test_a_video_tells_when_it_was_made() -> None:
    made = int((datetime(2026, 7, 22, tzinfo=UTC) - datetime(1904, 1, 1, tzinfo=UTC)).total_seconds())
    numbers = (made, made, 1000, 90_000)
    header = box(b"mvhd", b"\0" * 4 + b"".join(number.to_bytes(4, "big") for number in numbers))
    video = box(b"ftyp", b"isom") + box(b"mdat", b"x" * 100) + box(b"moov", header)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    found = moments.in_mp4(io.BytesIO(video), len(video), now)
    assert found == (datetime(2026, 7, 22, tzinfo=UTC), timedelta(seconds=90))
    assert moments.in_mp4(io.BytesIO(video), len(video), datetime(2020, 1, 1, tzinfo=UTC)) is None


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_its_time_is_read_or_none(data: bytes) -> None:
    for video in (data, box(b"ftyp", b"isom") + data, box(b"moov", box(b"mvhd", data))):
        moments.in_mp4(io.BytesIO(video), len(video), datetime(2026, 11, 22, tzinfo=UTC))


def bag(folder: Path, **more: bytes) -> None:
    fill(folder, {"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "data/a%.mp4": b"one"})
    lines = f"{GOOD}  data/a%25.mp4\n{sha256(b'two')} *data/b.mp4\n"
    fill(
        folder, {"manifest-sha256.txt": lines.encode(), **{name.replace("_", "."): data for name, data in more.items()}}
    )


def test_a_bag_tells_its_files_and_where_it_comes_from(tmp_path: Path) -> None:
    bag(tmp_path)
    fill(tmp_path, {"bag-info.txt": b"Source-Organization: South\n  Yorkshire\nPayload-Oxum: 6.2\n"})
    found = bagit_manifest.read(tmp_path)
    assert {entry.path for entry in found.entries} == {"data/a%.mp4", "data/b.mp4"}
    assert found.described["bag"]["Source-Organization"] == "South Yorkshire"
    assert found.notes == ["The bag says that it has 2 files of 6 bytes in all; there are 1 of 3 bytes."]


def test_a_bag_whose_list_was_changed_is_refused(tmp_path: Path) -> None:
    bag(tmp_path)
    fill(tmp_path, {"tagmanifest-sha256.txt": f"{sha256(b'as it was')} manifest-sha256.txt\n".encode()})
    with pytest.raises(ManifestUnreadable, match="not what tagmanifest-sha256.txt"):
        bagit_manifest.read(tmp_path)
