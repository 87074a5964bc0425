"""What the Information Commissioner may ask of a period: DPA 2018 s.62, operation by operation, from the ledger alone.

s.62(2) and (3): of a consultation and of a disclosure the date and time and, so far as possible, who did it, and to
whom something was disclosed. The justification, which the Act asked for until section 82 of the Data (Use and Access)
Act 2025, is kept and reported all the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from bluelamp.custody import words
from bluelamp.custody.event import Operation, registered_types
from bluelamp.custody.models import CustodyCheckpoint
from bluelamp.custody.queries import SELECT_ITEMS, HistoryItem, items, latest_checkpoint, tags_of
from bluelamp.formats.errors import FormatError
from bluelamp.formats.leaf import values
from bluelamp.oversight import rules
from bluelamp.oversight.models import Check, CheckRun, Finding

MOST_LISTED = 200
MOST_TAKEN = 50_000

_COUNTS = "SELECT tag, count(*) FROM custody_event WHERE tag = ANY(%s) AND at >= %s AND at < %s GROUP BY tag"
_STORED = """
SELECT d.actor, d.stored FROM custody_event e JOIN custody_detail d ON d.event_id = e.id
WHERE e.tag = %s AND e.at >= %s AND e.at < %s
"""
_NEWEST = f"{SELECT_ITEMS} WHERE e.tag = ANY(%s) AND e.at >= %s AND e.at < %s ORDER BY e.id DESC LIMIT %s"

# Parts of another consultation that is listed, and reading by the system itself.
_NOT_LISTED = {"recording.range_served", "recording.viewing_closed", "fixity.checked", "store.checked", "keys.checked"}
_NOT_LISTED |= {"check.failing", "check.well_again"}


@dataclass(frozen=True)
class Kind:
    """A type of event, in words, and how many there were."""

    tag: str
    says: str
    count: int


@dataclass(frozen=True)
class Counted:
    """One of the six operations in the period."""

    operation: rules.Operation
    count: int
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Consultations:
    """Openings of footage by what justified them, and by how many people."""

    openings: int
    downloads: int
    people: int
    stated: int
    own_or_case: int
    shared: int


@dataclass(frozen=True)
class Row:
    """One consultation or disclosure as s.62(2) and (3) want it established."""

    operation: str
    event: int
    at: datetime
    actor: str
    who: str
    subject: str
    about: str
    what: str
    justification: str
    recipients: str


@dataclass(frozen=True)
class Checked:
    """What one check did in the period."""

    title: str
    runs: int
    bad: int
    checked: int
    last: datetime | None


@dataclass(frozen=True)
class Report:
    """A period, `until` excluded. `disclosures` are the newest MOST_LISTED, of all as the counts say."""

    since: datetime
    until: datetime
    made_at: datetime
    checkpoint: CustodyCheckpoint | None
    operations: tuple[Counted, ...]
    consultations: Consultations
    disclosures: tuple[Row, ...]
    refusals: tuple[tuple[str, int], ...]
    erasures: tuple[tuple[str, int], ...]
    checks: tuple[Checked, ...]
    findings: int
    verified: int

    @property
    def events(self) -> int:
        return sum(item.count for item in self.operations)

    @property
    def last_day(self) -> datetime:
        return self.until - timedelta(microseconds=1)


def report(since: datetime, until: datetime, now: datetime) -> Report:
    """The report over a period (aware instants, `until` excluded), computed now."""
    counts = _counts(since, until)
    return Report(
        since=since,
        until=until,
        made_at=now,
        checkpoint=latest_checkpoint(),
        operations=tuple(_counted(operation, counts) for operation in rules.OPERATIONS),
        consultations=_consultations(since, until),
        disclosures=tuple(rows(Operation.DISCLOSURE, since, until, MOST_LISTED)),
        refusals=_by_detail("access.refused", "action", since, until),
        erasures=_by_detail("recording.erased", "rule", since, until),
        checks=tuple(_checked(kind, since, until) for kind in Check),
        findings=Finding.objects.filter(ended_at=None, found_at__lt=until).count(),
        verified=counts.get("ledger.verified", 0),
    )


def operations(since: datetime, until: datetime) -> tuple[Counted, ...]:
    """The six operations of a period alone, type by type."""
    counts = _counts(since, until)
    return tuple(_counted(operation, counts) for operation in rules.OPERATIONS)


def rows(operation: Operation, since: datetime, until: datetime, most: int) -> list[Row]:
    """The newest `most` consultations or disclosures of the period, newest first."""
    tags = [tag for tag in tags_of(operation) if tag not in _NOT_LISTED]
    found = items(_NEWEST, [tags, since, until, most])
    ids = {item.actor for item in found} | {item.subject for item in found}
    ids |= {str(item.details["recipient"]) for item in found if item.details.get("recipient")}
    known = words.names(ids)
    return [
        Row(
            operation=item.operation,
            event=item.id,
            at=item.at,
            actor=item.actor,
            who=known[item.actor],
            subject=item.subject,
            about=known[item.subject],
            what=words.describe(item),
            justification=_justification(item),
            recipients=_recipients(item, known),
        )
        for item in found
    ]


def document(found: Report, consultations: list[Row], disclosures: list[Row], force: str) -> dict[str, Any]:
    """The report as plain JSON values, with each consultation and disclosure. Format `bluelamp-s62-report/1`."""
    checkpoint = found.checkpoint
    return {
        "format": "bluelamp-s62-report/1",
        "force": force,
        "period": {"since": _iso(found.since), "until": _iso(found.until)},
        "made_at": _iso(found.made_at),
        "checkpoint": {"size": checkpoint.size, "note": checkpoint.note} if checkpoint else None,
        "operations": {
            item.operation.code: {"events": item.count, "types": {kind.tag: kind.count for kind in item.kinds}}
            for item in found.operations
        },
        "openings": {
            "all": found.consultations.openings,
            "to_download": found.consultations.downloads,
            "people": found.consultations.people,
            "with_a_stated_reason": found.consultations.stated,
            "own_recording_or_role_in_its_case": found.consultations.own_or_case,
            "by_those_it_was_shared_with": found.consultations.shared,
        },
        "refusals": dict(found.refusals),
        "erasures": dict(found.erasures),
        "checks": [
            {"check": item.title, "runs": item.runs, "bad": item.bad, "checked": item.checked} for item in found.checks
        ],
        "findings_standing": found.findings,
        "consultations": [_plain(row) for row in consultations],
        "disclosures": [_plain(row) for row in disclosures],
        "complete": len(consultations) < MOST_TAKEN and len(disclosures) < MOST_TAKEN,
    }


def _plain(row: Row) -> dict[str, Any]:
    return {**vars(row), "at": _iso(row.at)}


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _counts(since: datetime, until: datetime) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(registered_types()), since, until])
        return dict(cursor.fetchall())


def _counted(operation: rules.Operation, counts: Mapping[str, int]) -> Counted:
    kinds = [
        Kind(tag, _says(tag, kind.__doc__ or ""), counts[tag])
        for tag, kind in registered_types().items()
        if kind.operation.value == operation.code and counts.get(tag)
    ]
    kinds.sort(key=lambda kind: (-kind.count, kind.tag))
    return Counted(operation, sum(kind.count for kind in kinds), tuple(kinds))


def _says(tag: str, described: str) -> str:
    """A type of event as its own description begins."""
    sentence = re.split(r"\. |; |: ", " ".join(described.split()))[0].rstrip(".")
    return (sentence or tag).replace("`", "")


def _consultations(since: datetime, until: datetime) -> Consultations:
    people: set[str] = set()
    openings = downloads = stated = own_or_case = shared = 0
    for actor, said in _said("recording.viewed", since, until):
        openings += 1
        people.add(actor)
        downloads += said.get("detail.purpose") == "download"
        if not str(said.get("detail.grant", "person")).startswith("person"):
            shared += 1
        elif said.get("reason"):
            stated += 1
        else:
            own_or_case += 1
    return Consultations(openings, downloads, len(people), stated, own_or_case, shared)


def _by_detail(tag: str, name: str, since: datetime, until: datetime) -> tuple[tuple[str, int], ...]:
    found = Counter(str(said.get(f"detail.{name}") or "not said") for _, said in _said(tag, since, until))
    return tuple((value.replace("_", " ").capitalize(), count) for value, count in found.most_common())


def _said(tag: str, since: datetime, until: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [tag, since, until])
        for actor, stored in cursor:
            try:
                yield actor, values(bytes(stored))
            except FormatError:
                yield actor, {}  # damaged or changed: the verification names it, and it still counts


def _checked(kind: Check, since: datetime, until: datetime) -> Checked:
    runs = list(CheckRun.objects.filter(kind=kind, finished_at__gte=since, finished_at__lt=until))
    return Checked(
        title=kind.label,
        runs=len(runs),
        bad=sum(run.outcome == CheckRun.Outcome.BAD for run in runs),
        checked=sum(run.checked for run in runs),
        last=max((run.finished_at for run in runs), default=None),
    )


def _justification(item: HistoryItem) -> str:
    if item.reason:
        return item.reason
    match item.tag:
        case "recording.viewed" if not str(item.details.get("grant", "person")).startswith("person"):
            return "Shared with them"
        case "recording.viewed":
            return "Own recording, or a role in its case"
        case "access.refused":
            return "Refused"
    return f"For the case with URN {item.details['urn']}" if item.details.get("urn") else ""


def _recipients(item: HistoryItem, known: Mapping[str, str]) -> str:
    """To whom something was disclosed, so far as the event tells."""
    if item.operation != Operation.DISCLOSURE:
        return ""
    recipient = str(item.details.get("recipient") or "")
    match item.tag.partition(".")[0]:
        case "ledger" | "import":
            return known[item.actor]
        case "request":
            return f"Who made it: {known[item.subject]}"
    return known.get(recipient, recipient) or known[item.subject]
