"""The custody report: what happened to the recordings, in sentences that a juror can follow, and the same as JSON."""

from __future__ import annotations

from typing import Any

from bluelamp.formats.package_json import write_json
from bluelamp.sharing.packages.papers.facts import Line, Papers, field_words, london, utc
from bluelamp.web import filters

FORMAT = "bluelamp-custody-report-1"

WHAT_IT_IS = (
    "This report tells what happened to the recordings in this package since the force received them: who did what, "
    "when, and why where that may be told. Each line was written by the system at the moment itself, in the same step "
    "as what it tells of, and bears the number under which it stands in the force's log. Nobody, the force included, "
    "can change, remove or add a line afterwards without the check of this package failing. Open verify.html to check."
)
WHAT_IT_IS_NOT = (
    "It does not say what is to be seen in the footage, and it does not prove that the camera showed the truth. It "
    "holds every event about these recordings up to the point named above; what came later is not in it."
)


def pdf(papers: Papers) -> bytes:
    """custody-report.pdf."""
    # Loading it costs a third of a web process's start.
    from bluelamp.sharing.packages.papers.pdf import Paper

    paper = Paper("Custody report", papers.force, f"Package {papers.package}", papers.made_at)
    paper.title_line("Custody report")
    paper.paragraph(WHAT_IT_IS)
    paper.facts(
        [
            ("Force", papers.force),
            ("Case", papers.case),
            ("For", f"{papers.recipient} ({papers.purpose})"),
            ("Put together", f"{london(papers.made_at)} ({utc(papers.made_at)}), at the request of {papers.made_by}"),
            ("Events", _count(papers)),
            ("As it stood", f"{london(papers.sized_at)}, when the log held {papers.size:,} events"),
            ("Witnesses", _witnesses(papers)),
        ]
    )
    paper.paragraph(WHAT_IT_IS_NOT)
    for exhibit in papers.exhibits:
        paper.section(f"Exhibit {exhibit.reference}" if exhibit.reference else "Recording")
        paper.facts(
            [
                ("File", exhibit.file),
                ("Recorded by", exhibit.officer),
                ("Recorded", f"{london(exhibit.started_at)} to {london(exhibit.ended_at)}"),
                ("In UTC", f"{utc(exhibit.started_at)} to {utc(exhibit.ended_at)}"),
                ("Camera", exhibit.camera),
                ("SHA-256", f"{exhibit.sha256[:32]}\n{exhibit.sha256[32:]}"),
            ]
        )
    paper.section("What happened, in order")
    paper.paragraph("Times are those of London. The number is that of the entry in the log.", size=8.5)
    rows = [[f"{line.index:,}", _when(line), line.who, _said(line, len(papers.exhibits) > 1)] for line in papers.told]
    paper.grid((16, 31, 41, 86), rows, head=("No.", "When", "Who", "What"), size=8)
    if papers.consulted:
        paper.section("Who was shown facts about these recordings, without their pictures")
        paper.paragraph(
            "In lists and on pages: the time, the camera, the officer. One by one they stand in custody.json."
        )
        rows = [[who, f"{times:,}", london(first), london(last)] for who, times, first, last in papers.consulted]
        paper.grid((66, 18, 45, 45), rows, head=("Who", "Times", "First", "Last"), size=8)
    paper.section("What is withheld, and why")
    paper.paragraph(withheld_words(papers))
    return bytes(paper.output())


def document(papers: Papers) -> str:
    """custody-report.json."""
    return write_json(
        {
            "format": FORMAT,
            "package": papers.package,
            "made_at": utc(papers.made_at),
            "requested_by": papers.made_by,
            "force": papers.force,
            "case": papers.case,
            "purpose": papers.purpose,
            "recipient": papers.recipient,
            "checkpoint_size": papers.size,
            "checkpoint_at": utc(papers.sized_at),
            "fields_withheld": papers.withheld,
            "fields_erased_by_law": papers.erased,
            "exhibits": [
                {
                    "exhibit": exhibit.reference,
                    "file": exhibit.file,
                    "recording": exhibit.recording,
                    "recorded_by": exhibit.officer,
                    "camera": exhibit.camera,
                    "started_at": utc(exhibit.started_at),
                    "ended_at": utc(exhibit.ended_at),
                    "clock": exhibit.clock,
                    "sha256": exhibit.sha256,
                    "size": exhibit.size,
                }
                for exhibit in papers.exhibits
            ],
            "events": [_entry(line) for line in papers.lines],
        }
    )


def withheld_words(papers: Papers) -> str:
    """How many fields are not told, and why."""
    said = (
        f"Of these events {filters.count(papers.withheld, 'field is', 'fields are')} withheld. "
        "They name people outside the force who have nothing to do with this package, other cases, requests and "
        "recordings, or are reasons in somebody's own words. In place of each stands its commitment: a code from which "
        "it cannot be read, and against which it can be checked, should a court order the force to open it."
    )
    if papers.erased:
        said += f" Besides, {filters.count(papers.erased, 'field')} had been erased from the log as the law asks."
    return said


def _entry(line: Line) -> dict[str, Any]:
    said: dict[str, Any] = {"index": line.index, "at": utc(line.at), "who": line.who, "what": line.what}
    if line.tag:
        said["tag"] = line.tag
    if line.about:
        said["exhibits"] = list(line.about)
    if line.reason:
        said["reason"] = line.reason
    if line.withheld:
        said["withheld"] = list(line.withheld)
    if line.erased:
        said["erased_by_law"] = list(line.erased)
    return said


def _said(line: Line, several: bool) -> str:
    if not line.tag:
        return line.what
    text = f"{', '.join(line.about)}: {line.what}" if several and line.about else line.what
    if line.reason:
        text += f" Reason given: {line.reason}"
    elif "reason" in line.withheld:
        text += " The reason given is withheld."
    if others := [field_words(name) for name in line.withheld if name not in ("reason", "actor", "tag")]:
        text += f"\nWithheld: {', '.join(others)}."
    if line.erased:
        text += f"\nErased by law: {', '.join(map(field_words, line.erased))}."
    return text


def _when(line: Line) -> str:
    return london(line.at).replace(", ", "\n")


def _count(papers: Papers) -> str:
    said = f"{len(papers.lines):,}, all of which stand in the log"
    return f"{said}; {filters.count(papers.withheld, 'field')} withheld (see the end)" if papers.withheld else said


def _witnesses(papers: Papers) -> str:
    if not papers.witnesses:
        return "None: no independent party has confirmed this state of the log"
    return f"{', '.join(papers.witnesses)} confirmed independently that they saw the log in this state"
