"""Making a backup: a consistent dump of the database and a signed manifest, or nothing."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bluelamp import __version__
from bluelamp.cli.backup import manifest as manifests
from bluelamp.cli.backup import programs
from bluelamp.cli.backup.manifest import DUMP, NAME, Manifest
from bluelamp.cli.supervisor import folders, instance
from bluelamp.kernel.errors import Conflict

_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
"""


def take(folder: Path) -> Manifest:
    """Back up the database of the installation in BLUELAMP_DATA into `folder`, which appears whole or not at all.

    Starts the embedded PostgreSQL for it where Bluelamp does not run. Raises Conflict for a folder that holds
    something, or where there is no database, and ProgramFailed. Main thread only.
    """
    from bluelamp.project import configuration

    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            f"{folder} holds something already.", "No backup was made.", "Name a new folder for each backup."
        )
    data = configuration.load().data
    if not (data / "instance.json").exists():
        raise Conflict(f"There is no installation in {data}.", "No backup was made.", "Name it with --data.")
    with running_database(data) as (app_url, owner_url):
        os.environ["BLUELAMP_DATABASE_URL"] = app_url
        from bluelamp.cli import django_ready

        django_ready()
        return write(folder, owner_url)


def write(folder: Path, url: str) -> Manifest:
    """Dump the database at `url`, which Django is connected to as well, into the new `folder`, and record it."""
    from bluelamp.custody import keys
    from bluelamp.oversight.services.restoring import note_backup
    from bluelamp.retention.certificates import key_name

    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.unfinished")
    aside.mkdir(mode=0o700)
    try:
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            # What the manifest says is read in the very snapshot that is dumped.
            snapshot = _value(connection, "SELECT pg_export_snapshot()")
            facts = _facts(connection)
            programs.dump(url, aside / DUMP, snapshot=str(snapshot), server_version=facts["postgresql"])
        manifest = Manifest(**facts, **_identity(), files=(manifests.describe(aside / DUMP),))
        origin = keys.log_origin()
        content = manifests.text(manifests.sign(manifest, keys.receipt_key(), key_name(origin)))
        (aside / NAME).write_bytes(content)
        for path in (aside / DUMP, aside / NAME, aside):
            path.chmod(0o700 if path == aside else 0o600)
            _sync(path)
        os.rename(aside, folder)  # onto an empty folder, too
        _sync(folder.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    note_backup(
        manifest_sha256=hashlib.sha256(content).hexdigest(),
        taken_at=datetime.fromisoformat(manifest.taken_at),
        bytes=sum(file.size for file in manifest.files),
        events=manifest.ledger_size,
    )
    return manifest


@contextmanager
def running_database(data: Path) -> Iterator[tuple[str, str]]:
    """The database's URLs as the application and as the owner of the tables; the embedded one is started if need be."""
    from bluelamp.cli.supervisor.postgres import EmbeddedPostgres
    from bluelamp.project import configuration

    given = os.environ.get("BLUELAMP_DATABASE_URL", "")
    if given:
        yield given, os.environ.get("BLUELAMP_DATABASE_OWNER_URL") or given
        return
    if instance.holder(data) is not None:
        found = configuration.load()
        if not found.database_url:
            raise Conflict(
                "Bluelamp is starting or stopping on this data folder.", "Nothing was changed.", "Try again shortly."
            )
        yield found.database_url, found.database_owner_url
        return
    lock = instance.DataLock(instance.open_instance(data).data)
    lock.acquire()
    try:
        with EmbeddedPostgres(data) as server:
            yield server.url("app"), server.url("owner")
    finally:
        lock.release()


def has_database(data: Path) -> bool:
    """Whether `running_database` has one to run, rather than a lost one to miss or a new one to make."""
    if os.environ.get("BLUELAMP_DATABASE_URL") or instance.holder(data) is not None:
        return True
    cluster = instance.read_json(data / "instance.json").get("cluster")
    return bool(cluster) and (cluster_folder(data, str(cluster)) / "data" / "PG_VERSION").exists()


def cluster_folder(data: Path, cluster: str) -> Path:
    """Where the embedded database of that id has its files."""
    return folders.SYSTEM / "clusters" / cluster if os.geteuid() == 0 else data / "postgres"


def _facts(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    tables = [name for (name,) in connection.execute(_TABLES)]
    if "django_migrations" not in tables:
        raise Conflict(
            "The database holds nothing of Bluelamp yet.", "No backup was made.", "Start `bluelamp up` once."
        )
    counts = {
        name: int(_value(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))))
        for name in tables
        if name != "django_session"
    }
    checkpoint = connection.execute("SELECT size, note FROM custody_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    applied = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    taken_at: datetime = _value(connection, "SELECT now()")
    return {
        "version": __version__,
        "taken_at": taken_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "postgresql": connection.info.server_version,
        "migrations": tuple(f"{app}.{name}" for app, name in applied),
        "ledger_size": checkpoint[0] if checkpoint else 0,
        "checkpoint": checkpoint[1] if checkpoint else "",
        "recordings": counts.get("footage_recording", 0),
        "counts": counts,
    }


def _identity() -> dict[str, Any]:
    from django.conf import settings

    from bluelamp.custody import keys

    found = instance.read_json(settings.BLUELAMP.data / "instance.json")
    return {
        "instance": str(found.get("instance", "")),
        "origin": keys.present_origin(),
        "demonstration": bool(found.get("demonstration", False)),
    }


def _value(connection: psycopg.Connection[Any], query: Any) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
