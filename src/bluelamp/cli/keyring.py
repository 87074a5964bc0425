"""`bluelamp keyring`: copies of the keyring that open nothing after some days, and what to do when it is lost."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bluelamp.kernel.errors import Conflict

if TYPE_CHECKING:
    from bluelamp.vault.keyring import SqliteKeyring

app = typer.Typer(help="Copies of the keyring that open nothing after some days.", no_args_is_help=True)

_KEYS = Annotated[
    Path,
    typer.Option("--keys", help="Folder of the copies' keys: on another machine, never backed up.", show_default=False),
]
_DATA = Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.", show_default=False)]


@app.command("copy")
def copy(
    file: Annotated[Path, typer.Argument(help="The copy, a new file.", show_default=False)],
    keys: _KEYS,
    days: Annotated[int, typer.Option(min=1, max=14, help="After so many days its key is destroyed.")] = 3,
    data: _DATA = None,
) -> None:
    """Copy the keyring, sealed to a new key; keys of copies older than that are destroyed. Run it every day."""
    _ready(data)
    from bluelamp.cli.supervisor import instance
    from bluelamp.project import configuration
    from bluelamp.vault import keyring_copy

    folder = configuration.load().data
    if _inside(keys, folder):
        raise Conflict(
            f"{keys} lies in the data folder: a disk that is lost takes copy and key together.",
            "No copy was made.",
            "Name a folder on another machine or medium.",
        )
    made = keyring_copy.make(_keyring(), file, keys, kept=timedelta(days=days))
    instance.write_json(
        folder / "keyring-copy.json",
        {"made_at": made.made_at.isoformat(), "file": str(file.absolute()), "keys": str(keys.absolute()), "days": days},
    )
    typer.echo(f"{file}: a copy of the keyring, sealed to the key {made.key} in {keys}.")
    typer.echo(f"{made.destroyed} keys of older copies were destroyed; those copies open nothing any more.")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="The latest copy.", show_default=False)],
    keys: _KEYS,
    data: _DATA = None,
) -> None:
    """Put a copy in the place of a keyring that is lost, and erase again what was deleted since it was made.

    Where there is a keyring, it stays and only the erasing is done: so an interrupted restore is taken up again.
    """
    _ready(data)
    from bluelamp.project import configuration
    from bluelamp.vault import keyring_copy
    from bluelamp.vault.keyring import file_of

    found = configuration.load()
    target = file_of(found.keyring_url, found.data)
    there = target.exists()
    if there:
        typer.echo(f"There is a keyring at {target}: it was left as it is, and the copy was not used.")
        typer.echo("A copy is never newer, and only what is lost is replaced. Move a damaged one away first.")
    else:
        keyring_copy.put_back(file, keys, target)
        typer.echo(f"The keyring at {target} is the copy's.")
    try:
        erased = _erase_again(found.data)
    except BaseException:
        typer.echo(
            "What was deleted since the copy was made could NOT be erased in it again, and may be opened with it. "
            "Put right what is named here, then give the same command again before Bluelamp runs.",
            err=True,
        )
        raise
    if erased is None:
        typer.echo(
            "What was deleted since is not erased in it yet: only the database knows it, and there is none here."
        )
        typer.echo("Now put it back with bluelamp restore, which erases it. Do not start Bluelamp before.")
        typer.echo("If there is one elsewhere: set BLUELAMP_DATABASE_URL and give the same command again.")
        return
    typer.echo(f"{erased:,} keys of footage deleted since were erased in it again.")
    if not there:
        typer.echo(
            "Footage that arrived since that copy cannot be opened: bluelamp doctor and the oversight pages name it."
        )


def _erase_again(data: Path) -> int | None:
    """How many keys were erased; None where there is no database, or an empty one."""
    from bluelamp.cli.backup.taking import has_database, running_database

    if not has_database(data):
        return None
    with running_database(data) as (app_url, _):
        from django.db import connections

        from bluelamp.footage.models import Recording
        from bluelamp.oversight.services.restoring import erase_again
        from bluelamp.project.settings import database

        connections["default"].close()
        connections["default"].settings_dict.update(database(app_url))
        if Recording._meta.db_table not in connections["default"].introspection.table_names():
            return None
        return erase_again()


def _ready(data: Path | None) -> None:
    if data is not None:
        os.environ["BLUELAMP_DATA"] = str(data)
    from bluelamp.cli import django_ready

    django_ready()


def _keyring() -> SqliteKeyring:
    from bluelamp.vault.keyring import SqliteKeyring, get_keyring

    found = get_keyring()
    if not isinstance(found, SqliteKeyring):
        raise Conflict("This keyring makes copies of its own.", "No copy was made.")
    return found


def _inside(path: Path, folder: Path) -> bool:
    return path.expanduser().resolve().is_relative_to(folder)
