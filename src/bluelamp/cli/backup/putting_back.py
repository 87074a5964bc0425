"""Restoring a backup: into a database aside, brought into line there, and only then in the installation's place.

Until the last step the installation is as it was. The application's role may not even connect to the new database
before that, so that nothing is ever shown, signed or deleted from a database that is not in line yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bluelamp.cli.backup import manifest as manifests
from bluelamp.cli.backup import programs
from bluelamp.cli.backup.manifest import DUMP, BackupError, Manifest
from bluelamp.cli.backup.taking import cluster_folder
from bluelamp.cli.supervisor import instance
from bluelamp.cli.supervisor.configuration import APPLICATION, DATABASE, OWNER
from bluelamp.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:
    from bluelamp.oversight.services.restoring import Reconciled

_ASIDE = f"{DATABASE}_restoring"
_NOTHING = "Nothing was restored, and nothing was changed."
_IS_EMPTY = """
SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S'))
"""
# What migrations take from everybody and a dump without rights does not say.
_CLOSED_AGAIN = """
REVOKE EXECUTE ON FUNCTION custody_erase(bigint, bytea, text, text, text[], bigint) FROM PUBLIC
"""


@dataclass(frozen=True)
class Restored:
    """A restore that came to its end. `former`: the database that was put aside, "" where there was none."""

    manifest: Manifest
    reconciled: Reconciled
    former: str


@dataclass(frozen=True)
class Target:
    """Where it is restored: URLs as the application and as the owner; and of the database that was there before, the
    name it is kept under, its latest checkpoint, and how far a demonstration's clock stood ahead."""

    app_url: str
    owner_url: str
    former: str = ""
    note: str = ""
    clock: timedelta = timedelta()


def put_back(folder: Path, *, replace: bool, reason: str, note: str, keyring_lost: bool = False) -> Restored:
    """Restore the backup in `folder` into the installation in BLUELAMP_DATA. Main thread only.

    Raises Conflict where Bluelamp runs, where there is a database already and it is not to be replaced, or where keys
    are missing (the keyring may be, if `keyring_lost`); Invalid for a backup that is not what was made here.
    """
    from bluelamp.project import configuration
    from bluelamp.vault.keyring import file_of

    folder = folder.expanduser().absolute()
    found = configuration.load()
    data = found.data
    manifest = _checked(folder, data)
    if manifest.recordings:
        _require_keyring(file_of(found.keyring_url, data), manifest.recordings, lost=keyring_lost)
    _identify(data, manifest)
    lock = instance.DataLock(instance.open_instance(data).data)
    lock.acquire()
    try:
        with _target(data, replace) as target:
            os.environ["BLUELAMP_DATABASE_URL"] = target.app_url
            os.environ["BLUELAMP_DATABASE_OWNER_URL"] = target.owner_url
            from bluelamp.cli import django_ready

            django_ready()
            _refuse_newer(manifest)
            fill(folder, target.owner_url)
            done = bring_into_line(manifest, reason=reason, note=note, former=target)
    finally:
        lock.release()
    return Restored(manifest, done, target.former)


def bring_into_line(manifest: Manifest, *, reason: str, note: str, former: Target) -> Reconciled:
    """Migrate the restored database that Django's settings name, and reconcile it with keyring and store."""
    from django.db import connections

    from bluelamp.cli.supervisor import migrations
    from bluelamp.oversight.services.restoring import reconcile

    migrations.migrate()  # from here Django is connected as the owner of the tables
    _go_on_with(former.clock)
    try:
        taken_at = datetime.fromisoformat(manifest.taken_at)
        return reconcile(taken_at=taken_at, reason=reason, note=note, former_note=former.note)
    finally:
        connections.close_all()


def _checked(folder: Path, data: Path) -> Manifest:
    path = data / "keys" / "receipt.key"
    if not path.exists():
        raise Conflict(
            f"{path} is missing, so nobody can tell whether this backup is one of this installation's.",
            _NOTHING,
            "Put keys/, the keyring and the store back from their own copies first, then restore.",
        )
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    try:
        return manifests.read(folder, key.public_key())
    except BackupError as error:
        raise Invalid(str(error), _NOTHING, "Use another backup.") from error


def _require_keyring(keyring: Path, recordings: int, *, lost: bool) -> None:
    """Else an empty keyring would be made, and every recording be called lost."""
    root_key = keyring.parent / "root.key"
    if not keyring.exists() and not lost:
        raise Conflict(
            f"The keyring {keyring} is missing, and the backup counts {recordings:,} recordings.",
            f"Without it none of them can be opened. {_NOTHING}",
            "Put its latest copy back first (bluelamp keyring restore FILE --keys FOLDER) and root.key from the safe. "
            "Only if no copy is left, give --keyring-lost.",
        )
    if keyring.exists() and not root_key.exists():
        raise Conflict(
            f"The root key {root_key} is missing, and the backup counts {recordings:,} recordings.",
            f"Without it the keyring opens none of them. {_NOTHING}",
            "Put it back from the safe first. Only if it is lost for good, move the keyring away and give "
            "--keyring-lost.",
        )


def _identify(data: Path, manifest: Manifest) -> None:
    """The data folder is that of the backup's installation, or becomes it where it does not say yet whose it is."""
    path = data / "instance.json"
    if not path.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        instance.write_json(path, {"instance": manifest.instance, "demonstration": manifest.demonstration})
        return
    found = instance.read_json(path)
    if found.get("instance") != manifest.instance or bool(found.get("demonstration")) != manifest.demonstration:
        raise Conflict(
            f"The backup is of the installation {manifest.instance}; {data} is {found.get('instance')}.",
            _NOTHING,
            "Name the right data folder with --data.",
        )
    _forget_lost_cluster(path, found)


