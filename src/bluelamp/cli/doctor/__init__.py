"""`bluelamp doctor`: says in plain words what is wrong with an installation, and what to do. Changes nothing."""

from __future__ import annotations

import json as json_module
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bluelamp.cli.doctor.finding import Finding, State, bad

if TYPE_CHECKING:
    from bluelamp.project.configuration import Configuration

_SIGNS = {
    State.OK: ("ok", "green"),
    State.NOTE: ("note", "cyan"),
    State.WARNING: ("warn", "yellow"),
    State.BAD: ("BAD", "bold red"),
}


_SETTINGS_ADVICE = "Compare your BLUELAMP_ variables with docs/guides/settings.md, or install Bluelamp again."


def doctor(
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say in plain words what is wrong with this installation. Exit code 0: nothing bad; 1: something is."""
    if data is not None:
        os.environ["BLUELAMP_DATA"] = str(data)
    findings = list(examine())
    healthy = all(finding.state is not State.BAD for finding in findings)
    if json:
        body = {"healthy": healthy, "findings": [vars(finding) for finding in findings]}
        typer.echo(json_module.dumps(body, indent=2))
    else:
        _print(findings, healthy)
    raise typer.Exit(0 if healthy else 1)


def examine() -> Iterator[Finding]:
    """All findings about the installation that the environment names."""
    from bluelamp.project import configuration

    try:
        loaded = configuration.load()
    except ValueError as error:
        yield bad("settings", f"A BLUELAMP_ setting cannot be understood: {error}.", _SETTINGS_ADVICE)
        return
    if not (loaded.data / "instance.json").exists():
        yield bad(
            "data folder",
            f"There is no installation in {loaded.data}.",
            "Start one with `bluelamp up`, or name the right folder with --data.",
        )
        return
    if not os.access(loaded.data, os.R_OK | os.W_OK | os.X_OK):
        yield bad("data folder", f"{loaded.data} is closed to you.", "Run the doctor as the user that runs Bluelamp.")
        return
    from bluelamp.cli import django_ready

    try:
        django_ready()
    except Exception as error:
        yield bad("settings", f"Bluelamp does not load: {type(error).__name__}: {error}", _SETTINGS_ADVICE)
        return
    from bluelamp.cli.doctor import clocks, database, installation, vault

    embedded_is_down = _embedded_is_down(loaded)
    yield from _guarded("installation", lambda: installation.check(loaded))
    from_database = list(_guarded("database", lambda: database.check(embedded_is_down)))
    yield from from_database
    answers = not embedded_is_down and from_database[0].state is State.OK
    yield from _guarded("vault", lambda: vault.check(loaded))
    yield from _guarded("clock", lambda: clocks.check(loaded, answers))


def _embedded_is_down(loaded: Configuration) -> bool:
    from bluelamp.cli.supervisor.instance import holder

    return not os.environ.get("BLUELAMP_DATABASE_URL") and holder(loaded.data) is None


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check that fails itself is a finding, not the end of the others."""
    try:
        yield from check()
    except Exception as error:
        yield bad(
            name, f"This could not be examined: {type(error).__name__}: {error}", "Report this with the text above."
        )


def _print(findings: list[Finding], healthy: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        sign, style = _SIGNS[finding.state]
        says = Text(finding.says)
        if finding.advice:
            says.append(f"\n→ {finding.advice}", style="dim" if finding.state is State.NOTE else "bold")
        table.add_row(Text(sign, style=style), finding.name, says)
    console = Console(highlight=False)
    console.print(table)
    console.print("Nothing bad was found." if healthy else "Something is bad; see above.")
