"""`bluelamp verify --database`: is this installation's ledger what its signed checkpoints say?"""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console


def run(trusted: Sequence[str], note: Path | None, *, json: bool) -> int:
    """Check the whole ledger, print what was found, and return the exit code: 0 good, 1 tampering, 2 cannot tell.

    `trusted`: vkeys of the log that the caller got from elsewhere; `note`: the file of a checkpoint that somebody kept.
    """
    from bluelamp.cli import django_ready

    django_ready()
    from bluelamp.custody import keys, queries
    from bluelamp.custody.verification import processors, verify_ledger
    from bluelamp.formats.errors import FormatError

    console = Console()
    try:
        kept_note = note.read_text() if note else ""
    except (OSError, UnicodeDecodeError) as error:
        console.print(f"The note that was kept cannot be read: {error}")
        return 2
    if queries.latest_checkpoint() is None and not kept_note:
        console.print("There is no checkpoint yet, so nothing can be verified. Start the worker: bluelamp up")
        return 2
    try:
        report, remembered = verify_ledger(trusted=trusted, kept_note=kept_note, processes=processors())
    except FormatError as error:
        console.print(f"The key cannot be used: {error}")
        return 2
    if json:
        typer.echo(
            json_module.dumps(
                {"size": report.size, "remembered": remembered, "problems": report.problems, "good": report.good}
            )
        )
    elif report.good:
        console.print(f"[green]Good.[/] {report.size:,} custody events match the signed checkpoints.")
        if not trusted:
            console.print(
                "The signatures were checked against this installation's own keys. To be independent of it, "
                f"give the key that the force published: --key '{keys.own_vkey()}'",
                soft_wrap=True,
            )
    else:
        console.print("[red]Evidence of tampering.[/] The footage itself is not touched by this check.")
        for problem in report.problems:
            console.print(f"  {problem}", soft_wrap=True)
        console.print("Keep the data folder as it is and call whoever audits this system.")
    return 0 if report.good else 1
