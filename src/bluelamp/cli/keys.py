"""`bluelamp keys`: the keys that sign the custody log's checkpoints."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="The keys that sign the custody log's checkpoints.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """Print the log's keys (C2SP vkeys), the present one last: what the force publishes."""
    _ready()
    from bluelamp.custody import keys

    for vkey in keys.log_vkeys():
        typer.echo(vkey)


@app.command("rotate")
def rotate(reason: Annotated[str, typer.Option(help="Why: it stands in the ledger.")]) -> None:
    """Replace the log's key. Former proofs stay valid; the next checkpoint is signed by the old key and the new."""
    _ready()
    from bluelamp.custody import rotation

    old, new = rotation.rotate(reason=reason, actor="system:operator")
    typer.echo(f"The log is signed with a new key from the next checkpoint on:\n{new}")
    typer.echo(f"Publish it beside the old one, which stays valid for what it signed:\n{old}")


def _ready() -> None:
    from bluelamp.cli import django_ready

    django_ready()
