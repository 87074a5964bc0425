"""The papers of a package: label, report and the page to read first say the same, in words that anybody can read."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from bluelamp.sharing.packages.papers import facts, label, read_me, report

BEGAN = datetime(2026, 7, 22, 6, 19, 4, tzinfo=UTC)


def _line(index: int, who: str, what: str, **more) -> facts.Line:
    given = {"tag": "recording.viewed", "reason": "", "withheld": (), "erased": (), "about": ("ABC/1",), **more}
    return facts.Line(index=index, at=BEGAN + timedelta(minutes=index), who=who, what=what, **given)


@pytest.fixture
def papers() -> facts.Papers:
    exhibit = facts.Exhibit(
        reference="ABC/1",
        file="data/ABC-1_BL000123.mp4",
        recording="01a203c3-b743-7083-b47f-dda8e7b83540",
        officer="Łukasz Ngũgĩ (W00081)",
        camera="BL000123 (BW-1)",
        started_at=BEGAN,
        ended_at=BEGAN + timedelta(minutes=42),
        clock="Clock agreed with the dock",
        sha256="9f86d081" * 8,
        size=3 * 2**30,
    )
    return facts.Papers(
        package="01a203c3-aaaa-7083-b47f-dda8e7b83540",
        made_at=BEGAN + timedelta(days=1),
        made_by="Dee Marsh (W00042)",
        force="Bluelamp <Constabulary>",
        case="Lantern (URN 01AB1)",
        purpose="Disclosure to the prosecution",
        recipient="Jo <script>Reid</script>, CPS",
        exhibits=(exhibit,),
        lines=(
            _line(1, "Dock Walworth", "Received, checked against its SHA-256 and sealed."),
            _line(2, "Łukasz Ngũgĩ (W00081)", "Opened to watch.", withheld=("reason",)),
            _line(3, facts.WITHHELD, "An event whose details are withheld.", tag="", withheld=("tag", "actor")),
            _line(4, "Ada Okafor", "2 recordings of others were listed.", tag="footage.listed", withheld=("also",)),
            _line(5, "Ada Okafor", "Note written.", erased=("detail.note",)),
        ),
        size=1234,
        sized_at=BEGAN + timedelta(days=1),
        keys=("bluelamp/test+0000+AAAA",),
        witnesses=("witness.university.example",),
        log_address="https://bodycam.force.example/log/keys",
    )


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def test_the_label_is_one_page_for_each_exhibit(papers):
    assert _pages(label.pdf(papers)) == 1
    two = dataclasses.replace(papers, exhibits=papers.exhibits * 2)
    assert _pages(label.pdf(two)) == 2


def test_names_of_all_of_londons_officers_are_printed_with_their_own_letters(papers, caplog):
    caplog.set_level(logging.WARNING)
    with_greek = dataclasses.replace(papers, recipient="Σωκράτης Παπαδόπουλος, Дарья, Đặng")
    assert label.pdf(with_greek).startswith(b"%PDF-")
    assert report.pdf(with_greek).startswith(b"%PDF-")
    assert "missing" not in caplog.text
    label.pdf(dataclasses.replace(papers, recipient="苦情"))
    assert "missing" in caplog.text  # so that this test would notice


def test_the_report_has_a_line_for_each_event_and_counts_mere_listings(papers):
    assert [line.index for line in papers.told] == [1, 2, 3, 5]
    assert papers.consulted == [("Ada Okafor", 1, papers.lines[3].at, papers.lines[3].at)]
    said = json.loads(report.document(papers))
    assert [event["index"] for event in said["events"]] == [1, 2, 3, 4, 5]
    assert said["events"][1]["withheld"] == ["reason"]
    assert said["events"][4]["erased_by_law"] == ["detail.note"]
    assert (said["fields_withheld"], said["fields_erased_by_law"]) == (4, 1)
    assert "tag" not in said["events"][2]


def test_times_are_londons_with_the_zone_and_utc_beside_them(papers):
    assert facts.london(BEGAN) == "22 Jul 2026, 07:19:04 BST"
    assert json.loads(report.document(papers))["exhibits"][0]["started_at"] == "2026-07-22T06:19:04Z"


def test_the_page_says_how_many_fields_are_withheld_and_runs_no_script(papers):
    page = read_me.page(papers)
    assert "Of these events 4 fields are withheld" in page
    assert "1 field had been erased from the log as the law asks" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "https://bodycam.force.example/log/keys" in page
    assert "witness.university.example" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_a_long_history_takes_pages_and_repeats_its_head(papers):
    lines = tuple(_line(number, "Ada Okafor", f"Watched: part {number}.") for number in range(300))
    pdf = report.pdf(dataclasses.replace(papers, lines=lines))
    assert 10 < _pages(pdf) < 30
