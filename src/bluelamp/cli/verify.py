"""`bluelamp verify`: is a package what the force made? An import's report? This installation's ledger? A log elsewhere?

Exit code 0: it is. 1: evidence of tampering. 2: cannot tell.
"""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def verify(
    package: Annotated[
        Path | None, typer.Argument(help="A package (ZIP), or an import's signed report (JSON).", show_default=False)
    ] = None,
    database: Annotated[bool, typer.Option("--database", help="Check the ledger of this installation.")] = False,
    deleted: Annotated[
        str,
        typer.Option("--deleted", help="Search for what is left of a deleted recording, by its id or certificate's."),
    ] = "",
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            help="The published key: of the log (C2SP vkey; may be repeated), or for a report of receipts (base64).",
            show_default=False,
        ),
    ] = None,
    note: Annotated[
        Path | None, typer.Option("--note", help="With --database: a checkpoint that was kept.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    follow: Annotated[str, typer.Option("--follow", help="Watch the log at this address, such as …/log.")] = "",
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", help="Key of a witness, VKEY or URL=VKEY; may be repeated.", show_default=False),
    ] = None,
    timestamp_certificate: Annotated[
        list[Path] | None,
        typer.Option(
            "--timestamp-certificate",
            help="Certificate (PEM) of a time-stamping authority: checks the package's timestamp. May be repeated.",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="With --follow: where it remembers what it saw.", show_default=False)
    ] = None,
    every: Annotated[float, typer.Option("--every", help="With --follow: seconds between two looks.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="With --follow: look once and end.")] = False,
    entries: Annotated[
        bool, typer.Option("--entries/--no-entries", help="With --follow: read every entry and rebuild the tree.")
    ] = True,
    stall_minutes: Annotated[
        float, typer.Option("--stall-minutes", help="With --follow: alarm when the log has not grown for so long.")
    ] = 1440.0,
    cosign_minutes: Annotated[
        float, typer.Option("--cosign-minutes", help="With --follow: alarm when a cosignature is missing for so long.")
    ] = 15.0,
    on_alarm: Annotated[
        str, typer.Option("--on-alarm", help="With --follow: command to run, with the alarm on its standard input.")
    ] = "",
) -> None:
    """Verify a package, an import's report, this installation's custody ledger, or a log at an address.

    Exit code 0: good. 1: evidence of tampering or damage. 2: cannot tell.
    """
    console = Console()
    keys, witnesses = key or [], witness or []
    if follow:
        from bluelamp.cli import follow as monitor

        limits = monitor.Limits(every, once, entries, stall_minutes, cosign_minutes)
        raise typer.Exit(monitor.run(follow, keys, witnesses, state, limits, json=json, on_alarm=on_alarm))
    if package is not None and _is_json(package):
        raise typer.Exit(_verify_report(package, keys[0] if keys else ""))
    if package is not None:
        from bluelamp.verify import command

        authorities = timestamp_certificate or []
        vkeys = [_vkey(text) for text in witnesses]
        raise typer.Exit(command.run(package, keys, vkeys, as_json=json, authorities=authorities))
    if deleted:
        from bluelamp.cli import verify_gone

        raise typer.Exit(verify_gone.run(deleted))
    if not database:
        console.print("Say what to verify: a package, the report of an import, --database, --deleted or --follow")
        raise typer.Exit(2)
    from bluelamp.cli import verify_database

    raise typer.Exit(verify_database.run(keys, note, json=json))


def _is_json(path: Path) -> bool:
    """Whether the file looks like an import's report; a package is a ZIP file."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip()[:1] == b"{"
    except OSError:
        return False


def _vkey(witness: str) -> str:
    """Without the address that --follow knows a witness by."""
    address, _, key = witness.partition("=")
    return key if "://" in address else witness


def _verify_report(path: Path, key: str) -> int:
    """An import's report, and the list of files where it lies beside it. Returns the exit code."""
    from bluelamp.verify.imports import check_report

    try:
        document = json_module.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        typer.echo(f"{path} cannot be read as a report: {error}")
        return 2
    if not key:
        from bluelamp.cli import django_ready

        django_ready()
        from bluelamp.ingest import receipts

        key = receipts.public_key()
    listing = path.with_suffix(".csv")
    found, problems = check_report(document, key, listing.open("rb") if listing.exists() else None)
    if found is None or problems:
        typer.echo("Not what the server signed. Do not delete the source.")
        for problem in problems:
            typer.echo(f"  {problem}")
        return 1
    typer.echo(f"Good. The report of import {found.run} is what the server signed.")
    if not listing.exists():
        typer.echo(f"The list of files, {listing.name}, is not beside it and was not checked.")
    typer.echo(found.verdict)
    return 0
