"""`bluelamp people`: the first accounts of a new installation; later ones are made on the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(help="Make the first accounts; later ones are made on the pages.", no_args_is_help=True)

_ACTOR = "system:command-line"


@app.callback()
def _people() -> None:
    """Keeps `add` a sub-command."""


@app.command()
def add(
    username: Annotated[str, typer.Argument(help="For instance a.okafor.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    role: Annotated[list[str], typer.Option(help="A role; may be given several times.")],
    number: Annotated[str, typer.Option(help="Warrant or staff number.")] = "",
    unit: Annotated[str, typer.Option(help="Code of the unit; without units yet, the force is made.")] = "",
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.")] = None,
) -> None:
    """Make an account. Prints a password to be changed at the first sign-in, where one-time codes are set up too."""
    from bluelamp.cli import installation_ready

    installation_ready(data)
    from django.conf import settings

    from bluelamp.kernel.errors import NotFound
    from bluelamp.people import services
    from bluelamp.people.models import Unit

    where = Unit.objects.filter(code=unit).first() if unit else Unit.objects.filter(parent=None).first()
    if unit and where is None:
        raise NotFound(f"There is no unit with the code {unit!r}.", "No account was made.", "Leave --unit out.")
    if where is None:
        where = services.create_unit(
            name=settings.BLUELAMP.force, code="FORCE", kind=Unit.Kind.FORCE, actor=_ACTOR, reason="First account"
        )
    _, password = services.create_person(
        username=username, name=name, actor=_ACTOR, roles=role, unit=where, warrant_number=number
    )
    Console(stderr=True).print(
        f"{name} can sign in at {settings.BLUELAMP.base_url} as {username}. The password follows; it must be changed "
        "at the first sign-in and is not kept in the clear."
    )
    typer.echo(password)
