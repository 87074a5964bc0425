"""`bluelamp up`, and the single processes that it, or many machines, run: web, worker, migrate."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from bluelamp.cli import configured, django_ready
from bluelamp.kernel.errors import Invalid

# Beyond it a new connection is answered 503 at once, rather than everybody slowly.
_MOST_CONNECTIONS = 2000
_DRAIN_SECONDS = 2

_DATA = Annotated[Path | None, typer.Option("--data", help="Data folder; else BLUELAMP_DATA.", show_default=False)]
_GATE = Annotated[int | None, typer.Option("--gate", hidden=True)]


def up(
    host: Annotated[str, typer.Option(help="Host name or address to listen on.")] = "localhost",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    data: _DATA = None,
) -> None:
    """Run everything this machine needs, until Ctrl+C: PostgreSQL (or BLUELAMP_DATABASE_URL), web, worker."""
    from bluelamp.cli.supervisor.supervisor import Supervisor

    raise typer.Exit(Supervisor(_data_folder(data), host, port).run())


def web(
    host: Annotated[str, typer.Option(help="Host name or address to listen on.")] = "localhost",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    data: _DATA = None,
    fd: Annotated[list[int] | None, typer.Option("--fd", help="Descriptor of a listening socket, instead.")] = None,
    gate: _GATE = None,
) -> None:
    """Run one web server process. Start as many as wanted, on as many machines, behind a load balancer."""
    _data_folder(data)
    from bluelamp.cli.supervisor import environment, listening
    from bluelamp.project import configuration

    with environment.loading():
        import uvicorn

        from bluelamp.ingest.wire.connection import Connection
        from bluelamp.project.asgi import application

    found = configuration.load()
    sockets = [socket.socket(fileno=descriptor) for descriptor in fd] if fd else listening.bind(host, port)
    environment.wait_at_gate(gate)
    uvicorn.Server(
        uvicorn.Config(
            application,
            loop="uvloop",
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=found.trusted_proxies,
            ssl_certfile=found.tls_certificate or None,
            ssl_keyfile=found.tls_key or None,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    ).run(sockets=sockets)


def worker(data: _DATA = None) -> None:
    """Run one worker for background jobs. Start as many as wanted, on as many machines."""
    _data_folder(data)
    from bluelamp.cli.supervisor import environment

    with environment.loading():
        django_ready()
        from bluelamp.project import worker as project_worker

    project_worker.main()


def migrate(data: _DATA = None, gate: _GATE = None) -> None:
    """Bring the database to this version of Bluelamp, as the role in BLUELAMP_DATABASE_OWNER_URL."""
    _data_folder(data)
    from bluelamp.cli.supervisor import environment

    with environment.loading():
        from bluelamp.cli.supervisor import migrations

        migrations.load()
    environment.wait_at_gate(gate)
    typer.echo("Migrations applied." if migrations.migrate() else "The database was up to date.")


def _data_folder(data: Path | None) -> Path:
    """The data folder in use, also for what is imported after this."""
    folder = configured(data, otherwise="Nothing was started.").data
    if folder.exists() and not folder.is_dir():
        raise Invalid(f"{folder} is not a folder.", "Nothing was started.", "Choose another with --data.")
    return folder