def _forget_lost_cluster(path: Path, found: dict[str, Any]) -> None:
    """Where the embedded database is gone with its disk, a new one is made: this is the restore that is waited for."""
    if not found.get("cluster") or os.environ.get("BLUELAMP_DATABASE_URL"):
        return
    folder = cluster_folder(path.parent, str(found["cluster"]))
    if not (folder / "data" / "PG_VERSION").exists():
        (folder / "cluster.json").unlink(missing_ok=True)
        instance.write_json(path, {name: value for name, value in found.items() if name != "cluster"})


def fill(folder: Path, url: str) -> None:
    with psycopg.connect(url) as connection:
        version = connection.info.server_version
    programs.restore(url, folder / DUMP, server_version=version)
    with psycopg.connect(url) as connection:
        connection.execute(_CLOSED_AGAIN)


@contextmanager
def _target(data: Path, replace: bool) -> Iterator[Target]:
    given = os.environ.get("BLUELAMP_DATABASE_URL", "")
    owner = os.environ.get("BLUELAMP_DATABASE_OWNER_URL") or given
    with _of_ones_own(given, owner, replace) if given else _embedded(data, replace) as target:
        yield target


@contextmanager
def _embedded(data: Path, replace: bool) -> Iterator[Target]:
    """A database beside the installation's; at the end it takes its place, and the former one a new name."""
    from bluelamp.cli.supervisor.postgres import EmbeddedPostgres

    with EmbeddedPostgres(data) as server:
        admin = server.url("admin", "postgres")
        with psycopg.connect(server.url("admin")) as connection:
            empty = bool(_value(connection, _IS_EMPTY))
            note, offset = ("", timedelta()) if empty else _last_said(connection)
        if not empty and not replace:
            raise Conflict(
                f"The installation in {data} has a database.",
                _NOTHING,
                "To put the backup in its place, give --replace; the present one is kept under another name.",
            )
        former = "" if empty else f"{DATABASE}_before_{datetime.now().astimezone():%Y%m%d_%H%M%S}"
        with psycopg.connect(admin, autocommit=True) as connection:
            _run(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", _ASIDE)  # of a restore that was interrupted
            _run(connection, "CREATE DATABASE {} OWNER {}", _ASIDE, OWNER)
            _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", _ASIDE)
        yield Target(server.url("app", _ASIDE), server.url("owner", _ASIDE), former, note, offset)
        with psycopg.connect(admin) as connection:
            # One transaction: there is never no database of that name, in whose place an empty one would be made.
            if empty:
                _run(connection, "ALTER DATABASE {} RENAME TO {}", DATABASE, f"{DATABASE}_empty")
            else:
                _run(connection, "ALTER DATABASE {} RENAME TO {}", DATABASE, former)
            _run(connection, "ALTER DATABASE {} RENAME TO {}", _ASIDE, DATABASE)
            _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", DATABASE, APPLICATION)
        if empty:
            with psycopg.connect(admin, autocommit=True) as connection:
                _run(connection, "DROP DATABASE {} WITH (FORCE)", f"{DATABASE}_empty")


@contextmanager
def _of_ones_own(app_url: str, owner_url: str, replace: bool) -> Iterator[Target]:
    """An empty database that the operator made; the application may not connect until all is in line."""
    app, owner = (str(conninfo_to_dict(url).get("user") or "") for url in (app_url, owner_url))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        if not _value(connection, _IS_EMPTY):
            raise Conflict(
                "The database that BLUELAMP_DATABASE_OWNER_URL names is not empty.",
                _NOTHING,
                "Make an empty one beside it (docs/guides/operator.md) and point both settings there; keep the former. "
                "Only one that an interrupted restore left full may be dropped and made anew.",
            )
        name = connection.info.dbname
        if app != owner:
            _run(connection, "REVOKE CONNECT ON DATABASE {} FROM {}, PUBLIC", name, app)
    try:
        yield Target(app_url, owner_url)
    except BaseException:
        with suppress(psycopg.Error), psycopg.connect(owner_url, autocommit=True) as connection:
            if app != owner and _value(connection, _IS_EMPTY):
                _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", name, app)
        raise
    if app != owner:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", name, app)


def _last_said(connection: psycopg.Connection[Any]) -> tuple[str, timedelta]:
    """The latest checkpoint that the former database signed, and how far its demonstration's clock stood ahead."""
    note = connection.execute("SELECT note FROM custody_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    offset = connection.execute("SELECT seconds FROM kernel_clock_offset WHERE id = 1").fetchone()
    return (str(note[0]) if note else ""), timedelta(seconds=offset[0] if offset else 0)


def _go_on_with(offset: timedelta) -> None:
    """A demonstration's clock goes on where the former database had it: it never goes back."""
    from django.conf import settings
    from django.db import connection

    if settings.BLUELAMP.demonstration and offset:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kernel_clock_offset (id, seconds) VALUES (1, %s) ON CONFLICT (id) DO UPDATE"
                " SET seconds = greatest(kernel_clock_offset.seconds, EXCLUDED.seconds)",
                [int(offset.total_seconds())],
            )


def _refuse_newer(manifest: Manifest) -> None:
    from django.db.migrations.loader import MigrationLoader

    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted(set(manifest.migrations) - known)
    if newer:
        raise Conflict(
            f"The backup was made by another version of Bluelamp ({manifest.version}); this one does not know "
            f"{', '.join(newer[:3])}.",
            _NOTHING,
            "Restore it with the version that made it, or a newer one.",
        )


def _value(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _run(connection: psycopg.Connection[Any], statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
