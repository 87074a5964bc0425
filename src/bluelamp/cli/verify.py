"""`bluelamp verify --database`: is this installation's ledger what its last signed checkpoint says?

Exit code 0: it is. 1: evidence of tampering. 2: cannot tell.
"""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer
from rich.console import Console


def verify(
    database: Annotated[bool, typer.Option("--database", help="Check the ledger of this installation.")] = False,
    key: Annotated[str, typer.Option("--key", help="The force's published log key (a C2SP verifier key).")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Verify the custody ledger: every commitment, every leaf, the root and the checkpoint's signature."""
    console = Console()
    if not database:
        console.print("Say what to verify: bluelamp verify --database")
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
