"""The exhibit label: a page for each recording, as police label what is produced in court, to print and to sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluelamp.sharing.packages.papers.facts import ELSEWHERE, Exhibit, Papers, london, utc

if TYPE_CHECKING:  # loading it costs a third of a web process's start
    from bluelamp.sharing.packages.papers.pdf import Paper

_HANDS = ("Name, rank and number", "Signature", "Date and time", "Where it went and why")
_ROWS = 6


def pdf(papers: Papers) -> bytes:
    """exhibit-label.pdf."""
    from bluelamp.sharing.packages.papers.pdf import Paper

    paper = Paper("Exhibit label", papers.force, f"Package {papers.package}", papers.made_at)
    for number, exhibit in enumerate(papers.exhibits):
        if number:
            paper.add_page()
        _page(paper, papers, exhibit)
    return bytes(paper.output())


def _page(paper: Paper, papers: Papers, exhibit: Exhibit) -> None:
    paper.title_line(f"Exhibit {exhibit.reference}" if exhibit.reference else "Exhibit ____________________")
    paper.facts(
        [
            ("Description", "Video footage" if exhibit.camera == ELSEWHERE else "Recording of a body-worn camera"),
            ("Force", papers.force),
            ("Case", papers.case),
            ("Recorded by", exhibit.officer),
            ("Begins", f"{london(exhibit.started_at)} ({utc(exhibit.started_at)})"),
            ("Ends", f"{london(exhibit.ended_at)} ({utc(exhibit.ended_at)})"),
            ("Camera", exhibit.camera),
            ("Clock", exhibit.clock),
            ("File", exhibit.file),
            ("Size", f"{exhibit.size:,} bytes"),
            ("SHA-256", f"{exhibit.sha256[:32]}\n{exhibit.sha256[32:]}"),
            ("Recording", exhibit.recording),
            ("Put together", f"{london(papers.made_at)}, at the request of {papers.made_by}"),
            ("For", f"{papers.recipient} ({papers.purpose})"),
        ]
    )
    paper.section("Identified and signed by")
    paper.grid(
        (58, 44, 32, 40), [["", "", "", ""]] * 2, head=("Name, rank and number", "Signature", "Date", "Court"), height=8
    )
    paper.section("Continuity: every hand that it passes through signs")
    paper.grid((50, 38, 36, 50), [["", "", "", ""]] * _ROWS, head=_HANDS, height=8)
