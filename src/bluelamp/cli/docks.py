"""`bluelamp docks`: let docking stations upload, and stop them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bluelamp.cli import installation_ready

app = typer.Typer(
    help="Docking stations: add one (its token is shown once), list them, revoke one.", no_args_is_help=True
)

_ACTOR = "system:command-line"
_DATA = Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Where the dock stands, for instance “Northgate charging room 1”.")],
    unit: Annotated[str, typer.Option(help="Code of the unit that it belongs to.")] = "",
    data: _DATA = None,
) -> None:
    """Let a dock upload. Prints its token, which cannot be shown again."""
    _ready(data)
    from bluelamp.fleet import services
    from bluelamp.people import queries

    _, token = services.add_dock(name, queries.unit(unit), _ACTOR)
    # The token alone on standard output, so that a script can take it.
    Console(stderr=True, markup=False).print(
        f"Dock “{name}” added. Its token follows; it is not kept and cannot be shown again."
    )
    typer.echo(token)


@app.command("list")
def list_docks(data: _DATA = None) -> None:
    """Show all docks and when each was last seen (UTC)."""
    table = Table("Dock", "Unit", "Last seen (UTC)", "Access")
    _ready(data)
    from bluelamp.fleet import queries

    for dock in queries.docks():
        seen = f"{dock.last_seen_at:%Y-%m-%d %H:%M}" if dock.last_seen_at else "never"
        table.add_row(dock.name, dock.unit.name if dock.unit else "", seen, "active" if dock.active else "revoked")
    Console(markup=False).print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The dock's name, as `bluelamp docks list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "",
    data: _DATA = None,
) -> None:
    """End a dock's access at once."""
    _ready(data)
    from bluelamp.fleet import queries, services

    services.revoke_dock(queries.dock_named(name), actor=_ACTOR, reason=reason)
    typer.echo(
        f"Dock “{name}” can no longer upload. What cameras still hold stays on them until they are docked elsewhere."
    )


def _ready(data: Path | None) -> None:
    """Django set up for the installation; `bluelamp.cli.main` turns errors into sentences and exit codes."""
    installation_ready(data)
