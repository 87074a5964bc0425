"""`bluelamp verify`: is this installation's ledger what its last signed checkpoint says? Is an import's report genuine?

Exit code 0: it is. 1: evidence of tampering. 2: cannot tell.
"""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def verify(
    report: Annotated[Path | None, typer.Argument(help="An import's signed report (JSON).", show_default=False)] = None,
    database: Annotated[bool, typer.Option("--database", help="Check the ledger of this installation.")] = False,
    key: Annotated[
        str, typer.Option("--key", help="The published key: of the log (C2SP), or for a report of receipts (base64).")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Verify the custody ledger (every commitment, every leaf, the checkpoint's signature), or an import's report."""
    console = Console()
    if report is not None:
        raise typer.Exit(_verify_report(report, key))
    if not database:
        console.print("Say what to verify: bluelamp verify --database, or the report of an import")
        raise typer.Exit(2)
    from bluelamp.cli import django_ready

    django_ready()
    from bluelamp.custody import keys, queries
    from bluelamp.formats.signed_note import verifier_key
    from bluelamp.verify.ledger import Leaf, check_ledger

    latest = queries.latest_checkpoint()
    if latest is None:
        console.print("There is no checkpoint yet, so nothing can be verified. Start the worker: bluelamp up")
        raise typer.Exit(2)
    trusted = key or verifier_key(keys.log_origin(), keys.log_key())
    report = check_ledger((Leaf(*leaf) for leaf in queries.leaves()), latest.note, trusted)
    if json:
        typer.echo(json_module.dumps({"size": report.size, "problems": report.problems, "good": report.good}))
    elif report.good:
        console.print(f"[green]Good.[/] {report.size} custody events match the signed checkpoint.")
        if not key:
            console.print(
                "The signature was checked against this installation's own key. To be independent of it, "
                f"give the key that the force published: --key '{trusted}'",
                soft_wrap=True,
            )
    else:
        console.print("[red]Evidence of tampering.[/] The footage itself is not touched by this check.")
        for problem in report.problems:
            console.print(f"  {problem}")
        console.print("Keep the data folder as it is and call whoever audits this system.")
    raise typer.Exit(0 if report.good else 1)


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
