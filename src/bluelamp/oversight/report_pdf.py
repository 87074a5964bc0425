"""The report for the Commissioner on paper: what its page shows, on A4, to be sent or filed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bluelamp.oversight.queries.report import MOST_LISTED, Consultations, Report
from bluelamp.oversight.rules import LONDON
from bluelamp.sharing.packages.papers.facts import london, utc
from bluelamp.web.filters import count, number

if TYPE_CHECKING:  # loading it costs a third of a web process's start
    from bluelamp.sharing.packages.papers.pdf import Paper

_KINDS = 8

CONSULTATION = (
    "Each opening is logged with date, time, person and, where one must be given, the reason. Since section 82 of the "
    "Data (Use and Access) Act 2025 the Act no longer asks for a justification; it is kept here all the same."
)
USE = (
    "These logs may be used only to verify that processing is lawful, for self-monitoring and discipline, for the "
    "integrity and security of the data, and for criminal proceedings (s.62(4)). They are made available to the "
    "Commissioner on request (s.62(5))."
)


def pdf(report: Report, force: str) -> bytes:
    """The report as a PDF file; of disclosures the newest MOST_LISTED, as it says."""
    from bluelamp.sharing.packages.papers.pdf import Paper

    period = f"{_day(report.since)} to {_day(report.last_day)}"
    paper = Paper("Report for the Commissioner", force, f"Section 62, {period}", report.made_at)
    paper.title_line("Report for the Commissioner")
    paper.paragraph("Data Protection Act 2018, section 62: the logs of a period, from the ledger alone.")
    paper.facts(
        [
            ("Controller", force),
            ("Period", f"{period}, London days"),
            ("Made", f"{london(report.made_at)} ({utc(report.made_at)})"),
            ("Ledger", _ledger(report)),
        ]
    )
    _operations(paper, report)
    _consultations(paper, report.consultations)
    _disclosures(paper, report)
    _refusals(paper, report)
    _integrity(paper, report)
    paper.paragraph(USE)
    return bytes(paper.output())


def _operations(paper: Paper, report: Report) -> None:
    paper.section("The six operations, s.62(1)")
    rows = []
    for item in report.operations:
        kinds = [f"{kind.says}: {number(kind.count)}" for kind in item.kinds[:_KINDS]]
        if len(item.kinds) > _KINDS:
            kinds.append(f"and {count(len(item.kinds) - _KINDS, 'other type')}")
        name = f"({item.operation.letter}) {item.operation.code.capitalize()}"
        rows.append([name, "; ".join(kinds) or "None", number(item.count)])
    paper.grid((34, 118, 22), rows, head=("Operation", "Most of them", "Events"))


def _consultations(paper: Paper, seen: Consultations) -> None:
    paper.section("Consultation of footage, s.62(2)")
    paper.paragraph(CONSULTATION)
    together = f"{count(seen.people, 'person', 'people')}, {number(seen.downloads)} of them to take a copy"
    rows = [
        ["A stated reason", number(seen.stated)],
        ["Own recording, or a role in its case: no reason is asked", number(seen.own_or_case)],
        ["It was shared with them", number(seen.shared)],
        [f"Together, by {together}", number(seen.openings)],
    ]
    paper.grid((152, 22), rows, head=("Justification", "Openings"))


def _disclosures(paper: Paper, report: Report) -> None:
    paper.section("Disclosure, s.62(3)")
    if not report.disclosures:
        paper.paragraph("Nothing was disclosed in this period.")
        return
    rows = [
        [
            number(row.event),
            london(row.at).replace(", ", "\n"),
            row.who,
            row.what,
            row.recipients,
            row.justification or "None given",
        ]
        for row in report.disclosures
    ]
    head = ("Event", "When", "By", "What", "To", "Justification")
    paper.grid((19, 28, 28, 40, 32, 27), rows, head=head, size=7.5)
    if len(report.disclosures) >= MOST_LISTED:
        paper.paragraph(f"The newest {MOST_LISTED} are listed. The report as JSON or CSV has all of them.")


def _refusals(paper: Paper, report: Report) -> None:
    for title, head, found, nothing in (
        ("Refused", ("What was asked for", "Times"), report.refusals, "Nobody was refused anything in this period."),
        ("Erased", ("Under which rule", "Recordings"), report.erasures, "Nothing was erased in this period."),
    ):
        paper.section(title)
        if found:
            paper.grid((152, 22), [[what, number(times)] for what, times in found], head=head)
        else:
            paper.paragraph(nothing)


def _integrity(paper: Paper, report: Report) -> None:
    paper.section("Integrity")
    rows = [
        [item.title, number(item.runs), number(item.bad), number(item.checked), london(item.last) if item.last else "–"]
        for item in report.checks
    ]
    head = ("Check", "Runs", "Found something wrong", "Looked at", "Last")
    paper.grid((56, 16, 30, 24, 48), rows, head=head)
    stand = count(report.findings, "finding stands", "findings stand") if report.findings else "No finding stands"
    verified = count(report.verified, "time")
    paper.paragraph(f"{stand} open. The ledger was verified {verified} in this period, by a person or by itself.")


def _ledger(report: Report) -> str:
    if report.checkpoint is None:
        return "No checkpoint yet"
    signed = london(report.checkpoint.created_at)
    root = bytes(report.checkpoint.root).hex()
    return (
        f"{number(report.checkpoint.size)} events under the checkpoint signed {signed}\nRoot {root[:32]}\n{root[32:]}"
    )


def _day(moment: datetime) -> str:
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%b %Y}"
