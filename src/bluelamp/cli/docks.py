"""`bluelamp docks`: let docking stations upload, and stop them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bluelamp.kernel.errors import BluelampError, NotFound

if TYPE_CHECKING:
    from bluelamp.people.models import Unit

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
    with _django(data):
        from bluelamp.fleet import services

        _, token = services.add_dock(name, _unit(unit), _ACTOR)
    # The token alone on standard output, so that a script can take it.
    Console(stderr=True).print(f"Dock “{name}” added. Its token follows; it is not kept and cannot be shown again.")
    typer.echo(token)


@app.command("list")
def list_docks(data: _DATA = None) -> None:
    """Show all docks and when each was last seen (UTC)."""
    table = Table("Dock", "Unit", "Last seen (UTC)", "Access")
    with _django(data):
        from bluelamp.fleet import queries

        for dock in queries.docks():
            seen = f"{dock.last_seen_at:%Y-%m-%d %H:%M}" if dock.last_seen_at else "never"
            table.add_row(dock.name, dock.unit.name if dock.unit else "", seen, "active" if dock.active else "revoked")
    Console().print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The dock's name, as `bluelamp docks list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "",
    data: _DATA = None,
) -> None:
    """End a dock's access at once."""
    with _django(data):
        from bluelamp.fleet import queries, services

        services.revoke_dock(queries.dock_named(name), actor=_ACTOR, reason=reason)
    typer.echo(
        f"Dock “{name}” can no longer upload. What cameras still hold stays on them until they are docked elsewhere."
    )


@contextmanager
def _django(data: Path | None) -> Iterator[None]:
    """Django set up for the installation; an error becomes one sentence and its exit code."""
    if data is not None:
        os.environ["BLUELAMP_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django
    from django.db import OperationalError

    django.setup()
    try:
        yield
    except BluelampError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    except OperationalError as error:
        typer.echo(
            "The database does not answer. Nothing was changed. Start Bluelamp with `bluelamp up` on the same data "
            "folder, or set BLUELAMP_DATABASE_URL.",
            err=True,
        )
        raise typer.Exit(7) from error


def _unit(code: str) -> Unit | None:
    from bluelamp.people.models import Unit

    if not code:
        return None
    unit = Unit.objects.filter(code=code).first()
    if unit is None:
        raise NotFound(
            f"There is no unit with the code {code}.", "No dock was added.", "Look the code up on the People page."
        )
    return unit
