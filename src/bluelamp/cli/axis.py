"""`bluelamp axis`: connect Axis body-worn systems."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from bluelamp.cli import installation_ready
from bluelamp.kernel.errors import Invalid, NotFound

app = typer.Typer(
    help="Axis body-worn systems: issue a connection file (its password is shown nowhere else), list them, revoke one.",
    no_args_is_help=True,
)

_ACTOR = "system:command-line"
_DATA = Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.")]


@app.command("connection-file")
def connection_file(
    out: Annotated[Path, typer.Option("--out", help="Where to write the file; readable by you alone.")],
    name: Annotated[str, typer.Option(help="The system's name. The same name again: a new file, a new password.")] = (
        "Axis body-worn system"
    ),
    unit: Annotated[str, typer.Option(help="Code of the unit that its cameras belong to.")] = "",
    site: Annotated[str, typer.Option(help="Site name shown in the body-worn manager; else the force's name.")] = "",
    uri: Annotated[
        list[str] | None,
        typer.Option(help="Address for tokens, ending in /auth/v1.0; may be repeated. Else this server's own."),
    ] = None,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(help="This server's certificate (PEM or DER); may be repeated. With it HTTPS is used."),
    ] = None,
    encryption: Annotated[
        bool | None, typer.Option("--encryption/--no-encryption", help="Encrypt in the camera; cannot be undone.")
    ] = None,
    full_store_and_read: Annotated[
        bool | None,
        typer.Option(
            "--full-store-and-read/--no-full-store-and-read",
            help="Promise all of Swift, now and later; cannot be undone. Capabilities are declared without it.",
        ),
    ] = None,
    container_type: Annotated[str | None, typer.Option(help="mkv or mp4; cannot be changed later.")] = None,
    ntp_server: Annotated[bool, typer.Option("--ntp-server", help="This server tells the time (NTP) as well.")] = False,
    data: _DATA = None,
) -> None:
    """Issue a connection file for a body-worn manager. An earlier password of the same system ends."""
    certificates = [(path, _read(path)) for path in certificate or []]
    _ready(data)
    from bluelamp.ingest.axis import connection_file as file
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.axis.services.connections import Wanted
    from bluelamp.people import queries

    _require_writable(out)
    issued = services.issue(
        Wanted(
            name=name,
            site=site,
            uris=tuple(uri or ()),
            certificates=tuple(file.certificate(content) for _, content in certificates),
            ntp_server=ntp_server,
            container_type=container_type,
            want_encryption=encryption,
            full_store_and_read=full_store_and_read,
            unit=queries.unit(unit),
        ),
        actor=_ACTOR,
    )
    _write(out, issued.text)
    typer.echo(f"Connection file of “{name}” written to {out}. It holds the password: delete it when it is entered.")
    if not certificates:
        typer.echo("It has no certificate, so the system will use plain HTTP: for trying out only.", err=True)


@app.command("list")
def list_systems(data: _DATA = None) -> None:
    """Show all systems and when each was last seen (UTC)."""
    table = Table("System", Column("User name", overflow="fold"), "Cameras", "Users", "Last seen (UTC)", "Access")
    _ready(data)
    from bluelamp.ingest.axis import queries

    for row in queries.standings():
        found = row.connection
        seen = f"{found.last_seen_at:%Y-%m-%d %H:%M}" if found.last_seen_at else "never"
        access = "active" if found.active else "revoked"
        table.add_row(found.name, found.user, str(row.devices), str(row.users), seen, access)
    Console(markup=False).print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The system's name, as `bluelamp axis list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "",
    data: _DATA = None,
) -> None:
    """End a system's access at once."""
    _ready(data)
    from bluelamp.ingest.axis import queries, services

    found = next((row.connection for row in queries.standings() if row.connection.name == name), None)
    if found is None:
        raise NotFound(f"There is no body-worn system named {name}.", "Nothing was changed.", "Look at the list.")
    services.revoke(found, actor=_ACTOR, reason=reason)
    typer.echo(f"“{name}” can no longer send. It keeps what it has not sent.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"The certificate {path} cannot be read.", "No connection file was made.") from error


def _require_writable(out: Path) -> None:
    # Before the password changes: a file that cannot be written would leave the system with neither.
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise Invalid(f"{out} cannot be written.", "No connection file was made.", "Name a file in a folder of yours.")


def _write(out: Path, text: str) -> None:
    """Whole or not at all, and for its owner only."""
    aside = out.with_name(f".{out.name}.{secrets.token_hex(6)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)


def _ready(data: Path | None) -> None:
    """Django set up for the installation; `bluelamp.cli.main` turns errors into sentences and exit codes."""
    installation_ready(data)
