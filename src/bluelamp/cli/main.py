"""The `bluelamp` command. Each sub-command's module is imported when it is used, so that the command starts at once."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bluelamp import __version__
from bluelamp.kernel.errors import BluelampError, Busy


@dataclass(frozen=True)
class _Entry:
    name: str
    module: str
    attribute: str
    help: str


_COMMANDS = (
    _Entry("up", "up", "up", "Run everything this machine needs: database, web, workers."),
    _Entry("demo", "demo", "demo", "Run a demonstration force from camera to court, and past day 31."),
    _Entry("doctor", "doctor", "doctor", "Say in plain words what is wrong with this installation."),
    _Entry("web", "up", "web", "Run one web server process (several machines, or under `up`)."),
    _Entry("worker", "up", "worker", "Run one worker for background jobs."),
    _Entry("migrate", "up", "migrate", "Bring the database to this version of Bluelamp."),
    _Entry("people", "people", "app", "Make the first accounts; later ones are made on the pages."),
    _Entry("docks", "docks", "app", "Add, list and revoke docking stations."),
    _Entry("axis", "axis", "app", "Connect Axis body-worn systems."),
    _Entry("camera", "camera", "app", "A virtual camera that records real files."),
    _Entry("dock", "dock", "dock", "Upload a camera's recordings, verify receipts, then clear the camera."),
    _Entry("import", "import_footage", "import_footage", "Import a folder of recordings with reconciliation."),
    _Entry("backup", "backup", "backup", "Back up the database."),
    _Entry("restore", "backup", "restore", "Restore a backup and re-apply the erasures made since."),
    _Entry("recover", "recover", "recover", "Put lost footage back from a folder with another copy."),
    _Entry("keyring", "keyring", "app", "Copies of the keyring that open nothing after some days."),
    _Entry("verify", "verify", "verify", "Verify a package, a link or this installation's ledger."),
    _Entry("keys", "keys", "app", "The keys that sign the custody log's checkpoints."),
    _Entry("witness", "witness", "witness", "Run an independent witness of forces' custody logs."),
    _Entry("bench", "bench", "bench", "Measure against peers."),
)


class _Lazy(TyperCommand):
    """Stands for a sub-command in listings; becomes the real one when it is used."""

    def __init__(self, entry: _Entry) -> None:
        super().__init__(entry.name, help=entry.help)
        self._entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return self._real().make_context(info_name, args, parent=parent, **extra)

    def _real(self) -> Any:
        target = getattr(importlib.import_module(_module(self._entry)), self._entry.attribute)
        if isinstance(target, typer.Typer):
            return typer.main.get_group(target)
        single = typer.Typer(add_completion=False)
        single.command(self._entry.name)(target)
        return typer.main.get_command(single)


class _Group(TyperGroup):
    """The commands whose modules this installation has."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [entry.name for entry in _COMMANDS if _is_there(entry)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        for entry in _COMMANDS:
            if entry.name == cmd_name and _is_there(entry):
                return _Lazy(entry)
        return None


app = typer.Typer(cls=_Group, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def bluelamp(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Bluelamp: digital evidence management for police body-worn video."""


def main() -> None:
    """Run the command; an error a person may meet becomes one sentence on standard error and its exit code."""
    try:
        app()
    except BluelampError as error:
        _fail(error)
    except Exception as error:
        if not _is_unreachable_database(error):
            raise
        _fail(
            Busy(
                f"The database does not answer: {' '.join(str(error).split())}",
                "Nothing was changed; footage that was acknowledged is safe.",
                "Start Bluelamp with `bluelamp up` on the same data folder, or correct BLUELAMP_DATABASE_URL.",
            )
        )


def _fail(error: BluelampError) -> None:
    typer.echo(str(error), err=True)
    sys.exit(error.exit_code)


def _is_unreachable_database(error: Exception) -> bool:
    """Whether Django or psycopg says so; neither is imported for it."""
    modules = ("psycopg", "django.db.utils")
    kinds = [vars(sys.modules[module])["OperationalError"] for module in modules if module in sys.modules]
    return isinstance(error, tuple(kinds))


def _module(entry: _Entry) -> str:
    return f"bluelamp.cli.{entry.module}"


def _is_there(entry: _Entry) -> bool:
    return importlib.util.find_spec(_module(entry)) is not None


if __name__ == "__main__":
    main()
