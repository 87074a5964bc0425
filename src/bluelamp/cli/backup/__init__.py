"""`bluelamp backup` and `bluelamp restore`: the database, and nothing that opens footage.

A backup is a folder with a dump of the database and a signed manifest. It never holds the keyring: with today's keyring
a restored old database opens what was kept and nothing that has gone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

_DATA = Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.", show_default=False)]


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder for this backup: new, or empty.", show_default=False)],
    data: _DATA = None,
) -> None:
    """Back up the database, while Bluelamp runs or not. Footage, keyring and signing keys have copies of their own."""
    _data_folder(data)
    from bluelamp.cli.backup.taking import take

    manifest = take(folder)
    size = sum(file.size for file in manifest.files)
    typer.echo(f"Backed up the database of {manifest.origin} as it was at {manifest.taken_at}: {size:,} bytes.")
    typer.echo(f"{manifest.recordings:,} recordings; {manifest.ledger_size:,} custody events under a checkpoint.")
    typer.echo(f"It lies in {folder.absolute()}. Keep it closed: it holds what people wrote, but no key.")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.", show_default=False)],
    data: _DATA = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="The installation has a database: put it aside, and this one in its place."),
    ] = False,
    reason: Annotated[str, typer.Option(help="Why: it stands in the ledger.")] = "Restored from a backup",
    note: Annotated[
        Path | None,
        typer.Option(
            "--note", help="The last checkpoint that a witness or monitor kept of the log.", show_default=False
        ),
    ] = None,
    keyring_lost: Annotated[
        bool,
        typer.Option("--keyring-lost", help="No copy of the keyring is left: restore although nothing stored opens."),
    ] = False,
) -> None:
    """Restore a backup, Bluelamp being stopped, in line with today's keyring and store. Destroys nothing."""
    _data_folder(data)
    from bluelamp.cli.backup import telling
    from bluelamp.cli.backup.putting_back import put_back

    kept = note.read_text() if note else ""
    telling.tell(put_back(folder, replace=replace, reason=reason, note=kept, keyring_lost=keyring_lost))


def _data_folder(data: Path | None) -> None:
    if data is not None:
        os.environ["BLUELAMP_DATA"] = str(data)
