"""`bluelamp import`: footage from a folder, a camera or another system's export, reconciled file by file.

Exit code 0: every file is here and proven, the source may be deleted. 1: it may not. Others: nothing could be done.
"""

from __future__ import annotations

import dataclasses
import getpass
import json as json_module
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bluelamp.cli import installation_ready
from bluelamp.kernel.errors import Invalid

if TYPE_CHECKING:
    from bluelamp.ingest.imports.queries import Standing
    from bluelamp.ingest.models import ImportRun

INCOMPLETE = 1
_MOST_SHOWN = 20


def import_footage(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="DIR_OR_MANIFEST", help="A folder, a camera, a bag, or a CSV list of files."),
    ] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", help="The CSV list, where it is not in DIR.")] = None,
    base: Annotated[Path | None, typer.Option("--base", help="The folder that the list's paths begin from.")] = None,
    extra: Annotated[bool, typer.Option("--extra", help="Import files that the manifest does not name, too.")] = False,
    unit: Annotated[str, typer.Option("--unit", help="Code of the unit of footage that names none.")] = "",
    keep_days: Annotated[
        int, typer.Option("--keep-days", min=0, help="Keep each recording at least so many days from now.")
    ] = 0,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Of times in the manifest that do not say theirs.")
    ] = "Europe/London",
    new: Annotated[bool, typer.Option("--new", help="Begin anew although the last import is incomplete.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Where to write the report; else beside the source.")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Show where imports stand, and take nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.")] = None,
) -> None:
    """Import footage and prove that all of it is here. Run the same command again after an interruption.

    The source is only read. Exit code 0: complete, the source may be deleted. 1: incomplete, keep it.
    """
    installation_ready(data)
    if status:
        raise typer.Exit(_show_status(source, json))
    if source is None:
        raise Invalid("Say what to import.", "Nothing was imported.", "For instance: bluelamp import /media/export")
    from bluelamp.ingest.imports import queries, services, sources

    found = sources.look(source, manifest, base, _zone(time_zone))
    options = services.Options(extra=extra, unit=unit, keep_days=keep_days)
    try:
        with _progress(quiet=json) as told:
            run = services.import_source(found, options, by=_who(), anew=new, progress=told)
    except KeyboardInterrupt:
        typer.echo(
            "Stopped. What was imported is safe; run the same command to go on. Do not delete the source.", err=True
        )
        raise typer.Exit(INCOMPLETE) from None
    standing = queries.standing(run)
    paths = services.write_report(run, _stem(report, found.base, run))
    _show(standing, paths, as_json=json)
    raise typer.Exit(0 if standing.verdict.may_delete else INCOMPLETE)


def _stem(report: Path | None, base: Path, run: ImportRun) -> Path:
    """Name of the report's files without their endings: beside the source, never in it."""
    name = f"{base.name or 'source'}.import-{run.pk}"
    if report is not None:
        return report / name if report.is_dir() else report.with_suffix("") if report.suffix == ".json" else report
    return (base.parent if os.access(base.parent, os.W_OK) and base.parent != base else Path.cwd()) / name


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(f"There is no time zone {name}.", "Nothing was imported.", "Try Europe/London or UTC.") from error


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user} on {socket.gethostname()}"


class _progress(Progress):
    """One bar for what is being done just now; the services' Progress."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        super().__init__(*columns, console=Console(stderr=True), disable=quiet)
        self._bars: dict[str, Any] = {}

    def __call__(self, doing: str, done: int, total: int) -> None:
        if doing not in self._bars:
            self._bars[doing] = self.add_task(doing, total=total or None)
        self.update(self._bars[doing], completed=done, total=total or None)


def _show(standing: Standing, paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_module.dumps({**_plain(standing), "report": [str(path) for path in paths]}))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(_table(standing))
    _print_verdict(console, standing)
    _print_remarks(console, standing)
    console.print(f"Signed report: {paths[0]}\nEvery file: {paths[1]}\nTo read: {paths[2]}", markup=False)


def _show_status(source: Path | None, as_json: bool) -> int:
    """Where the imports of one source stand, or all of them. Returns 0 where the latest of each is complete."""
    from bluelamp.ingest.imports import queries
    from bluelamp.ingest.imports.entries import shown

    found = queries.runs()
    if source is not None:
        # A list stands for the folder that it lies in; a folder only for itself.
        place = source.resolve()
        found = found.filter(source=shown(str(place.parent if place.is_file() else place)))
    standings = [queries.standing(run) for run in found[:_MOST_SHOWN]]
    if as_json:
        typer.echo(json_module.dumps([_plain(each) for each in standings]))
    elif not standings:
        typer.echo("There has been no import." if source is None else f"There has been no import of {source}.")
    console = Console(highlight=False, soft_wrap=True)
    for each in [] if as_json else standings:
        run = each.run
        console.print(
            f"Import {run.pk} of {run.source} on {run.machine}: {run.get_state_display()}, "
            f"begun {run.started_at:%Y-%m-%d %H:%M}, last moved {run.moved_at:%Y-%m-%d %H:%M} (UTC)",
            markup=False,
        )
        _print_verdict(console, each)
        _print_remarks(console, each)
    left_out = found.count() - len(standings)
    if left_out and not as_json:
        typer.echo(f"And {left_out:,} earlier ones: give a folder to see its own, or look at Fleet, Imports.")
    # Of one source its latest import counts: a mended list makes a new one. Of all, each source's latest.
    latest = {each.run.source: each for each in reversed(standings)}
    return 0 if latest and all(each.verdict.may_delete for each in latest.values()) else INCOMPLETE


def _print_verdict(console: Console, standing: Standing) -> None:
    console.print(standing.verdict.sentence, style="green" if standing.verdict.may_delete else "bold red", markup=False)


def _print_remarks(console: Console, standing: Standing) -> None:
    from bluelamp.ingest.imports import queries, rules

    for remark in rules.remarks(queries.showing(standing.run)):
        console.print(remark, markup=False)


def _table(standing: Standing) -> Table:
    from bluelamp.ingest.models import ImportItem

    table = Table(title=f"Import {standing.run.pk}", title_justify="left")
    for heading in ("State", "Files", "Bytes at source", "Read back here"):
        table.add_column(heading, justify="left" if heading == "State" else "right")
    for state, label in ImportItem.State.choices:
        count = standing.figures.count(state)
        if count.files:
            table.add_row(str(label), f"{count.files:,}", f"{count.bytes:,}", f"{count.proven_files:,}")
    return table


def _plain(standing: Standing) -> dict[str, Any]:
    from bluelamp.ingest.imports import queries

    figures, run = standing.figures, standing.run
    return {
        "run": run.pk,
        "source": run.source,
        "kind": run.kind,
        "state": run.state,
        "files": {state: count.files for state, count in figures.states.items()},
        "bytes": {state: count.bytes for state, count in figures.states.items()},
        "proven_files": figures.here.proven_files,
        "proven_bytes": figures.here.proven_bytes,
        **dataclasses.asdict(queries.showing(run)),
        "may_delete": standing.verdict.may_delete,
        "verdict": standing.verdict.sentence,
    }
