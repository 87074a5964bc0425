"""The end of an import: its verdict, signed, in the ledger, and in files for people to keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bluelamp import custody
from bluelamp.custody import keys
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.formats.import_report import STATES, ImportReport, sign_import_report
from bluelamp.ingest import receipts
from bluelamp.ingest.imports import listing, queries, rules
from bluelamp.ingest.imports.events import ImportFinished, ImportListingTaken, ImportProblemsFound
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import Invalid

_LONGEST_NOTE = 2000
_MOST_NOTES = 10_000
_FILES = ("files", "file ")


@custody.service
def finish(run: ImportRun) -> None:
    """Judge the run, sign its report, and say so in the ledger."""
    standing = queries.standing(run, finishing=True)
    figures, verdict = standing.figures, standing.verdict
    digest, size = hashlib.sha256(), 0
    for line in listing.lines(queries.every(run.items.all())):
        digest.update(line)
        size += len(line)
    run.finished_at = run.moved_at = clock.now()
    report = ImportReport(
        instance=keys.log_origin(),
        run=run.pk,
        kind=run.kind,
        source=run.source,
        machine=run.machine,
        manifest_sha256=run.manifest_sha256,
        started_at=iso8601.to_text(run.started_at),
        finished_at=iso8601.to_text(run.finished_at),
        files={state: figures.count(state).files for state in STATES},
        bytes={state: figures.count(state).bytes for state in STATES},
        proven_files=figures.here.proven_files,
        proven_bytes=figures.here.proven_bytes,
        complete=verdict.may_delete,
        verdict=verdict.sentence,
        notes=tuple(str(note)[:_LONGEST_NOTE] for note in run.notes[:_MOST_NOTES]),
        listing_sha256=digest.hexdigest(),
        listing_bytes=size,
    )
    run.report = sign_import_report(report, keys.receipt_key(), receipts.key_name())
    run.state = ImportRun.State.COMPLETE if verdict.may_delete else ImportRun.State.INCOMPLETE
    run.save(update_fields=["report", "state", "finished_at", "moved_at"])
    problems = {state: figures.count(state).files for state in map(str, ImportItem.PROBLEMS)}
    if any(problems.values()):
        custody.record(
            ImportProblemsFound(
                actor=run.custody_id, subject=run.custody_id, listing_sha256=report.listing_sha256, **problems
            )
        )
    custody.record(
        ImportFinished(
            actor=run.custody_id,
            subject=run.custody_id,
            complete=verdict.may_delete,
            verdict=verdict.sentence,
            files=figures.files,
            bytes=figures.bytes,
            imported=figures.count("imported").files,
            duplicates=figures.count("duplicate").files,
            proven_files=figures.here.proven_files,
            proven_bytes=figures.here.proven_bytes,
            listing_sha256=report.listing_sha256,
        )
    )


@custody.service
def listing_taken(run: ImportRun, *, by: str) -> None:
    """Say that somebody takes the list of a run's files."""
    custody.record(ImportListingTaken(actor=by, subject=run.custody_id, files=run.items.count()))


@custody.unrecorded("writes files that say what the ledger says")
def write_report(run: ImportRun, stem: Path) -> list[Path]:
    """Write the signed report (`.json`), the list of all files (`.csv`) and a summary to read (`.txt`).

    Raises Invalid where they cannot be written.
    """
    paths = [stem.with_name(stem.name + ending) for ending in (".json", ".csv", ".txt")]
    try:
        paths[0].write_text(json.dumps(run.report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        with paths[1].open("wb") as file:
            file.writelines(listing.lines(queries.every(run.items.all())))
        with paths[2].open("w", encoding="utf-8") as text:
            text.writelines(f"{line}\n" for line in _summary(run))
    except OSError as error:
        raise Invalid(
            f"The report cannot be written to {stem.parent}: {error.strerror or error}.",
            "The import itself is finished, and its report is kept in the database.",
            "Run the command again with --report and a place that can be written to.",
        ) from error
    return paths


@custody.unrecorded("part of a recording's deletion, which is recorded")
def forget(recordings: Sequence[Recording]) -> None:
    """Clear the names and facts of the files of recordings that are deleted; that there were such files stays."""
    of_them = ImportItem.objects.filter(recording__in=among(recording.pk for recording in recordings))
    of_them.update(path="", raw=None, facts={}, sentence="")


def _summary(run: ImportRun) -> Iterator[str]:
    standing = queries.standing(run, finishing=True)
    yield f"Import {run.pk} of {run.source} on {run.machine}"
    yield f"{run.get_kind_display()}; begun {run.started_at:%Y-%m-%d %H:%M} UTC by {run.started_by}"
    yield ""
    yield standing.verdict.sentence
    yield ""
    for state, label in ImportItem.State.choices:
        count = standing.figures.count(state)
        if count.files:
            yield f"{label + ':':24}{count.files:>12,} {_FILES[count.files == 1]} {count.bytes:>20,} bytes"
    here = standing.figures.here
    read_back = _FILES[here.proven_files == 1]
    yield f"{'Read back here:':24}{here.proven_files:>12,} {read_back} {here.proven_bytes:>20,} bytes"
    yield ""
    for remark in rules.remarks(queries.showing(run)):
        yield remark
        yield ""
    problems, duplicates = (
        queries.items(run, state="problems"),
        queries.items(run, state="duplicate").exclude(queries.DAMAGED),
    )
    others = queries.items(run, state="nothing").exclude(state=ImportItem.State.DUPLICATE)
    unused = queries.items(run, state="unused").exclude(pk__in=others.values("pk"))
    for found in (problems, duplicates, others, unused):
        for items in queries.chunks(found):
            why = queries.reasons(items)
            for item in items:
                said = (f"{item.get_state_display()}: {item.path or listing.FORGOTTEN}.", item.sentence)
                yield " ".join(filter(None, (*said, why.get(item.recording))))
