"""`bluelamp recover`: lost footage comes back from another copy, found by content."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def recover(
    folder: Annotated[Path, typer.Argument(help="Folder with copies, whatever they are called.", show_default=False)],
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.", show_default=False)
    ] = None,
) -> None:
    """Find in a folder what is lost, put it back sealed, and read it again. Exit code 1: something is still lost.

    Files may be masters, known by their SHA-256, or sealed files of the store, known by opening under their key.
    """
    if data is not None:
        os.environ["BLUELAMP_DATA"] = str(data)
    from bluelamp.cli.backup.taking import running_database
    from bluelamp.project import configuration

    with running_database(configuration.load().data) as (app_url, _):
        os.environ["BLUELAMP_DATABASE_URL"] = app_url
        from bluelamp.cli import django_ready

        django_ready()
        from bluelamp.oversight.services.recovering import recover as put_back

        done = put_back(folder.expanduser().absolute())
    typer.echo(f"Looked at {done.looked_at:,} files; read {done.bytes:,} bytes that could be what is lost.")
    typer.echo(f"Put back {done.put_back:,} files; {len(done.recovered):,} recordings are whole again.")
    for line in done.unreadable[:20]:
        typer.echo(f"Could not be read: {line}")
    for line in done.not_put_back[:20]:
        typer.echo(f"A copy was found, and the store did not take it: {line}")
    typer.echo(f"Still lost: {done.left:,} recordings." if done.left else "Nothing is lost any more.")
    raise typer.Exit(1 if done.left else 0)
